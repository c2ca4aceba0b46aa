/** What `sync run` and `sync plan` say: DESIGN 11, one shape for people and programs. */
import type { PlanSummary, RunReport } from '../../sync/session/index.js'
import { counted } from './file-text.js'
import { formatBytes } from './format.js'
import type { Terminal } from './operation.js'

export function planText({ totals }: PlanSummary): string {
  const { source, destination } = totals
  const both = (pick: (end: typeof source) => number): number => pick(source) + pick(destination)
  const parts = [
    [both(e => e.created), 'to create', 'to create'],
    [both(e => e.replaced), 'to replace', 'to replace'],
    [both(e => e.removed), 'to delete', 'to delete'],
    [both(e => e.moved), 'to rename', 'to rename'],
    [both(e => e.directoriesMade), 'folder to make', 'folders to make'],
    [both(e => e.directoriesRemoved), 'folder to remove', 'folders to remove'],
    [both(e => e.attributes), 'permission or time to set', 'permissions or times to set']
  ] as const
  const said = parts.filter(([n]) => n > 0).map(([n, one, many]) => counted(n, one, many))
  // Of deletions the bytes are not counted: those are what is to be written.
  const bytes = both(e => e.bytes)
  return said.length === 0 ? 'nothing to do' : `${said.join(', ')}${bytes === 0 ? '' : ` (${formatBytes(bytes)})`}`
}

/** Problems shown one by one on a terminal; `--json` has them all. */
const SHOWN = 20

export function showRun(view: RunReport, terminal: Terminal): void {
  if (view.state === 'halted') {
    const untouched = view.operations === 0 ? ', and nothing was changed' : ''
    terminal.line(`Halted${untouched}: ${(view.halts ?? []).join('; ')}.`)
    if (view.hint !== undefined) terminal.line(view.hint)
    return
  }
  if (view.state === 'cancelled') {
    terminal.line(`Cancelled after ${view.operations.toLocaleString('en')} done; the next run goes on.`)
    return
  }
  if (view.state === 'waiting') {
    const after = view.operations === 0 ? '' : ` after ${view.operations.toLocaleString('en')} done`
    terminal.line(`Waiting${after}: ${(view.halts ?? []).join('; ')}.`)
    if (view.hint !== undefined) terminal.line(view.hint)
    return
  }
  const done = `${view.operations.toLocaleString('en')} done, ${formatBytes(view.bytesTransferred)}`
  terminal.line(view.state === 'converged' ? `In step: ${done}.` : `${done}, but not all:`)
  showRemarks(view, terminal)
  for (const note of view.notes ?? []) terminal.line(`${note}.`)
}

/** What stays as it is, or was settled, path by path. */
export function showRemarks(
  { conflicts, problems }: Pick<RunReport, 'conflicts' | 'problems'>,
  terminal: Terminal
): void {
  for (const { path, resolution, copy } of conflicts.slice(0, SHOWN))
    terminal.line(`  conflict  ${path}: ${resolution}${copy === undefined ? '' : `, the other is ${copy}`}`)
  for (const { message } of problems.slice(0, SHOWN)) terminal.line(`  ${message}`)
  const more = [conflicts, problems].reduce((sum, list) => sum + Math.max(0, list.length - SHOWN), 0)
  if (more > 0) terminal.line(`  and ${more} more`)
}
