import { z } from 'zod'
import {
  type AbsPath,
  comparePaths,
  displayPath,
  isPlainUtf8,
  nameOf,
  pathBytes,
  type RelPath,
  ROOT
} from '../../storage/base/index.js'
import { isNamedPath, namedPath, typedPath } from './device-path.js'
import { formatBytes, formatTime } from './format.js'
import { defineOperation, type OperationContext } from './operation.js'

/** Entries in one answer; a program asks for the next with `after`. */
const MAX_ENTRIES = 10_000

export const fileList = defineOperation({
  name: 'file.list',
  summary: 'What is in a folder, indexed or not',
  input: z.strictObject({
    path: z.string().refine(isNamedPath, 'expected an absolute path, or DEVICE:/path'),
    limit: z.number().int().min(1).max(MAX_ENTRIES).default(MAX_ENTRIES),
    /** Names up to this one are left out: the last of the page before. */
    after: z.string().optional()
  }),
  async run({ peer, signal }, { path, limit, after }) {
    const { entries, more } = await listed({ peer, signal }, path, { limit, after })
    return {
      path: displayPath(path),
      entries: entries.map(({ name, stat, link }) => ({
        name: displayPath(name),
        ...(isPlainUtf8(name) ? {} : { nameBytes: pathBytes(name).toString('base64') }),
        kind: stat.kind,
        sizeBytes: stat.sizeBytes,
        modifiedMs: Number(stat.mtimeNs / 1_000_000n),
        mode: stat.mode & 0o7777,
        ...(link === undefined ? {} : { link: displayPath(link as RelPath) })
      })),
      more
    }
  },
  command: {
    path: 'file list',
    arguments: [['[path]', 'the folder (this one), or DEVICE:/path']],
    examples: [
      'spacedrive file list ~/Photos',
      'spacedrive file list --json /media/stick',
      'spacedrive file list laptop:/home/ada/Photos'
    ],
    input: ({ arguments: [p] }, { cwd }) => ({ path: typedPath(String(p ?? '.'), cwd) }),
    render({ entries, more }, terminal) {
      terminal.table(
        entries.map(e => ({
          MODE: `${KIND_LETTERS[e.kind]}${e.mode.toString(8).padStart(4, '0')}`,
          SIZE: e.kind === 'file' ? formatBytes(e.sizeBytes) : '',
          MODIFIED: formatTime(e.modifiedMs),
          NAME: e.name + (e.kind === 'directory' ? '/' : e.link === undefined ? '' : ` -> ${e.link}`)
        }))
      )
      if (more) terminal.note(`There are more than ${entries.length}: a program asks for the next ones with "after".`)
    }
  }
})

/** A page of a folder here, or of one that a paired device has granted to this one. */
async function listed(
  { peer, signal }: Pick<OperationContext, 'peer' | 'signal'>,
  text: string,
  { limit, after }: { limit: number; after: string | undefined }
) {
  const { device, path } = namedPath(text)
  if (device === undefined) {
    const { listFolder } = await import('../../sync/copy/index.js')
    return listFolder(peer, path as AbsPath, { limit, after, signal })
  }
  const endpoint = await peer.replicas.connect(peer.devices.resolve(device).id, path, 'read', { signal })
  try {
    const entries = []
    for await (const page of endpoint.list(ROOT, { signal })) {
      for (const { path: name, stat, target } of page.entries) {
        if (after !== undefined && comparePaths(name, after) <= 0) continue
        if (entries.length === limit) return { entries, more: true }
        entries.push({ name: nameOf(name), stat, link: target })
      }
    }
    return { entries, more: false }
  } finally {
    await endpoint.close()
  }
}

const KIND_LETTERS = { file: '-', directory: 'd', symlink: 'l', other: '?' } as const
