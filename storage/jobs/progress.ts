import type { Clock, ProgressDetail, ProgressFields } from '../base/index.js'
import { PROGRESS_INTERVAL_MS } from './limits.js'

/** Absolute figures of the phase; what is left out stays as it was. */
export interface ProgressUpdate {
  message?: string
  doneFiles?: number
  /** null: not known, or still growing. */
  totalFiles?: number | null
  doneBytes?: number
  totalBytes?: number | null
  /** What happened, typed by the kind of job; the last one goes with the next figures. */
  detail?: ProgressDetail
}

export interface Counts {
  doneFiles: number
  totalFiles: number | null
  doneBytes: number
  totalBytes: number | null
}

/** The rate follows what the last few seconds did. */
const RATE_WINDOW_MS = 3_000

/** A person sees nothing of it; figures that come within it need not wait for the next 100 ms. */
const FIRST_FIGURES_MS = 50

const nothing = (): Counts => ({ doneFiles: 0, totalFiles: 0, doneBytes: 0, totalBytes: 0 })

/**
 * The figures of one job: those of its phase plus those of the children that phase began. Within a phase done never falls
 * and is never above its total; a child counts with the most it ever reported, so the sum does not fall when a child changes
 * its phase. Emits at most once every 100 ms, and always the last figures; the first ones at once, for which the name of the first
 * phase waits a moment.
 */
export class ProgressMeter {
  readonly #clock: Clock
  readonly #emit: (fields: ProgressFields) => void
  readonly #children = new Map<string, Counts>()
  #phase = ''
  #message: string | undefined
  #detail: ProgressDetail | undefined
  #own: Counts = { ...nothing(), totalFiles: null, totalBytes: null }
  #problems = 0
  /** Infinity: nothing is emitted (before `open`, after `stop`). */
  #lastEmitMs = Number.POSITIVE_INFINITY
  #timer: { clear(): void } | undefined
  #rate: { atMs: number; files: number; bytes: number; filesPerMs: number; bytesPerMs: number } | undefined

  constructor(clock: Clock, emit: (fields: ProgressFields) => void) {
    this.#clock = clock
    this.#emit = emit
  }

  /** From here on changes are emitted. */
  open(): void {
    this.#lastEmitMs = Number.NEGATIVE_INFINITY
  }

  /** A new phase counts from nothing; a resumed one from where it was. */
  begin(phase: string, own?: Counts): void {
    this.#phase = phase
    this.#message = undefined
    this.#detail = undefined
    this.#own = own ?? { doneFiles: 0, totalFiles: null, doneBytes: 0, totalBytes: null }
    this.#children.clear()
    this.#rate = undefined
    this.#changed(FIRST_FIGURES_MS)
  }

  update(update: ProgressUpdate): void {
    const own = this.#own
    if (update.message !== undefined) this.#message = update.message
    if (update.detail !== undefined) this.#detail = update.detail
    own.doneFiles = Math.max(own.doneFiles, update.doneFiles ?? 0)
    own.doneBytes = Math.max(own.doneBytes, update.doneBytes ?? 0)
    if (update.totalFiles !== undefined) own.totalFiles = update.totalFiles
    if (update.totalBytes !== undefined) own.totalBytes = update.totalBytes
    this.#changed()
  }

  add(count: number, total: number | undefined): void {
    this.#own.doneFiles += Math.max(0, count)
    if (total !== undefined) this.#own.totalFiles = total
    this.#changed()
  }

