import type { PreviewLine } from '../../sync/copy/index.js'
import type { CopyAnswer } from './file-copy.js'
import { showProblems } from './file-text.js'
import { formatBytes, formatDuration } from './format.js'
import { shortId } from './job-text.js'
import type { Terminal } from './operation.js'
import { problems } from './progress.js'

const WORDS = {
  'make-folder': 'make folder',
  copy: 'copy       ',
  replace: 'replace    ',
  link: 'link       ',
  rename: 'rename     ',
  attributes: 'mode, time ',
  skip: 'skip       ',
  ask: 'ask        '
} as const

/** One line of a dry run. */
export function previewText({ action, path, bytes, reason }: PreviewLine): string {
  const more = [bytes !== undefined && bytes > 0 ? formatBytes(bytes) : '', reason ?? ''].filter(Boolean).join(', ')
  return `${WORDS[action]}  ${path}${more === '' ? '' : `  (${more})`}`
}

/** What a copy or a move came to, in a few lines. */
export function copyResult(operation: 'copy' | 'move', answer: CopyAnswer, terminal: Terminal): void {
  const { preview, result } = answer
  if (preview !== null) {
    const parts = [
      `${count(preview.files, 'file')} (${formatBytes(preview.bytes)})`,
      count(preview.folders, 'new folder'),
      preview.renames > 0 ? `${count(preview.renames, 'rename')}` : '',
      preview.replaced > 0 ? `${preview.replaced} replaced` : '',
      preview.same > 0 ? `${number(preview.same)} already there` : '',
      preview.skipped > 0 ? `${number(preview.skipped)} left alone` : '',
      preview.conflicts > 0 ? `${number(preview.conflicts)} to be asked about` : '',
      preview.problems > 0 ? problems(preview.problems) : ''
    ]
    terminal.line(`Would ${operation} ${parts.filter(Boolean).join(', ')}. Nothing was done.`)
    return
  }
  if (answer.conflicts > 0) {
    const id = shortId(answer.job ?? '')
    terminal.line(
      `${count(answer.conflicts, 'file')} with other content exist there and wait for an answer (job ${id}).`
    )
    terminal.line(
      `See them with \`spacedrive job info ${id}\`, answer with \`spacedrive job resume ${id} --answer replace|skip|skip-newer\`.`
    )
  }
  if (result === null) return
  const done = operation === 'copy' ? 'Copied' : 'Moved'
  const parts = [
    result.renamed > 0 ? `${count(result.renamed, 'item')} by a rename` : '',
    result.copied > 0 || result.renamed === 0
      ? `${count(result.copied, 'file')} (${formatBytes(result.copiedBytes)})`
      : '',
    result.replaced > 0 ? `${number(result.replaced)} of them replaced others` : '',
    result.resumedBytes > 0 ? `${formatBytes(result.resumedBytes)} of it copied before it was cut short` : '',
    result.same > 0 ? `${number(result.same)} ${result.same === 1 ? 'was' : 'were'} there already` : '',
    result.skipped.exists > 0 ? `${number(result.skipped.exists)} left alone: another file exists` : '',
    result.skipped.newer > 0 ? `${number(result.skipped.newer)} left alone: what is there is not older` : ''
  ]
  terminal.line(`${done} ${parts.filter(Boolean).join(', ')} in ${formatDuration(result.durationMs)}.`)
  for (const note of result.notes) terminal.line(note)
  if (answer.unasked && result.skipped.exists > 0) {
    terminal.line('Say --overwrite replace, skip or skip-newer to decide about files that exist.')
  }
  showProblems(answer.problemList, answer.problems, terminal)
  if (answer.problems > answer.problemList.length)
    terminal.note(`All of them: \`spacedrive job info ${shortId(answer.job ?? '')}\`.`)
}

const number = (n: number): string => n.toLocaleString('en-US')
const count = (n: number, what: string): string => `${number(n)} ${what}${n === 1 ? '' : 's'}`
