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

/** What has been decided of versions that were told before. */
export interface Judged<T> {
  readonly keep: readonly T[]
  readonly drop: readonly T[]
}

/**
 * Judges the versions of all paths, newest first. Of a stretch the *first* version stays: it is what was there when the stretch
 * began, so that all first versions together are the whole folder as it was then. And the newest of each path stays.
 * Stretches lie fixed on the clock and within one another, so that thinning day after day loses nothing that thinning once keeps.
 */
export class Thinner<T> {
  readonly #policy: VersionPolicy
  readonly #nowMs: number
  /** By path: how many were kept. */
  readonly #counts = new Map<string, number>()
  /** By path: the last one told, which is first in its stretch unless an older one is. */
  readonly #open = new Map<string, { readonly version: T; readonly atMs: number; readonly newest: boolean }>()

  constructor(policy: VersionPolicy, nowMs: number) {
    this.#policy = policy
    this.#nowMs = nowMs
  }

  /** @param atMs - when this version of `path` lost its name; not more than in the call before */
  next(path: string, atMs: number, version: T): Judged<T> {
    const policy = this.#policy
    if (policy.kind === 'trashcan') return judged(version, isYoung(atMs, policy, this.#nowMs))
    if (policy.kind === 'simple') {
      const count = this.#counts.get(path) ?? 0
      this.#counts.set(path, count + 1)
      return judged(version, count < policy.count || isYoung(atMs, policy, this.#nowMs))
    }
    const open = this.#open.get(path)
    this.#open.set(path, { version, atMs, newest: open === undefined })
    if (open === undefined) return { keep: [], drop: [] }
    const everyMs = stretchMs(open.atMs, this.#nowMs)
    return judged(open.version, open.newest || Math.floor(atMs / everyMs) !== Math.floor(open.atMs / everyMs))
  }

  /** After the last one. */
  end(): Judged<T> {
    const keep = [...this.#open.values()].map(({ version }) => version)
    this.#open.clear()
    return { keep, drop: [] }
  }
}

/** How long the stretch is that a version of this age stands for. */
function stretchMs(atMs: number, nowMs: number): number {
  return STEPS.find(step => nowMs - atMs < step.untilMs)!.everyMs
}

/** The latest moment not after `atMs` at which, after thinning, the whole folder is exactly known. */
export function exactMoment(atMs: number, thinnedMs: number, nowMs: number): number {
  if (atMs >= thinnedMs) return atMs
  const everyMs = stretchMs(atMs, nowMs)
  return Math.floor(atMs / everyMs) * everyMs
}

/** The end of the stretch in which `atMs` lies: what stands for it after thinning. */
export function stretchEnd(atMs: number, nowMs: number): number {
  const everyMs = stretchMs(atMs, nowMs)
  return (Math.floor(atMs / everyMs) + 1) * everyMs
}

/** Too young to be thinned at all, unless stretch by stretch. */
export function isYoung(atMs: number, policy: VersionPolicy, nowMs: number): boolean {
  const age = nowMs - atMs
  return age < MIN_KEEP_MS || (policy.kind === 'trashcan' && age < policy.days * DAY_MS)
}

const judged = <T>(version: T, stays: boolean): Judged<T> =>
  stays ? { keep: [version], drop: [] } : { keep: [], drop: [version] }

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
