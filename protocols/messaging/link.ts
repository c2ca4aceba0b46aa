import {
  type AbortOptions,
  type Clock,
  linkSignals,
  raceSignal,
  SpacedriveError,
  toError
} from '../../storage/base/index.js'
import {
  frameStream,
  HEADER_TIMEOUT_MS,
  MAX_CONTROL_FRAME_BYTES,
  type MessageChannel,
  messageChannel,
  type PeerNetwork,
  type PeerSession,
  patientDeadline,
  TokenBucket,
  wireError
} from '../wire/index.js'
import { type Answer, answerSchema, type Frame, type Unnumbered } from './frames.js'
import { ANSWER_TIMEOUT_MS, FIRST_BURST, IDLE_CLOSE_MS, MAX_IN_FLIGHT, SEND_BURST, SEND_PER_SECOND } from './limits.js'

interface InFlight {
  resolve(answer: Answer): void
  reject(reason: unknown): void
}

interface Open {
  readonly peer: PeerSession
  readonly channel: MessageChannel<Answer, Frame>
  readonly inFlight: Map<number, InFlight>
  lastN: number
}

export interface LinkInit {
  /** Opens a stream of this protocol. */
  open(options: AbortOptions): ReturnType<PeerNetwork['open']>
  clock: Clock
}

export interface SendOptions extends AbortOptions {
  /** How long the answer may take; later the stream counts as dead. */
  timeoutMs?: number
}

/**
 * What we say to one device: a stream opened when there is something to say and closed when there is not, so that an idle
 * connection carries no frame. Frames leave in the order of the calls, within the receiver's rate, a bounded number
 * unanswered. When the stream breaks every unanswered call rejects: who wants it said again says it again.
 */
export class Link {
  readonly #init: LinkInit
  readonly #bucket: TokenBucket
  readonly #stopping = new AbortController()
  #current: Open | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #queued = 0
  #slots = MAX_IN_FLIGHT
  #freed: (() => void) | undefined
  #idle: { clear(): void } | undefined

  constructor(init: LinkInit) {
    this.#init = init
    this.#bucket = new TokenBucket(SEND_PER_SECOND, SEND_BURST, () => init.clock.monotonicMs())
    this.#bucket.take(SEND_BURST - FIRST_BURST)
  }

