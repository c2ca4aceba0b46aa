import { type Clock, type Logger, SpacedriveError, toError } from '../base/index.js'
import type { Library } from './library.js'

/** From the start to the first round: a start has better things to do, and many daemons live no longer than a day. */
export const FIRST_ROUND_MS = 10 * 60 * 1000
/** What it lets go of was kept for 30 days. */
export const ROUND_MS = 24 * 3600 * 1000

export interface CaretakerInit {
  readonly clock: Clock
  readonly log: Logger
  /** What is open now. */
  libraries(): readonly Library[]
}

/** Lets each open library drop what nobody needs any more, once a day, in writes of some 10 ms between all others. */
export class Caretaker {
  readonly #init: CaretakerInit
  #stopping = new AbortController()
  #timer: { clear(): void } | undefined
  #round: Promise<void> = Promise.resolve()

  constructor(init: CaretakerInit) {
    this.#init = init
  }

  start(): void {
    this.#stopping = new AbortController()
    this.#after(FIRST_ROUND_MS)
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new SpacedriveError('STOPPED', 'the libraries are being closed'))
    this.#timer?.clear()
    await this.#round
  }

  #after(ms: number): void {
    const { signal } = this.#stopping
    this.#timer = this.#init.clock.timer(() => {
      this.#round = this.#tend(signal).then(() => {
        if (!signal.aborted) this.#after(ROUND_MS)
      })
    }, ms)
  }

  async #tend(signal: AbortSignal): Promise<void> {
    for (const library of this.#init.libraries()) {
      if (signal.aborted) return
      try {
        await library.maintain({ signal })
      } catch (err) {
        // One that was closed meanwhile is tended when it is open again.
        if (!signal.aborted)
          this.#init.log.debug('a library was not tidied', { path: library.path, err: toError(err).message })
      }
    }
  }
}
