import { lstat } from 'node:fs/promises'
import { z } from 'zod'
import {
  type AbsPath,
  displayPath,
  errorCode,
  fsPath,
  hasCode,
  isPlainUtf8,
  pathBytes,
  SpacedriveError
} from '../../storage/base/index.js'
import type { Target } from '../../storage/entries/index.js'
import type { MediaFacts } from '../../storage/file-types/index.js'
import type { Library } from '../../storage/libraries/index.js'
import { namedPathText, placeOf, typedPath } from './device-path.js'
import { farInfo } from './far-info.js'
import { type DiskFacts, diskFacts } from './file-facts.js'
import { counted } from './file-text.js'
import { formatBytes, formatTime } from './format.js'
import { defineOperation } from './operation.js'

export const fileInfo = defineOperation({
  name: 'file.info',
  summary: 'What is known of a file or folder: kind, hash, location, tags, state in the index',
  input: z.strictObject({
    path: namedPathText,
    /** Reads the file when its hash is not known. */
    hash: z.boolean().default(false),
    /** Counts what is in a folder that is not indexed. */
    count: z.boolean().default(false),
    library: z.string().optional()
  }),
  async run({ peer, signal }, input) {
    const place = placeOf(peer, input.path)
    if (place.device !== null) return farInfo(peer, place, { hash: input.hash, count: input.count, signal })
    const { describing, FLAG } = await import('../../storage/entries/index.js')
    const { mimeOfFile, typeOfName } = await import('../../storage/file-types/index.js')
    const open = input.library === undefined ? peer.libraries.findCurrent() : peer.libraries.get(input.library)
    const stat = await lstat(fsPath(input.path), { bigint: true }).catch(err => {
      if (hasCode(err, 'ENOENT', 'ENOTDIR')) return undefined
      throw new SpacedriveError(errorCode(err), `could not look at ${displayPath(input.path)}`, { cause: err })
    })
    const target: Target = {
      path: input.path as AbsPath,
      inode: stat?.ino ?? null,
      birthNs: stat?.birthtimeNs ?? null
    }
    const describe = ({ database, host }: Library) =>
      peer.pool.run(describing.describe, { databaseFile: database.file, host, target }, { signal })
    const library = open === undefined ? undefined : await describe(open)
    // The folder of a sync is indexed by the library that the instance keeps for itself; what people said stays theirs.
    const known = library?.entry != null ? library : await describe(peer.libraries.own)
    const said = library?.said ?? known.said
    const entry = known.entry
    const inTrash = (await peer.trash.list({ path: input.path as AbsPath }, { limit: 1, signal })).totals.items
    if (stat === undefined && entry === null) {
      throw new SpacedriveError('NOT_FOUND', `there is no ${displayPath(input.path)}`, {
        ...(inTrash > 0 && {
          hint: 'It lies in the trash: `spacedrive file trash restore` with this path brings it back.'
        })
      })
    }
    const fresh =
      stat !== undefined &&
      entry !== null &&
      entry.mtimeNs === stat.mtimeNs &&
      entry.ctimeNs === stat.ctimeNs &&
      entry.inode === stat.ino
    let hash = fresh && (entry.flags & (FLAG.STALE | FLAG.RACY)) === 0 ? entry.hash : null
    if (hash === null && input.hash && stat?.isFile()) {
      const { hashing } = await import('../../storage/content/index.js')
      hash = (await peer.pool.run(hashing.hashFile, { path: input.path }, { signal })).hash
    }
    const name = input.path.slice(input.path.lastIndexOf('/') + 1)
    const byName = typeOfName(name)
    const form =
      stat === undefined
        ? entry!.kind
        : stat.isFile()
          ? 'file'
          : stat.isDirectory()
            ? 'directory'
            : stat.isSymbolicLink()
              ? 'symlink'
              : 'other'
    const type = entry !== null && entry.type !== 'unknown' ? entry.type : byName.kind
    const disk = stat === undefined ? null : await diskFacts(peer, input.path as AbsPath, stat)
    const counts =
      input.count && known.below == null && stat?.isDirectory()
        ? await peer.operations.measure(input.path as AbsPath, { signal })
        : null
    return {
      path: displayPath(input.path),
      ...(isPlainUtf8(input.path) ? {} : { pathBytes: pathBytes(input.path).toString('base64') }),
      form,
      type: form === 'file' ? type : null,
      mime:
        form === 'file'
          ? mimeOfFile(name, type, Number(stat?.size ?? entry!.sizeBytes), known.content?.mime ?? null)
          : null,
      sizeBytes: stat === undefined ? entry!.sizeBytes : Number(stat.size),
      modifiedMs: Number((stat?.mtimeNs ?? entry!.mtimeNs) / 1_000_000n),
      mode: Number(stat?.mode ?? entry!.mode) & 0o7777,
      hash,
      cas: fresh ? (known.content?.cas ?? null) : null,
      copies: known.content?.copies ?? null,
      media: known.content?.media ?? null,
      below: known.below ?? null,
      counted: counts,
      disk,
      /** Things in the trash that were here or below. */
      inTrash,
      location: known.location ?? null,
      state:
        stat === undefined
          ? 'gone'
          : entry === null
            ? 'not indexed'
            : fresh
              ? 'indexed'
              : 'changed since it was indexed',
      excluded: entry !== null && (entry.flags & FLAG.EXCLUDED) !== 0,
      problem: known.problem ?? null,
      uuid: entry?.uuid ?? null,
      ...said
    }
  },
  command: {
    path: 'file info',
    arguments: [['<path>', 'file or folder, here or DEVICE:/path']],
    options: [
      ['--hash', 'read the file for its hash when that is not known'],
      ['--count', 'count what is in a folder that is not indexed'],
      ['--library <library>', 'another than the current library']
    ],
    examples: [
      'spacedrive file info photo.jpg',
      'spacedrive file info disk.img --hash',
      'spacedrive file info laptop:/home/ada/disk.img'
    ],
    input: ({ arguments: [p], options: o }, { cwd }) => ({
      path: typedPath(String(p), cwd),
      hash: o.hash === true,
      count: o.count === true,
      ...(o.library === undefined ? {} : { library: String(o.library) })
    }),
    render(f, terminal) {
      const row = (name: string, value: string | null): void =>
        void (value !== null && terminal.line(`${name.padEnd(12)} ${value}`))
      terminal.line(terminal.bold(f.path))
      row('kind', f.form === 'file' ? [f.type, f.mime].filter(v => v !== null).join(', ') : f.form)
      row(
        'size',
        f.below === null
          ? formatBytes(f.sizeBytes)
          : `${formatBytes(f.below.bytes)} in ${f.below.files.toLocaleString('en-US')} files and ${f.below.dirs.toLocaleString('en-US')} folders`
      )
      if (f.counted !== null) row('holds', `${formatBytes(f.counted.bytes)} in ${counted(f.counted.files, 'file')}`)
      row('modified', formatTime(f.modifiedMs))
      if (f.disk !== null) diskRows(f.disk, f.form, f.sizeBytes, row)
      row('mode', `0${f.mode.toString(8)}${f.disk === null ? '' : `, user ${f.disk.uid}, group ${f.disk.gid}`}`)
      row('BLAKE3', f.hash)
      row('sampled id', f.cas)
      row('copies', f.copies === null || f.copies < 2 ? null : `${f.copies} files have this content`)
      for (const [name, value] of mediaLines(f.media)) row(name, value)
      row('location', f.location === null ? null : `${f.location.name} (${f.location.id})`)
      row(
        'trash',
        f.inTrash === 0 ? null : `${counted(f.inTrash, 'thing')} that ${f.inTrash === 1 ? 'was' : 'were'} here`
      )
      row('index', `${f.state}${f.excluded ? ', left out by a rule' : ''}`)
      row('problem', f.problem === null ? null : `${f.problem.code}: ${f.problem.message}`)
      row('tags', f.tags.length === 0 ? null : f.tags.join(', '))
      row('labels', f.labels.length === 0 ? null : f.labels.join(', '))
      row('favourite', f.favorite ? 'yes' : null)
      row('hidden', f.hidden ? 'left out of searches; file note --no-hidden shows it again' : null)
      row('note', f.notes)
    }
  }
})