  /** @throws DEVICE_AWAY, STREAM_CLOSED, TIMEOUT; `signal.reason` (a request is then cancelled at the other side) */
  async send(
    frame: Unnumbered,
    { signal, timeoutMs = ANSWER_TIMEOUT_MS }: SendOptions = {}
  ): Promise<Extract<Answer, { type: 'ok' }>> {
    const { open, n, answer } = await raceSignal(this.#write(frame, signal), signal)
    const limit = patientDeadline(open.peer, timeoutMs, 'the answer of the device')
    limit.signal.addEventListener('abort', () => this.#fail(open, toError(limit.signal.reason)), { once: true })
    const settled = answer.finally(() => limit.clear())
    settled.catch(() => {}) // when the caller is aborted nobody waits for it any more
    try {
      const a = await raceSignal(settled, signal)
      if (a.type === 'ok') return a
      throw new SpacedriveError(a.code, `the device refused a ${frame.type}: ${a.code}`, { details: { remote: true } })
    } catch (err) {
      if (signal?.aborted && frame.type === 'request' && open === this.#current) this.#cancel(open, n)
      throw err
    }
  }

  /** Ends the stream and every call. */
  close(reason: Error): void {
    this.#stopping.abort(reason)
    this.#idle?.clear()
    if (this.#current !== undefined) this.#fail(this.#current, reason)
    this.#freed?.()
  }

  /** Waits for its turn, a free slot and the rate, then sends. */
  #write(frame: Unnumbered, signal?: AbortSignal): Promise<{ open: Open; n: number; answer: Promise<Answer> }> {
    this.#queued++
    const run = this.#turn.then(async () => {
      const link = linkSignals(signal, this.#stopping.signal)
      try {
        while (this.#slots === 0) {
          link.signal.throwIfAborted()
          await raceSignal(new Promise<void>(resolve => (this.#freed = resolve)), link.signal)
        }
        while (!this.#bucket.take()) await this.#init.clock.sleep(1000 / SEND_PER_SECOND, { signal: link.signal })
        link.signal.throwIfAborted()
        const open = this.#current ?? (await this.#open(link.signal))
        const { n, answer } = this.#register(open)
        // Without the signal: a number that was given out must be sent.
        await open.channel.send({ ...frame, n } as Frame).catch((err: unknown) => this.#fail(open, toError(err)))
        return { open, n, answer }
      } finally {
        link.clear()
        this.#queued--
        this.#restartIdle()
      }
    })
    this.#turn = run.catch(() => {})
    return run
  }

  #register(open: Open): { n: number; answer: Promise<Answer> } {
    const n = ++open.lastN
    this.#slots--
    const answer = new Promise<Answer>((resolve, reject) => open.inFlight.set(n, { resolve, reject }))
    answer.catch(() => {})
    return { n, answer }
  }

  async #open(signal: AbortSignal): Promise<Open> {
    const { stream, peer } = await this.#init.open({ signal })
    const frames = frameStream(stream, { maxFrameBytes: MAX_CONTROL_FRAME_BYTES })
    const open: Open = {
      ...{ peer, inFlight: new Map(), lastN: 0 },
      channel: messageChannel<Answer, Frame>(frames, answerSchema, 'an answer')
    }
    this.#current = open
    void this.#readAnswers(open)
    return open
  }

  async #readAnswers(open: Open): Promise<void> {
    try {
      for (;;) {
        const answer = await open.channel.receiveOrEnd()
        if (answer === undefined) throw wireError('STREAM_CLOSED', 'the device closed the stream')
        const call = open.inFlight.get(answer.n)
        if (call === undefined)
          throw wireError('UNEXPECTED_MESSAGE', `an answer to frame ${answer.n}, which is not open`)
        this.#release(open, answer.n)
        call.resolve(answer)
      }
    } catch (err) {
      this.#fail(open, toError(err))
    }
  }

  #release(open: Open, n: number): void {
    if (!open.inFlight.delete(n)) return
    this.#slots++
    this.#freed?.()
    this.#freed = undefined
    this.#restartIdle()
  }

  #cancel(open: Open, request: number): void {
    const { n } = this.#register(open)
    open.channel.send({ type: 'cancel', n, request }).catch((err: unknown) => this.#fail(open, toError(err)))
  }

  #fail(open: Open, reason: Error): void {
    if (this.#current === open) this.#current = undefined
    open.channel.frames.abort(reason)
    for (const [n, call] of [...open.inFlight]) {
      this.#release(open, n)
      call.reject(reason)
    }
  }

  /** Closes the stream once nothing was said for a while. */
  #restartIdle(): void {
    this.#idle?.clear()
    this.#idle = undefined
    const open = this.#current
    if (open === undefined || this.#queued > 0 || open.inFlight.size > 0) return
    this.#idle = this.#init.clock.timer(() => {
      if (this.#current !== open || this.#queued > 0 || open.inFlight.size > 0) return
      this.#current = undefined
      // The reader ends when the other side closes too; one that does not is cut.
      const limit = patientDeadline(open.peer, HEADER_TIMEOUT_MS, 'closing a stream')
      limit.signal.addEventListener('abort', () => this.#fail(open, toError(limit.signal.reason)), { once: true })
      open.channel.frames.stream.addEventListener('close', () => limit.clear(), { once: true })
      open.channel.frames.closeWrite().catch((err: unknown) => this.#fail(open, toError(err)))
    }, IDLE_CLOSE_MS)
  }
}
