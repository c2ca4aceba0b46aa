/** What a run came to: DESIGN 11, one shape for people and programs. Stored with the run. */
import { displayPath, typed } from '../../storage/base/index.js'
import { type Halt, otherEnd } from '../reconcile/index.js'
import type { Remark } from './plan-file.js'
import type { Sync } from './record.js'
import type { SessionOutcome } from './session.js'

export type RunState = 'converged' | 'conflicts' | 'problems' | 'halted' | 'waiting' | 'cancelled' | 'failed'

export interface RunReport {
  readonly sync: string
  readonly state: RunState
  /** Of `halted`: which guard; of `failed`: the code of what ended it. */
  readonly reason?: string
  readonly planHash?: string
  readonly operations: number
  readonly bytesTransferred: number
  readonly conflicts: readonly { path: string; resolution: string; copy?: string }[]
  readonly problems: readonly { path: string; code: string; message: string }[]
  readonly durationMs: number
  /** Why a guard stopped it, in words. */
  readonly halts?: readonly string[]
  /** What a person can do about it. */
  readonly hint?: string
  /** It carried rules over, which the next session goes by. */
  readonly rulesChanged?: boolean
  /** Files that the rules leave out at the ends, where that was counted. */
  readonly ignored?: { readonly files: number; readonly of: number }
  /** What a person should know beside the state. */
  readonly notes?: readonly string[]
}

/** How sessions end that say something of the state of their sync. */
export type Ended = Extract<SessionOutcome, { state: 'done' | 'halted' | 'refused' }>

/** What is said of a sync that a guard stopped. */
export type ReportedSync = Pick<Sync, 'name' | 'source' | 'destination'>

/** The ways on from guards that count: it was meant, or what went is brought back from the other end, which has it still. */
function meantHint(sync: ReportedSync, halts: readonly Halt[]): string {
  const name = typed(sync.name)
  const meant = `What it would do: spacedrive sync plan ${name}. If that is meant: spacedrive sync run ${name} --force`
  const [first] = halts
  if (first === undefined || first.reason === 'first-mirror') return meant
  const at = first.reason === 'root-emptied' ? first.end : otherEnd(first.end)
  const what = first.reason === 'too-many-replacements' ? 'what was replaced' : 'what is missing'
  // At another device a person there brings it back.
  const how = sync[at].device === null ? `: spacedrive sync restore ${name} --to ${at}` : ' there'
  return `${meant}. If not, bring back ${what} at the ${at}${how}`
}

const NOTHING = { operations: 0, bytesTransferred: 0, conflicts: [], problems: [] } as const

export function reportOf(of: ReportedSync, outcome: Ended, durationMs: number): RunReport {
  const { name: sync } = of
  if (outcome.state === 'refused') {
    const { reason, message, hint } = outcome.guard
    return {
      sync,
      state: 'halted',
      reason,
      ...NOTHING,
      durationMs,
      halts: [message],
      hint: hint.replace('NAME', typed(sync))
    }
  }
  const { plan } = outcome
  if (outcome.state === 'halted') {
    return {
      ...{ sync, state: 'halted', reason: outcome.halts[0]!.reason, planHash: plan.hash, ...NOTHING, durationMs },
      ...{ halts: outcome.halts.map(haltText), hint: meantHint(of, outcome.halts) }
    }
  }
  const { conflicts, problems: planned } = remarksTold(outcome.remarks)
  const problems = [...planned, ...outcome.result.problems.map(({ path, code, message }) => ({ path, code, message }))]
  const waiting = conflicts.some(c => c.resolution === 'waiting')
  const broken = problems.find(isDiskError)
  if (broken !== undefined) {
    return {
      ...{ sync, state: 'halted', reason: 'disk-errors', planHash: plan.hash, operations: outcome.result.operations },
      ...{ bytesTransferred: outcome.result.bytes, conflicts, problems, durationMs },
      ...{ halts: [broken.message], hint: 'Check the disk; what was not placed is placed by a later run.' }
    }
  }
  const state = problems.length > 0 ? 'problems' : waiting ? 'conflicts' : 'converged'
  return {
    ...{ sync, state, planHash: plan.hash, operations: outcome.result.operations },
    ...{ bytesTransferred: outcome.result.bytes, conflicts, problems, durationMs },
    ...(outcome.hidden !== undefined && { ignored: { files: outcome.hidden.ignored, of: outcome.hidden.of } })
  }
}

/** What a plan settles or leaves, in words. */
export function remarksTold(remarks: readonly Remark[]): Pick<RunReport, 'conflicts' | 'problems'> {
  return {
    conflicts: remarks.flatMap(r =>
      r.row === 'conflict'
        ? [
            {
              ...{ path: displayPath(r.path), resolution: r.resolution },
              ...(r.copy !== undefined && { copy: displayPath(r.copy) })
            }
          ]
        : []
    ),
    problems: remarks.flatMap(r =>
      r.row === 'problem' ? [{ path: displayPath(r.path), code: r.code.toUpperCase(), message: r.message }] : []
    )
  }
}

/** What could be written of a path failed on the disk: that concerns more than this path. */
export const isDiskError = ({ code }: { readonly code: string }): boolean => code === 'DISK_ERROR'

/** A run that was ended by an error, by a person, or by a device that is away. */
export function endedReport(
  sync: string,
  state: 'failed' | 'cancelled' | 'waiting',
  { code, message, hint }: { code: string; message: string; hint?: string | undefined },
  durationMs: number
): RunReport {
  if (state === 'cancelled') return { sync, state, ...NOTHING, durationMs }
  return { sync, state, reason: code, ...NOTHING, durationMs, halts: [message], ...(hint !== undefined && { hint }) }
}

/** Rules that leave out more than half of what there is are said: few mean that. */
export function ignoredNotes({ ignored }: Pick<RunReport, 'ignored'>): string[] {
  if (ignored === undefined || ignored.files * 2 <= ignored.of) return []
  return [
    `the rules leave out ${n(ignored.files)} of ${n(ignored.of)} files: see \`.spacedriveignore\` and --ignore, and \`spacedrive sync why\` for a path`
  ]
}

const n = (count: number): string => count.toLocaleString('en')

export function haltText(halt: Halt): string {
  const things = (n: number): string => `${n.toLocaleString('en')} ${n === 1 ? 'thing' : 'things'}`
  switch (halt.reason) {
    case 'too-many-deletions':
      return `${n(halt.count)} of ${n(halt.of)} files at the ${halt.end} would be gone${halt.before === 0 ? '' : `, with the ${n(halt.before)} of the last hour`}`
    case 'too-many-replacements': {
      const now = halt.count - halt.before
      return `${n(now)} of ${n(halt.of)} files at the ${halt.end} would get other content${halt.before === 0 ? '' : `, after ${n(halt.before)} in the last hour`}`
    }
    case 'root-emptied':
      return `the ${halt.end} held ${things(halt.of)} and is empty now`
    default:
      return `a first mirror would delete or replace ${things(halt.count)} at the ${halt.end}`
  }
}
