import { z } from 'zod'
import { counted } from './file-text.js'
import { formatBytes, formatTime } from './format.js'
import { shortId } from './job-text.js'
import { wholeNumber } from './number-option.js'
import { defineOperation } from './operation.js'
import { parseMoment } from './when.js'

/** Paths shown of one operation; the rest is in JSON. */
const SHOWN_PATHS = 3

const MAX_TAIL = 10_000

const COLORS = { problems: 'yellow', failed: 'red', refused: 'red', cancelled: 'yellow', running: 'cyan' } as const

export const systemAudit = defineOperation({
  name: 'system.audit',
  summary: 'What changed files here: when, by which command, how it ended',
  input: z.strictObject({
    tail: z.number().int().min(1).max(MAX_TAIL).default(50),
    sinceMs: z.number().int().optional(),
    command: z.string().optional()
  }),
  async run({ peer }, input) {
    return { records: peer.audit.list(input) }
  },
  command: {
    path: 'system audit',
    options: [
      ['--tail <n>', 'the newest so many (50)'],
      ['--since <time>', '2h, 3d, 2026-03-01'],
      ['--command <command>', 'file.delete, or file for all of that word']
    ],
    examples: ['spacedrive system audit --since 1d', 'spacedrive system audit --command file.delete --tail 500'],
    input: ({ options: o }) => ({
      ...(o.tail === undefined ? {} : { tail: wholeNumber(o.tail, '--tail', 1, MAX_TAIL) }),
      ...(o.since === undefined ? {} : { sinceMs: parseMoment(String(o.since), '--since', Date.now()) }),
      ...(o.command === undefined ? {} : { command: String(o.command).replaceAll(' ', '.') })
    }),
    render({ records }, terminal) {
      if (records.length === 0) terminal.line('Nothing is recorded.')
      for (const r of records) {
        const color = COLORS[r.outcome as keyof typeof COLORS]
        const outcome = color === undefined ? r.outcome : terminal.color(color, r.outcome)
        const figures = [
          r.files > 0 ? counted(r.files, 'file') : '',
          r.bytes > 0 ? formatBytes(r.bytes) : '',
          r.problems > 0 ? counted(r.problems, 'problem') : '',
          r.job === null ? '' : `job ${shortId(r.job)}`,
          r.origin === 'this device' ? '' : `from ${r.origin}`
        ].filter(Boolean)
        const tail = figures.length === 0 ? '' : `  ${terminal.dim(figures.join(', '))}`
        terminal.line(
          `${terminal.dim(formatTime(r.atMs))}  ${terminal.bold(r.command.replaceAll('.', ' '))}  ${outcome}${tail}`
        )
        for (const path of r.paths.slice(0, SHOWN_PATHS)) terminal.line(`    ${path}`)
        const more = r.pathCount - Math.min(SHOWN_PATHS, r.paths.length)
        if (more > 0) terminal.line(`    and ${more.toLocaleString('en-US')} more`)
        if (r.error !== null) terminal.line(`    ${r.error.message}`)
      }
    }
  }
})
