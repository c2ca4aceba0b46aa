import { ENDS, type End } from './entry.js'
import type { Mode } from './options.js'
import type { Totals } from './totals.js'

/** Percentages say nothing of a handful of files. */
export const MIN_GUARDED_FILES = 10
/** Half of all files going at once is rarely meant. */
export const MAX_DELETE_PERCENT = 50
/** Nearly all files changing at once is an encryptor or a wrong folder. */
export const MAX_REPLACE_PERCENT = 90
/** A root that held this many entries and holds none was emptied; one entry may be all there was to delete. */
export const MIN_EMPTIED_ENTRIES = 2
/** In the background a mass deletion arrives as many small plans: they are judged together for so long. */
export const GUARD_WINDOW_MS = 3_600_000

export interface GuardLimits {
  readonly maxDeletePercent: number
  readonly maxReplacePercent: number
}

export const GUARD_LIMITS: GuardLimits = {
  maxDeletePercent: MAX_DELETE_PERCENT,
  maxReplacePercent: MAX_REPLACE_PERCENT
}

/** What is known of an end beside the plan. */
export interface EndHolds {
  /** Files it holds now. */
  readonly files: number
  /** Right below its root: in the archive, and now. */
  readonly rootEntriesAgreed: number
  readonly rootEntries: number
  /** What this sync did there since the window began. */
  readonly removedBefore: number
  readonly replacedBefore: number
}

export interface Guarded {
  readonly mode: Mode
  readonly archive: boolean
  readonly totals: Totals
  readonly holds: Readonly<Record<End, EndHolds>>
  readonly limits?: GuardLimits
}

export type Halt =
  | {
      readonly reason: 'too-many-deletions' | 'too-many-replacements'
      readonly end: End
      readonly count: number
      readonly of: number
      /** Of `count`, what went before, within the window; a file that was replaced twice counts twice. */
      readonly before: number
    }
  | { readonly reason: 'root-emptied'; readonly end: End; readonly of: number }
  | { readonly reason: 'first-mirror'; readonly end: End; readonly count: number }

/** When what a sync did there begins to count together: an hour ago, the first agreement or a person's last yes. */
export const windowStartMs = (nowMs: number, firstAgreementMs: number, lastYesMs: number | undefined): number =>
  Math.max(nowMs - GUARD_WINDOW_MS, firstAgreementMs, lastYesMs ?? Number.NEGATIVE_INFINITY)

/** Why a plan must not be done without a person's word: empty when it may. Judged before anything is touched (SYNC.md 4). */
export function judge({ mode, archive, totals, holds, limits = GUARD_LIMITS }: Guarded): Halt[] {
  const halts: Halt[] = []
  for (const end of ENDS) {
    const { removed, repacked, replaced, directoriesRemoved } = totals[end]
    const gone = removed - repacked
    const { files, rootEntries, rootEntriesAgreed, removedBefore, replacedBefore } = holds[end]
    const held = files + removedBefore
    for (const [reason, percent, counts] of [
      [
        'too-many-deletions',
        limits.maxDeletePercent,
        [
          [gone, files],
          [gone + removedBefore, held]
        ]
      ],
      [
        'too-many-replacements',
        limits.maxReplacePercent,
        [
          [replaced, files],
          [replaced + replacedBefore, held]
        ]
      ]
    ] as const) {
      const over = counts.find(([count, of]) => of >= MIN_GUARDED_FILES && count * 100 > of * percent)
      const now = reason === 'too-many-deletions' ? gone : replaced
      if (over === undefined || now === 0) continue
      const [count, of] = over
      halts.push({ reason, end, count, of, before: count - now })
    }
    if (rootEntriesAgreed >= MIN_EMPTIED_ENTRIES && rootEntries === 0) {
      halts.push({ reason: 'root-emptied', end, of: rootEntriesAgreed })
    }
    const first = removed + replaced + directoriesRemoved
    if (mode === 'mirror' && !archive && first > 0) halts.push({ reason: 'first-mirror', end, count: first })
  }
  return halts
}

/** What was written down when a run halted. */
export interface HaltedBefore {
  readonly planHash: string
  readonly totals: Totals
}

/**
 * Whether `--force` lets this plan pass: only after a run that halted, and not if deletions or replacements grew since then.
 * Guards of identity (root, marker, roll-back) are never asked here: nothing forces them.
 */
export function mayForce(totals: Totals, before: HaltedBefore | undefined): boolean {
  if (before === undefined) return false
  return ENDS.every(end => {
    const [now, then] = [totals[end], before.totals[end]]
    return (
      now.removed <= then.removed && now.replaced <= then.replaced && now.directoriesRemoved <= then.directoriesRemoved
    )
  })
}
