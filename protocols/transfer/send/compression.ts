/**
 * Content is compressed while the link is slow, and what does not get smaller goes as it is. Brotli at its fastest takes
 * 2 to 5 ms of a processor for a MiB of what gets smaller, half of one for what does not; the link takes 60 ms and more for
 * it where this begins. A fast link never pays for it.
 */
import { brotliCompressSync, constants } from 'node:zlib'
import type { OnTheWay } from './on-the-way.js'

/** The rate is taken over at least this long. */
const MEASURE_MS = 250
/** What saves less is not worth the other end's work. */
const MAX_PART = 0.9
const OPTIONS = { params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 20 } }

/** @returns the content compressed, or undefined where that does not pay */
export function compressed(content: Uint8Array): Uint8Array | undefined {
  const smaller = brotliCompressSync(content, OPTIONS)
  return smaller.length <= content.length * MAX_PART ? smaller : undefined
}

export class Compression {
  readonly #belowBytesPerSecond: number
  readonly #nowMs: () => number
  /** Of the link; larger than any limit but Infinity before it was measured. */
  #bytesPerSecond = Number.MAX_VALUE
  #from: { readonly ms: number; readonly credit: number } | undefined

  constructor(belowBytesPerSecond: number, nowMs: () => number = () => performance.now()) {
    this.#belowBytesPerSecond = belowBytesPerSecond
    this.#nowMs = nowMs
  }

  /**
   * The receiver has consumed more. Only a link that always had something to carry shows how fast it is.
   * @param onTheWay - till now
   */
  credited(credit: number, onTheWay: Pick<OnTheWay, 'bytes' | 'windowBytes'>): void {
    const ms = this.#nowMs()
    if (onTheWay.bytes < onTheWay.windowBytes / 2) this.#from = undefined
    else if (this.#from === undefined) this.#from = { ms, credit }
    else if (ms - this.#from.ms >= MEASURE_MS) {
      this.#bytesPerSecond = ((credit - this.#from.credit) * 1000) / (ms - this.#from.ms)
      this.#from = { ms, credit }
    }
  }

  /** @returns the content compressed, or undefined: it goes as it is */
  compress(content: Uint8Array): Uint8Array | undefined {
    return this.#bytesPerSecond >= this.#belowBytesPerSecond ? undefined : compressed(content)
  }
}
