import { type CallTraits, traitsOf } from '../calls.js'
import { PARTS_AHEAD } from '../limits.js'

/** A call that is not answered yet. */
export class RunningCall {
  readonly traits: CallTraits | undefined
  readonly aborting = new AbortController()
  /** Parts that may still be sent, for answers that come in parts. */
  room = PARTS_AHEAD
  /** Frames of those that are on their way. */
  readonly parts: Uint8Array[] = []
  #wake = (): void => {}
  /** All that may be are on their way: it is the device's turn to take them. */
  #untaken = false

  constructor(name: string) {
    this.traits = traitsOf(name)
  }

  /** Resolves when one more part may be sent. @throws the reason of `aborting` */
  async untilRoom(): Promise<void> {
    const { signal } = this.aborting
    while (this.room === 0 && !signal.aborted) {
      this.#untaken = true
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    this.#untaken = false
    signal.throwIfAborted()
  }

  abort(reason: Error): void {
    this.aborting.abort(reason)
    this.#wake()
  }

  /** There may be room again. */
  wake(): void {
    this.#wake()
  }

  /** An answer is due. */
  get isBusy(): boolean {
    return this.traits?.waits !== true
  }

  /** It is this end's turn to go on. */
  get isWorking(): boolean {
    return this.isBusy && !this.#untaken
  }
}
