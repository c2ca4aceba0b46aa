import { parentOf, type RelPath, ROOT } from '../base/index.js'
import { MAX_BATCH_PATHS, MAX_PENDING_PATHS, MAX_WAIT_MS, QUIET_MS } from './limits.js'
import type { WatchChange } from './watcher.js'

/** Time as the batcher needs it; tests hand in their own. */
export interface BatchTimer {
  nowMs(): number
  set(fn: () => void, ms: number): { clear(): void }
}

export const systemTimer: BatchTimer = {
  nowMs: () => performance.now(),
  set(fn, ms) {
    const timer = setTimeout(fn, ms)
    return { clear: () => clearTimeout(timer) }
  }
}

/**
 * Gathers hints into batches: each path once, nothing below a path whose subtree is named anyway. One batch is out at a
 * time; what comes meanwhile waits, bounded: too many become one hint for the whole tree.
 */
export class Batcher {
  readonly #deliver: (batch: WatchChange[]) => Promise<void>
  readonly #timer: BatchTimer
  #pending = new Map<RelPath, boolean>()
  #firstAtMs = 0
  #waiting: { clear(): void } | undefined
  #delivering = false
  #stopped = false

  constructor(deliver: (batch: WatchChange[]) => Promise<void>, timer: BatchTimer = systemTimer) {
    this.#deliver = deliver
    this.#timer = timer
  }

  add(path: RelPath, subtree: boolean): void {
    if (this.#stopped || this.#pending.get(ROOT) === true) return
    if (this.#pending.size === 0) this.#firstAtMs = this.#timer.nowMs()
    if (this.#pending.size >= MAX_PENDING_PATHS) {
      this.#pending.clear()
      this.#pending.set(ROOT, true)
    } else this.#pending.set(path, subtree || this.#pending.get(path) === true)
    this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    this.#waiting?.clear()
    this.#pending.clear()
  }

  #schedule(): void {
    if (this.#delivering || this.#stopped) return
    this.#waiting?.clear()
    const latest = this.#firstAtMs + MAX_WAIT_MS - this.#timer.nowMs()
    this.#waiting = this.#timer.set(() => void this.#flush(), Math.max(0, Math.min(QUIET_MS, latest)))
  }

  async #flush(): Promise<void> {
    if (this.#delivering || this.#stopped || this.#pending.size === 0) return
    this.#delivering = true
    const batch = this.#take()
    try {
      await this.#deliver(batch)
    } finally {
      this.#delivering = false
      if (this.#pending.size > 0) this.#schedule()
    }
  }

  #take(): WatchChange[] {
    const batch: WatchChange[] = []
    const walked = new Set<RelPath>()
    for (const [path, subtree] of this.#pending) {
      this.#pending.delete(path)
      if (this.#isCovered(path, walked)) continue
      batch.push({ path, subtree })
      if (subtree) walked.add(path)
      if (batch.length >= MAX_BATCH_PATHS) break
    }
    if (this.#pending.size > 0) this.#firstAtMs = this.#timer.nowMs()
    return batch
  }

  /** True when a folder above is walked whole, in this batch or a later one. */
  #isCovered(path: RelPath, walked: ReadonlySet<RelPath>): boolean {
    for (let at = path; at !== ROOT; ) {
      at = parentOf(at)
      if (this.#pending.get(at) === true || walked.has(at)) return true
    }
    return false
  }
}
