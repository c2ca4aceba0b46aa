import type { Clock, RelPath } from '../../storage/base/index.js'
import { ROOT } from '../../storage/base/index.js'
import type { End } from '../reconcile/index.js'
import type { Hint } from './hints.js'

/** More than this, and all of that end is looked at instead. */
export const MAX_PENDING_HINTS = 4_096
/** How often one path is taken at once when it changes again and again; after that once in `AGAIN_MS`. */
export const TAKES_AT_ONCE = 60
/** What never rests (a log that is written to) is taken this often: each time makes a version. */
export const AGAIN_MS = 10_000
/** Paths of which is known how often they were taken. */
const MAX_REMEMBERED = 10_000

export type Hints = Readonly<Record<End, readonly Hint[]>>

interface Taken {
  /** Left of `TAKES_AT_ONCE`; grows by one in each `AGAIN_MS`. */
  tokens: number
  atMs: number
}

/** What may have changed at both ends since it was last looked at, each path once. */
export class Pending {
  readonly #clock: Clock
  readonly #hints: Record<End, Map<RelPath, boolean>> = { source: new Map(), destination: new Map() }
  /** Paths that are not to be taken before a moment. */
  readonly #rests = new Map<string, number>()
  readonly #taken = new Map<string, Taken>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get empty(): boolean {
    return this.#hints.source.size + this.#hints.destination.size === 0
  }

  add(end: End, hints: readonly Hint[]): void {
    const map = this.#hints[end]
    for (const { path, subtree } of hints) {
      if (map.get(ROOT) === true) return
      map.set(path, subtree || map.get(path) === true)
      if (map.size <= MAX_PENDING_HINTS) continue
      map.clear()
      map.set(ROOT, true)
    }
  }

  /** Single paths, if there are no more than `limit`: more are no file that is being written. */
  files(limit: number): { end: End; path: RelPath }[] {
    if (this.#hints.source.size + this.#hints.destination.size > limit) return []
    return (['source', 'destination'] as const).flatMap(end =>
      [...this.#hints[end]].flatMap(([path, subtree]) => (subtree ? [] : [{ end, path }]))
    )
  }

  /** All of it will be looked at. */
  clear(): void {
    for (const end of ['source', 'destination'] as const) this.#hints[end].clear()
    this.#rests.clear()
  }

  /** It is being written to: not to be taken for so long. */
  rest(end: End, path: RelPath, forMs: number): void {
    this.#rests.set(`${end}/${path}`, this.#clock.monotonicMs() + forMs)
  }

  /** Takes what may be looked at now. */
  take(): Hints {
    const now = this.#clock.monotonicMs()
    const of = (end: End): Hint[] => {
      const ready: Hint[] = []
      for (const [path, subtree] of this.#hints[end]) {
        if (!subtree && !this.#mayTake(`${end}/${path}`, now)) continue
        this.#hints[end].delete(path)
        ready.push({ path, subtree })
      }
      return ready
    }
    return { source: of('source'), destination: of('destination') }
  }

  /** Milliseconds until something that rests may be taken; undefined: nothing rests. */
  restsForMs(): number | undefined {
    if (this.empty) return undefined
    const now = this.#clock.monotonicMs()
    let least = AGAIN_MS
    for (const end of ['source', 'destination'] as const)
      for (const path of this.#hints[end].keys()) {
        const key = `${end}/${path}`
        const rest = (this.#rests.get(key) ?? 0) - now
        const taken = this.#taken.get(key)
        const again = taken === undefined || tokensAt(taken, now) >= 1 ? 0 : AGAIN_MS * (1 - tokensAt(taken, now))
        least = Math.min(least, Math.max(rest, again, 0))
      }
    return least
  }

  #mayTake(key: string, now: number): boolean {
    if ((this.#rests.get(key) ?? 0) > now) return false
    this.#rests.delete(key)
    const taken = this.#taken.get(key)
    const tokens = taken === undefined ? TAKES_AT_ONCE : tokensAt(taken, now)
    if (tokens < 1) return false
    if (this.#taken.size >= MAX_REMEMBERED) this.#taken.clear()
    this.#taken.set(key, { tokens: tokens - 1, atMs: now })
    return true
  }
}

const tokensAt = ({ tokens, atMs }: Taken, now: number): number =>
  Math.min(TAKES_AT_ONCE, tokens + (now - atMs) / AGAIN_MS)
