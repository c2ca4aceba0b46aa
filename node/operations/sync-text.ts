/** What `sync run` and `sync plan` say: DESIGN 11, one shape for people and programs. */
import { displayPath } from '../../storage/base/index.js'
import type { Halt } from '../../sync/reconcile/index.js'
import type { PlanSummary, SessionOutcome } from '../../sync/session/index.js'
import { counted } from './file-text.js'
import { formatBytes } from './format.js'
import type { Terminal } from './operation.js'

export type RunState = 'converged' | 'conflicts' | 'problems' | 'halted'

export interface SyncRunView {
  readonly sync: string
  readonly state: RunState
  readonly reason?: string
  readonly planHash: string
  readonly operations: number
  readonly bytesTransferred: number
  readonly conflicts: readonly { path: string; resolution: string; copy?: string }[]
  readonly problems: readonly { path: string; code: string; message: string }[]
  readonly durationMs: number
  /** Why a guard stopped it, in words. */
  readonly halts?: readonly string[]
}

export function runView(
  sync: string,
  outcome: Extract<SessionOutcome, { state: 'done' | 'halted' }>,
  durationMs: number
): SyncRunView {
  const { plan } = outcome
  if (outcome.state === 'halted') {
    return {
      ...{ sync, state: 'halted', reason: outcome.halts[0]!.reason, planHash: plan.hash, operations: 0 },
      ...{ bytesTransferred: 0, conflicts: [], problems: [], durationMs, halts: outcome.halts.map(haltText) }
    }
  }
  const conflicts = outcome.remarks.flatMap(r =>
    r.row === 'conflict'
      ? [
          {
            ...{ path: displayPath(r.path), resolution: r.resolution },
            ...(r.copy !== undefined && { copy: displayPath(r.copy) })
          }
        ]
      : []
  )
  const planned = outcome.remarks.flatMap(r =>
    r.row === 'problem' ? [{ path: displayPath(r.path), code: r.code.toUpperCase(), message: r.message }] : []
  )
  const problems = [...planned, ...outcome.result.problems.map(({ path, code, message }) => ({ path, code, message }))]
  const waiting = conflicts.some(c => c.resolution === 'waiting')
  const state = problems.length > 0 ? 'problems' : waiting ? 'conflicts' : 'converged'
  return {
    ...{ sync, state, planHash: plan.hash, operations: outcome.result.operations },
    ...{ bytesTransferred: outcome.result.bytes, conflicts, problems, durationMs }
  }
}

export function haltText(halt: Halt): string {
  switch (halt.reason) {
    case 'too-many-deletions':
      return `${halt.count} of ${halt.of} files at the ${halt.end} would be gone`
    case 'too-many-replacements':
      return `${halt.count} of ${halt.of} files at the ${halt.end} would get other content`
    case 'root-emptied':
      return `the ${halt.end} held ${counted(halt.of, 'thing')} and is empty now`
    default:
      return `a first mirror would delete or replace ${counted(halt.count, 'thing')} at the ${halt.end}`
  }
}

export function planText({ totals }: PlanSummary): string {
  const { source, destination } = totals
  const both = (pick: (end: typeof source) => number): number => pick(source) + pick(destination)
  const parts = [
    [both(e => e.created), 'to create'],
    [both(e => e.replaced), 'to replace'],
    [both(e => e.removed), 'to delete'],
    [both(e => e.moved), 'to rename'],
    [both(e => e.directoriesMade), 'folders to make'],
    [both(e => e.directoriesRemoved), 'folders to remove'],
    [both(e => e.attributes), 'permissions or times to set']
  ] as const
  const said = parts.filter(([n]) => n > 0).map(([n, what]) => `${n.toLocaleString('en')} ${what}`)
  return said.length === 0 ? 'nothing to do' : `${said.join(', ')} (${formatBytes(both(e => e.bytes))})`
}

/** Problems shown one by one on a terminal; `--json` has them all. */
const SHOWN = 20

export function showRun(view: SyncRunView, terminal: Terminal): void {
  if (view.state === 'halted') {
    terminal.line(`Halted, and nothing was changed: ${(view.halts ?? []).join('; ')}.`)
    terminal.line(`If that is meant: spacedrive sync run ${view.sync} --force`)
    return
  }
  const done = `${view.operations.toLocaleString('en')} done, ${formatBytes(view.bytesTransferred)}`
  terminal.line(view.state === 'converged' ? `In step: ${done}.` : `${done}, but not all:`)
  for (const { path, resolution, copy } of view.conflicts.slice(0, SHOWN))
    terminal.line(`  conflict  ${path}: ${resolution}${copy === undefined ? '' : `, the other is ${copy}`}`)
  for (const { message } of view.problems.slice(0, SHOWN)) terminal.line(`  ${message}`)
  const more = view.conflicts.length + view.problems.length - 2 * SHOWN
  if (more > 0) terminal.line(`  and ${more} more`)
}
