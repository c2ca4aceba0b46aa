/** How fast a link takes what it is given, measured while it always has something to carry; nothing else shows it. */
export class LinkRate {
  readonly #nowMs: () => number
  #from: { readonly ms: number; bytes: number } | undefined
  #measured: { readonly ms: number; readonly bytesPerSecond: number } | undefined

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  /** There is something to carry. */
  begin(): void {
    this.#from ??= { ms: this.#nowMs(), bytes: 0 }
  }

  /** The link took so much more. */
  took(bytes: number): void {
    if (this.#from === undefined) return
    const ms = this.#nowMs()
    this.#from.bytes += bytes
    if (ms - this.#from.ms < MEASURE_MS) return
    this.#measured = { ms, bytesPerSecond: (this.#from.bytes * 1000) / (ms - this.#from.ms) }
    this.#from = { ms, bytes: 0 }
  }

  /** Everything is sent. */
  idle(): void {
    this.#from = undefined
  }

  /** Larger than any limit but Infinity while nothing is known, or what is known is old. */
  get bytesPerSecond(): number {
    const known = this.#measured !== undefined && this.#nowMs() - this.#measured.ms <= FRESH_MS
    return known ? this.#measured!.bytesPerSecond : Number.MAX_VALUE
  }
}

/** The rate is taken over at least this long. */
const MEASURE_MS = 250
/** A link that had nothing to carry for so long may be another one by now. */
const FRESH_MS = 2_000
