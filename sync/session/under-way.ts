/** What goes on with one batch. */
export interface BatchUnderWay {
  /** Its content is staged and made durable. */
  readonly brought: Promise<unknown>
  /** It is placed, after those before it. */
  readonly placed: Promise<unknown>
}

/** Batches that were begun and are not placed yet, in their order: content of the later ones is staged meanwhile. */
export class UnderWay {
  readonly #max: number
  readonly #batches: BatchUnderWay[] = []

  constructor(max: number) {
    this.#max = max
  }

  /** Waits until one more may be begun. @throws what placing the first of them threw */
  async room(): Promise<void> {
    if (this.#batches.length < this.#max) return
    await this.#batches[0]!.placed
    this.#batches.shift()
  }

  add(batch: BatchUnderWay): void {
    for (const promise of [batch.brought, batch.placed]) promise.catch(() => {}) // awaited by `room`, or at the end
    this.#batches.push(batch)
  }

  /** Nothing of them is at work any more, whatever came of it. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#batches.flatMap(({ brought, placed }) => [brought, placed]))
  }
}
