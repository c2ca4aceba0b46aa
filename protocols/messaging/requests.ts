import { deadline, type Logger, linkSignals, raceSignal, SpacedriveError, toError } from '../../storage/base/index.js'
import { type PeerSession, publicCode } from '../wire/index.js'
import type { Answer, RequestFrame } from './frames.js'
import type { KindHandlers } from './handlers.js'
import { toJson } from './json.js'
import { MAX_REQUESTS_RUNNING } from './limits.js'

/** The requests of one stream that are being answered. */
export class RunningRequests {
  readonly #peer: PeerSession
  readonly #signal: AbortSignal
  readonly #log: Logger
  readonly #controllers = new Map<number, AbortController>()
  readonly #runs = new Set<Promise<void>>()

  /** @param signal - ends all of them */
  constructor(peer: PeerSession, signal: AbortSignal, log: Logger) {
    this.#peer = peer
    this.#signal = signal
    this.#log = log
  }

  get size(): number {
    return this.#runs.size
  }

  /** Runs the handler beside the reading of the stream; `answer` is called once. @returns an answer when there is no room */
  start(
    frame: RequestFrame,
    handler: NonNullable<KindHandlers['request']>,
    answer: (a: Answer) => Promise<void>
  ): Answer | undefined {
    if (this.size >= MAX_REQUESTS_RUNNING) return { type: 'error', n: frame.n, code: 'TOO_MANY' }
    const run = this.#run(frame, handler).then(answer)
    const tracked: Promise<void> = run
      .catch((err: unknown) => this.#log.debug('an answer could not be sent', { device: this.#peer.device, err }))
      .finally(() => this.#runs.delete(tracked))
    this.#runs.add(tracked)
    return undefined
  }

  cancel(n: number): void {
    this.#controllers.get(n)?.abort(new SpacedriveError('CANCELLED', 'the device cancelled its request'))
  }

  async settled(): Promise<void> {
    while (this.#runs.size > 0) await Promise.all(this.#runs)
  }

  abort(reason: Error): void {
    for (const controller of this.#controllers.values()) controller.abort(reason)
  }

  async #run(frame: RequestFrame, handler: NonNullable<KindHandlers['request']>): Promise<Answer> {
    const controller = new AbortController()
    this.#controllers.set(frame.n, controller)
    const link = linkSignals(controller.signal, this.#signal)
    const limit = deadline(frame.deadlineMs, `a request of kind ${frame.kind}`, link.signal)
    try {
      // A handler that does not look at its signal is answered for at its deadline all the same.
      const work = Promise.resolve().then(() =>
        handler(frame.body, { device: this.#peer.device, signal: limit.signal })
      )
      return { type: 'ok', n: frame.n, body: toJson(await raceSignal(work, limit.signal)) }
    } catch (err) {
      const code = publicCode(err)
      if (code === 'INTERNAL') {
        this.#log.error('a request failed', { device: this.#peer.device, kind: frame.kind, err: toError(err) })
      }
      return { type: 'error', n: frame.n, code }
    } finally {
      limit.clear()
      link.clear()
      this.#controllers.delete(frame.n)
    }
  }
}
