import type { ZodType } from 'zod'
import { givePlace } from '../../../sync/endpoints/index.js'
import { decode, wireError } from '../../wire/index.js'
import { type Output, STREAMS, type StreamName } from '../calls.js'
import { PARTS_AHEAD } from '../limits.js'
import { PART, type ReplicaFrame } from '../sealed-pipe.js'
import type { AnswerPart } from './answer.js'

/** Parts of one answer as they come, until somebody takes them. */
export class ComingParts<N extends StreamName> {
  readonly #name: N
  readonly #parts: AnswerPart<Output<N>>[] = []
  /** The last has come, or none will. */
  over = false
  #failure: Error | undefined
  #wake = (): void => {}

  constructor(name: N) {
    this.#name = name
  }

  /** @throws {SpacedriveError} FLOODED, MALFORMED */
  onFrame({ type, values, data }: ReplicaFrame): void {
    if (type === PART) {
      if (this.#parts.length >= PARTS_AHEAD) throw wireError('FLOODED', 'the device sent more parts than it may')
      const schema = STREAMS[this.#name].output as unknown as ZodType<Output<N>>
      this.#parts.push({ value: decode(values, schema, `an answer to ${this.#name}`), data })
    } else this.over = true
    this.#wake()
  }

  fail(err: Error): void {
    this.#failure = err
    this.over = true
    this.#wake()
  }

  get isUntaken(): boolean {
    return this.#parts.length > 0
  }

  /** The next one; undefined: that was all. @throws what it failed with; `signal.reason` */
  async next(signal: AbortSignal | undefined): Promise<AnswerPart<Output<N>> | undefined> {
    const onAbort = (): void => this.#wake()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      for (;;) {
        signal?.throwIfAborted()
        const part = this.#parts.shift()
        if (part !== undefined) return part
        if (this.#failure !== undefined) throw this.#failure
        if (this.over) return undefined
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** What came is not wanted. */
  drop(): void {
    for (const { data } of this.#parts) givePlace(data.buffer)
  }
}