function diskRows(
  disk: DiskFacts,
  form: string,
  sizeBytes: number,
  row: (name: string, value: string | null) => void
): void {
  row('created', disk.createdMs === null ? null : formatTime(disk.createdMs))
  row('leads to', disk.target)
  row('on disk', form === 'file' && disk.allocatedBytes < sizeBytes ? formatBytes(disk.allocatedBytes) : null)
  row('names', form === 'file' && disk.links > 1 ? `${disk.links} of this one file (hard links)` : null)
  row('volume', disk.volume === null ? null : `${disk.volume.name} (${disk.volume.fileSystem})`)
}

/** What a picture, film or piece of music says of itself, a line each: `taken`, `camera`, `place`. */
function mediaLines(media: unknown): [string, string][] {
  const { width, height, durationMs, latitude, longitude, camera, takenAt, ...rest } = (media ?? {}) as MediaFacts
  const lines: [string, string | undefined][] = [
    ['dimensions', width === undefined ? undefined : `${width} x ${height} pixels`],
    ['duration', durationMs === undefined ? undefined : `${(durationMs / 1000).toFixed(1)} s`],
    ['taken', takenAt?.replace('T', ' ')],
    [
      'place',
      latitude === undefined || longitude === undefined ? undefined : `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`
    ],
    ['camera', camera === undefined ? undefined : Object.values(camera).join(', ')],
    ...Object.entries(rest).map(([name, value]): [string, string] => [name, String(value)])
  ]
  return lines.filter((line): line is [string, string] => line[1] !== undefined)
}
