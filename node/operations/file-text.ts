import { displayPath, isPlainUtf8, type Problem, pathBytes } from '../../storage/base/index.js'
import type { Terminal } from './operation.js'
import { problemLine, problems as problemsText } from './progress.js'
import { resolveTyped } from './typed-path.js'

/** Of a list for a person; all are in JSON and in `job info`. */
const SHOWN = 20

/** A path in an answer: escaped, and its bytes where that is not exact. */
export function pathFields(path: string): { path: string; pathBytes?: string } {
  const shown = displayPath(path)
  return isPlainUtf8(path) ? { path: shown } : { path: shown, pathBytes: pathBytes(path).toString('base64') }
}

/** Typed paths, absolute. */
export function typedPaths(typed: unknown, cwd: string): string[] {
  return ((typed ?? []) as readonly string[]).map(path => resolveTyped(cwd, path))
}

export const counted = (n: number, one: string, many = `${one}s`): string =>
  n === 1 ? `1 ${one}` : `${n.toLocaleString('en-US')} ${many}`

/** Problems, the first of them. */
export function showProblems(list: readonly Problem[], count: number, terminal: Terminal): void {
  if (count === 0) return
  terminal.note(terminal.color('yellow', `${problemsText(count)}:`))
  for (const p of list.slice(0, SHOWN)) terminal.note(`  ${problemLine(p)}`)
  if (count > Math.min(SHOWN, list.length)) terminal.note(`  and ${count - Math.min(SHOWN, list.length)} more`)
}

/** Lines of a list, the first of them. @param count - of all there are */
export function showList(lines: readonly string[], terminal: Terminal, count = lines.length): void {
  for (const line of lines.slice(0, SHOWN)) terminal.line(`  ${line}`)
  const more = count - Math.min(SHOWN, lines.length)
  if (more > 0) terminal.line(`  and ${more.toLocaleString('en-US')} more`)
}
