import { z } from 'zod'
import type { AbsPath } from '../../storage/base/index.js'
import type { TrashEntry } from '../../storage/trash/index.js'
import { counted, pathFields } from './file-text.js'
import { formatBytes, formatTime } from './format.js'
import { jobAnywhere } from './job-text.js'
import { limitOption } from './number-option.js'
import { defineOperation } from './operation.js'
import { resolveTyped } from './typed-path.js'

const MAX_LIMIT = 10_000

export const fileTrashList = defineOperation({
  name: 'file.trash.list',
  summary: 'What was deleted or replaced and can be had back',
  input: z.strictObject({
    /** Only what was there or below it. */
    path: z.string().startsWith('/').optional(),
    job: z.string().optional(),
    limit: z.number().int().min(1).max(MAX_LIMIT).default(50),
    offset: z.number().int().min(0).default(0)
  }),
  async run({ peer, signal }, { path, job, limit, offset }) {
    const filter = {
      path: path as AbsPath | undefined,
      job: job === undefined ? undefined : jobAnywhere(peer, job)
    }
    const { entries, totals } = await peer.trash.list(filter, { limit, offset, signal })
    return { entries: entries.map(entryView), totals, keptDays: peer.config.trash.days }
  },
  command: {
    path: 'file trash list',
    arguments: [['[path]', 'only what was at this place or below it']],
    options: [
      ['--job <job>', 'only what this job threw away'],
      ['--limit <n>', 'the newest so many (50)']
    ],
    examples: ['spacedrive file trash list', 'spacedrive file trash list ~/Documents --limit 500'],
    input: ({ arguments: [path], options: o }, { cwd }) => ({
      ...(path === undefined ? {} : { path: resolveTyped(cwd, String(path)) }),
      ...(o.job === undefined ? {} : { job: String(o.job) }),
      ...limitOption(o.limit, MAX_LIMIT)
    }),
    render({ entries, totals, keptDays }, terminal) {
      if (entries.length === 0) {
        terminal.line('The trash is empty.')
        return
      }
      terminal.table(
        entries.map(e => ({
          ID: e.id,
          DELETED: formatTime(e.deletedMs),
          SIZE: formatBytes(e.bytes),
          FILES: e.kind === 'directory' ? e.files : '',
          WAS: `${e.path}${e.kind === 'directory' ? '/' : ''}${e.place === null ? '  (its volume is away)' : ''}`
        }))
      )
      const { items, files, bytes } = totals
      const shown = items > entries.length ? ` (the newest ${entries.length} are shown)` : ''
      terminal.note(`${counted(items, 'thing')} with ${counted(files, 'file')}, ${formatBytes(bytes)}${shown}.`)
      terminal.note(`Kept for ${keptDays} days. \`spacedrive file trash restore ID\` brings one back.`)
    }
  }
})

/** One thing in the trash, as plain values. */
export function entryView(entry: TrashEntry) {
  return {
    id: entry.id,
    ...pathFields(entry.path),
    kind: entry.kind,
    files: entry.files,
    bytes: entry.bytes,
    deletedMs: entry.deletedAtMs,
    command: entry.command,
    job: entry.job,
    place: entry.bin === null ? null : pathFields(entry.bin).path
  }
}
