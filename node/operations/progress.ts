import type { ProgressFields } from '../../storage/base/index.js'
import { formatBytes, formatDuration, formatRate } from './format.js'
import type { Terminal } from './operation.js'

const BAR_CELLS = 20

/**
 * `Copying  ████████░░░░░░░░░░░░  41 %  15 s left  2 problems  1,234 of 3,000 files  1.20 GiB of 2.90 GiB  118 MiB/s`: what matters
 * first, for a narrow terminal cuts the end.
 */
export function progressLine(p: ProgressFields, terminal: Terminal): string {
  const share = shareOf(p)
  const parts = [terminal.bold(p.phase)]
  if (share !== undefined) parts.push(bar(share), `${String(Math.floor(share * 100)).padStart(3)} %`)
  if (typeof p.remainingMs === 'number') parts.push(`${formatDuration(p.remainingMs)} left`)
  if (p.problems !== undefined && p.problems > 0) parts.push(terminal.color('yellow', problems(p.problems)))
  if (p.doneFiles > 0 || p.totalFiles !== null)
    parts.push(`${count(p.doneFiles, p.totalFiles)} ${(p.totalFiles ?? p.doneFiles) === 1 ? 'file' : 'files'}`)
  if (p.doneBytes > 0 || (p.totalBytes ?? 0) > 0) parts.push(bytes(p.doneBytes, p.totalBytes))
  if (p.bytesPerSecond !== undefined && p.bytesPerSecond > 0) parts.push(formatRate(p.bytesPerSecond))
  if (p.message !== undefined && p.message !== '') parts.push(terminal.dim(p.message))
  return parts.join('  ')
}

/** What opening, placing or recording one file takes, in bytes that could be read or written in that time. */
const FILE_BYTES = 64 * 1024

/** By files and bytes together: of ten thousand small files and one large one neither alone tells how far it is. Undefined while the total is not known. */
export function shareOf({ doneFiles, totalFiles, doneBytes, totalBytes }: ProgressFields): number | undefined {
  const files = totalFiles ?? 0
  const bytes = totalBytes ?? 0
  if (files === 0 && bytes === 0) return undefined
  const done = (files > 0 ? doneFiles * FILE_BYTES : 0) + (bytes > 0 ? doneBytes : 0)
  return Math.min(1, done / (files * FILE_BYTES + bytes))
}

/** Most messages name their path already: `could not copy a/b: permission denied`. */
export const problemLine = ({ path, message }: { readonly path: string; readonly message: string }): string =>
  message.includes(` ${path}: `) ? message : `${path}: ${message}`

export function problems(n: number): string {
  return n === 1 ? '1 problem' : `${number(n)} problems`
}

function bar(share: number): string {
  const full = Math.floor(share * BAR_CELLS)
  return '█'.repeat(full) + '░'.repeat(BAR_CELLS - full)
}

function count(done: number, total: number | null): string {
  return total === null ? number(done) : `${number(done)} of ${number(total)}`
}

function bytes(done: number, total: number | null): string {
  return total === null ? formatBytes(done) : `${formatBytes(done)} of ${formatBytes(total)}`
}

const number = (n: number): string => n.toLocaleString('en-US')
