import { resolve } from 'node:path'
import { z } from 'zod'
import { type AbsPath, displayPath, isPlainUtf8, pathBytes, type RelPath } from '../../storage/base/index.js'
import { formatBytes, formatTime } from './format.js'
import { defineOperation } from './operation.js'

/** Entries in one answer; a program asks for the next with `after`. */
const MAX_ENTRIES = 10_000

export const fileList = defineOperation({
  name: 'file.list',
  summary: 'What is in a folder, indexed or not',
  input: z.strictObject({
    path: z.string().startsWith('/', 'expected an absolute path'),
    limit: z.number().int().min(1).max(MAX_ENTRIES).default(MAX_ENTRIES),
    /** Names up to this one are left out: the last of the page before. */
    after: z.string().optional()
  }),
  async run({ peer, signal }, { path, limit, after }) {
    const { listFolder } = await import('../../sync/copy/index.js')
    const { entries, more } = await listFolder(peer, path as AbsPath, { limit, after, signal })
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
    arguments: [['[path]', 'the folder (this one)']],
    examples: ['spacedrive file list ~/Photos', 'spacedrive file list --json /media/stick'],
    input: ({ arguments: [p] }, { cwd }) => ({ path: resolve(cwd, String(p ?? '.')) }),
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

const KIND_LETTERS = { file: '-', directory: 'd', symlink: 'l', other: '?' } as const
