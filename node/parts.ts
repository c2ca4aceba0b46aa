import { deadline, type Logger, raceSignal, type Startable } from '../storage/base/index.js'

export type Part = readonly [name: string, part: Startable]

/** A part that has not stopped by then is left behind, said in the log: the others still get to stop in order. */
const PART_STOP_MS = 10_000

/** Parts that start one after the other and stop in the mirrored order. */
export class Parts {
  readonly #started: Part[] = []
  readonly #stopping: AbortSignal
  readonly #log: Logger

  constructor(stopping: AbortSignal, log: Logger) {
    this.#stopping = stopping
    this.#log = log
  }

  /** @throws what a part throws; the reason of `stopping` */
  async start(parts: readonly Part[]): Promise<void> {
    for (const part of parts) {
      this.#stopping.throwIfAborted()
      this.#started.push(part)
      await part[1].start()
    }
  }

  /** Also stops a part that is still starting. */
  async stop(): Promise<void> {
    for (const [name, part] of this.#started.splice(0).reverse()) {
      const limit = deadline(PART_STOP_MS, `stopping ${name}`)
      try {
        await raceSignal(part.stop(), limit.signal)
      } catch (err) {
        this.#log.error('a part could not stop', { part: name, err })
      } finally {
        limit.clear()
      }
    }
  }
}

/** A promise that is settled from elsewhere, and whose rejection need not be waited for. */
export function signpost(): { promise: Promise<void>; resolve(): void; reject(reason: unknown): void } {
  let settle = { resolve(): void {}, reject(_reason: unknown): void {} }
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject }
  })
  promise.catch(() => {})
  return { promise, resolve: () => settle.resolve(), reject: reason => settle.reject(reason) }
}