  /** What a child says now; `ended`: what it did is all it had to do. */
  child(id: string, fields: Counts, ended = false): void {
    const seen = this.#children.get(id) ?? nothing()
    const doneFiles = Math.max(seen.doneFiles, fields.doneFiles)
    const doneBytes = Math.max(seen.doneBytes, fields.doneBytes)
    this.#children.set(id, {
      doneFiles,
      doneBytes,
      totalFiles: ended ? doneFiles : larger(seen.totalFiles, fields.totalFiles),
      totalBytes: ended ? doneBytes : larger(seen.totalBytes, fields.totalBytes)
    })
    this.#changed()
  }

  problems(count: number): void {
    this.#problems = count
    this.#changed()
  }

  /** Without the children: what is stored to go on from. */
  own(): Counts {
    return { ...this.#own }
  }

  fields(): ProgressFields {
    const all = this.#sum()
    const rate = this.#measure(all)
    const fields: ProgressFields = { phase: this.#phase, ...all, problems: this.#problems }
    if (this.#message !== undefined) fields.message = this.#message
    if (this.#detail !== undefined) fields.detail = this.#detail
    if (rate !== undefined) {
      fields.bytesPerSecond = Math.round(rate.bytesPerMs * 1000)
      const byBytes = left(all.totalBytes, all.doneBytes, rate.bytesPerMs)
      const byFiles = left(all.totalFiles, all.doneFiles, rate.filesPerMs)
      // The longer: where the large files came first, the bytes alone say "1 s left" for as long as the small ones take.
      fields.remainingMs = byBytes === null || byFiles === null ? (byBytes ?? byFiles) : Math.max(byBytes, byFiles)
    }
    return fields
  }

  /** Emits what was held back. */
  flush(): void {
    if (this.#timer === undefined) return
    this.#timer.clear()
    this.#timer = undefined
    this.#send()
  }

  /** After this nothing is emitted any more. */
  stop(): void {
    this.#timer?.clear()
    this.#timer = undefined
    this.#lastEmitMs = Number.POSITIVE_INFINITY
  }

  #sum(): Counts {
    const sum = { ...this.#own }
    if (this.#children.size > 0) {
      // A phase that counts nothing of its own is no reason to call the total unknown.
      if (sum.totalFiles === null && sum.doneFiles === 0) sum.totalFiles = 0
      if (sum.totalBytes === null && sum.doneBytes === 0) sum.totalBytes = 0
    }
    for (const c of this.#children.values()) {
      sum.doneFiles += c.doneFiles
      sum.doneBytes += c.doneBytes
      sum.totalFiles = sum.totalFiles === null || c.totalFiles === null ? null : sum.totalFiles + c.totalFiles
      sum.totalBytes = sum.totalBytes === null || c.totalBytes === null ? null : sum.totalBytes + c.totalBytes
    }
    if (sum.totalFiles !== null) sum.totalFiles = Math.max(sum.totalFiles, sum.doneFiles)
    if (sum.totalBytes !== null) sum.totalBytes = Math.max(sum.totalBytes, sum.doneBytes)
    return sum
  }

  #measure(all: Counts): { filesPerMs: number; bytesPerMs: number } | undefined {
    const atMs = this.#clock.monotonicMs()
    const last = this.#rate
    if (last === undefined) {
      this.#rate = { atMs, files: all.doneFiles, bytes: all.doneBytes, filesPerMs: 0, bytesPerMs: 0 }
      return undefined
    }
    const ms = atMs - last.atMs
    if (ms >= PROGRESS_INTERVAL_MS / 2) {
      const share = last.filesPerMs === 0 && last.bytesPerMs === 0 ? 1 : 1 - Math.exp(-ms / RATE_WINDOW_MS)
      last.filesPerMs += share * ((all.doneFiles - last.files) / ms - last.filesPerMs)
      last.bytesPerMs += share * ((all.doneBytes - last.bytes) / ms - last.bytesPerMs)
      last.atMs = atMs
      last.files = all.doneFiles
      last.bytes = all.doneBytes
    }
    return last
  }

  /** @param firstMs - how long it may wait where nothing was emitted yet */
  #changed(firstMs = 0): void {
    const first = this.#lastEmitMs === Number.NEGATIVE_INFINITY
    if (this.#timer !== undefined) {
      if (!first || firstMs > 0) return
      this.#timer.clear()
      this.#timer = undefined
    }
    const waitMs = first ? firstMs : this.#lastEmitMs + PROGRESS_INTERVAL_MS - this.#clock.monotonicMs()
    if (waitMs === Number.POSITIVE_INFINITY) return
    if (waitMs <= 0) this.#send()
    else {
      this.#timer = this.#clock.timer(() => {
        this.#timer = undefined
        this.#send()
      }, waitMs)
    }
  }

  #send(): void {
    this.#lastEmitMs = this.#clock.monotonicMs()
    this.#emit(this.fields())
  }
}

function larger(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Math.max(a, b)
}

function left(total: number | null, done: number, perMs: number): number | null {
  if (total === null || total === 0) return null
  if (total <= done) return 0
  return perMs > 0 ? Math.round((total - done) / perMs) : null
}
