/** Which versions may go: pure. Whoever applies it keeps back what is the last copy of something (see `VersionStore.thin`). */

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export type VersionPolicy =
  /** Everything for so long. */
  | { readonly kind: 'trashcan'; readonly days: number }
  /** The newest of each path, and everything for a day. */
  | { readonly kind: 'simple'; readonly count: number }
  /** 30 s apart for an hour, an hour for a day, a day for a month, a week after that. */
  | { readonly kind: 'staggered' }

export const DEFAULT_POLICY: VersionPolicy = { kind: 'trashcan', days: 30 }
export const BACKUP_POLICY: VersionPolicy = { kind: 'staggered' }
/** There is no policy that keeps nothing: who deletes by mistake notices it within a day. */
export const MIN_KEEP_MS = DAY_MS
export const MAX_DAYS = 36_500
export const MAX_COUNT = 10_000

const STEPS: readonly { readonly untilMs: number; readonly everyMs: number }[] = [
  { untilMs: HOUR_MS, everyMs: 30_000 },
  { untilMs: DAY_MS, everyMs: HOUR_MS },
  { untilMs: 30 * DAY_MS, everyMs: DAY_MS },
  { untilMs: Number.POSITIVE_INFINITY, everyMs: 7 * DAY_MS }
]

/** Judges the versions of all paths, newest first. */
export class Thinner {
  readonly #policy: VersionPolicy
  readonly #nowMs: number
  /** By path: how many were kept, or the stretch that the next newer one stands for. */
  readonly #seen = new Map<string, number>()

  constructor(policy: VersionPolicy, nowMs: number) {
    this.#policy = policy
    this.#nowMs = nowMs
  }

  /** @param atMs - when this version of `path` lost its name; not more than in the call before */
  keeps(path: string, atMs: number): boolean {
    const policy = this.#policy
    const age = this.#nowMs - atMs
    if (policy.kind === 'trashcan') return age < Math.max(policy.days * DAY_MS, MIN_KEEP_MS)
    const seen = this.#seen.get(path)
    if (policy.kind === 'simple') {
      this.#seen.set(path, (seen ?? 0) + 1)
      return (seen ?? 0) < policy.count || age < MIN_KEEP_MS
    }
    // The last of each stretch of the clock stands for it. Stretches lie fixed, so that thinning day after day ends with
    // the same as thinning once: measured from the newest, every one would be too near to its neighbour in its turn.
    const { everyMs } = STEPS.find(step => age < step.untilMs)!
    this.#seen.set(path, atMs)
    return seen === undefined || Math.floor(seen / everyMs) !== Math.floor(atMs / everyMs)
  }
}

/**
 * `trashcan`, `trashcan:DAYS`, `simple:COUNT`, `staggered`; `none` is refused.
 * @returns the policy, or what is wrong with the text
 */
export function parsePolicy(text: string): VersionPolicy | { readonly refused: string } {
  const [kind = '', value, ...more] = text.split(':')
  const number = value === undefined ? undefined : /^\d{1,6}$/.test(value) ? Number(value) : Number.NaN
  if (more.length === 0) {
    if (kind === 'staggered' && value === undefined) return { kind }
    if (kind === 'trashcan') {
      const days = number ?? 30
      return days >= 1 && days <= MAX_DAYS ? { kind, days } : { refused: `expected 1 to ${MAX_DAYS} days` }
    }
    if (kind === 'simple') {
      const count = number ?? 5
      return count >= 1 && count <= MAX_COUNT ? { kind, count } : { refused: `expected 1 to ${MAX_COUNT} versions` }
    }
    if (kind === 'none')
      return { refused: 'nothing is thrown away at once: the least is trashcan:1, which keeps it for a day' }
  }
  return { refused: `expected trashcan[:DAYS], simple[:COUNT] or staggered, got ${JSON.stringify(text)}` }
}

export function formatPolicy(policy: VersionPolicy): string {
  if (policy.kind === 'staggered') return policy.kind
  return policy.kind === 'trashcan' ? `trashcan:${policy.days}` : `simple:${policy.count}`
}
