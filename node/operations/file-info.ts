import { lstat } from 'node:fs/promises'
import { resolve } from 'node:path'
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
import { formatBytes, formatTime } from './format.js'
import { defineOperation } from './operation.js'
import { targetAt } from './tags.js'

const path = z.string().startsWith('/')

export const fileInfo = defineOperation({
  name: 'file.info',
  summary: 'What is known of a file or folder: kind, hash, location, tags, state in the index',
  input: z.strictObject({ path, hash: z.boolean().default(false), library: z.string().optional() }),
  async run({ peer, signal }, input) {
    const { describing, FLAG } = await import('../../storage/entries/index.js')
    const { typeOfName } = await import('../../storage/file-types/index.js')
    const open = input.library === undefined ? peer.libraries.findCurrent() : peer.libraries.get(input.library)
    const stat = await lstat(fsPath(input.path), { bigint: true }).catch(err => {
      if (hasCode(err, 'ENOENT', 'ENOTDIR')) return undefined
      throw new SpacedriveError(errorCode(err), `could not look at ${displayPath(input.path)}`, { cause: err })
    })
    const known =
      open === undefined
        ? undefined
        : await peer.pool.run(
            describing.describe,
            { databaseFile: open.database.file, host: open.host, path: input.path as AbsPath },
            { signal }
          )
    const entry = known?.entry ?? null
    if (stat === undefined && entry === null)
      throw new SpacedriveError('NOT_FOUND', `there is no ${displayPath(input.path)}`)
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
    const byName = typeOfName(input.path.slice(input.path.lastIndexOf('/') + 1))
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
    return {
      path: displayPath(input.path),
      ...(isPlainUtf8(input.path) ? {} : { pathBytes: pathBytes(input.path).toString('base64') }),
      form,
      type: form !== 'file' ? null : entry !== null && entry.type !== 'unknown' ? entry.type : byName.kind,
      mime: form !== 'file' ? null : (known?.content?.mime ?? byName.mime ?? null),
      sizeBytes: stat === undefined ? entry!.sizeBytes : Number(stat.size),
      modifiedMs: Number((stat?.mtimeNs ?? entry!.mtimeNs) / 1_000_000n),
      mode: Number(stat?.mode ?? entry!.mode) & 0o7777,
      hash,
      cas: fresh ? (known?.content?.cas ?? null) : null,
      copies: known?.content?.copies ?? null,
      media: known?.content?.media ?? null,
      below: known?.below ?? null,
      location: known?.location ?? null,
      state:
        stat === undefined
          ? 'gone'
          : entry === null
            ? 'not indexed'
            : fresh
              ? 'indexed'
              : 'changed since it was indexed',
      excluded: entry !== null && (entry.flags & FLAG.EXCLUDED) !== 0,
      problem: known?.problem ?? null,
      uuid: entry?.uuid ?? null,
      ...(known?.said ?? { tags: [], labels: [], notes: null, favorite: false })
    }
  },
  command: {
    path: 'file info',
    arguments: [['<path>', 'file or folder']],
    options: [
      ['--hash', 'read the file for its hash when that is not known'],
      ['--library <library>', 'another than the current library']
    ],
    examples: ['spacedrive file info photo.jpg', 'spacedrive file info disk.img --hash'],
    input: ({ arguments: [p], options: o }, { cwd }) => ({
      path: resolve(cwd, String(p)),
      hash: o.hash === true,
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
      row('modified', formatTime(f.modifiedMs))
      row('mode', `0${f.mode.toString(8)}`)
      row('BLAKE3', f.hash)
      row('sampled id', f.cas)
      row('copies', f.copies === null || f.copies < 2 ? null : `${f.copies} files have this content`)
      row('media', f.media === null ? null : JSON.stringify(f.media))
      row('location', f.location === null ? null : `${f.location.name} (${f.location.id})`)
      row('index', `${f.state}${f.excluded ? ', left out by a rule' : ''}`)
      row('problem', f.problem === null ? null : `${f.problem.code}: ${f.problem.message}`)
      row('tags', f.tags.length === 0 ? null : f.tags.join(', '))
      row('favourite', f.favorite ? 'yes' : null)
      row('note', f.notes)
    }
  }
})

export const fileNote = defineOperation({
  name: 'file.note',
  summary: 'Write a note on a file or folder, or mark it as a favourite',
  input: z.strictObject({
    path,
    notes: z.string().nullable().optional(),
    favorite: z.boolean().optional(),
    library: z.string().optional()
  }),
  async run({ peer }, { path, notes, favorite, library }) {
    const { annotating } = await import('../../storage/entries/index.js')
    const open = library === undefined ? peer.libraries.current() : peer.libraries.get(library)
    const said = { ...(notes === undefined ? {} : { notes }), ...(favorite === undefined ? {} : { favorite }) }
    const target = await targetAt(path)
    await open.database.write(annotating.say, { host: open.host, nowMs: peer.clock.nowMs(), target, ...said })
    return { path: displayPath(path), ...said }
  },
  command: {
    path: 'file note',
    arguments: [
      ['<path>', 'file or folder'],
      ['[text]', 'the note']
    ],
    options: [
      ['--clear', 'take the note away'],
      ['--favorite', 'mark it as a favourite'],
      ['--no-favorite', 'no favourite any more'],
      ['--library <library>', 'another than the current library']
    ],
    examples: ['spacedrive file note contract.pdf "signed on Monday"', 'spacedrive file note song.flac --favorite'],
    input({ arguments: [p, text], options: o }, { cwd }) {
      const notes = o.clear === true ? null : text === undefined ? undefined : String(text)
      if (notes === undefined && o.favorite === undefined)
        throw new SpacedriveError('USAGE', 'nothing to say', {
          hint: 'Give a text, --clear, --favorite or --no-favorite.'
        })
      return {
        path: resolve(cwd, String(p)),
        ...(notes === undefined ? {} : { notes }),
        ...(o.favorite === undefined ? {} : { favorite: o.favorite === true }),
        ...(o.library === undefined ? {} : { library: String(o.library) })
      }
    },
    render: ({ path }, terminal) => terminal.line(`Noted on ${path}`)
  }
})
