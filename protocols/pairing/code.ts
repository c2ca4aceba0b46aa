/** One code that is or was shown: its time, whether it still pairs, and the person's answer. */
import { type Clock, type DeviceId, type EventBus, linkSignals, raceSignal } from '../../storage/base/index.js'
import type { CodeKeys } from './derive.js'
import { pairingError } from './errors.js'
import { ANSWER_TIMEOUT_MS, CLOCK_STEP_MS, CODE_LIFETIME_MS } from './limits.js'
import { deferred, type PairingPeerInfo, Session } from './session.js'
import { deadlineOn } from './wire.js'

export interface Answer {
  readonly accept: boolean
  /** Only for a device that has grants or rules here: whether they stay. */
  readonly keepGrants: boolean
}

export interface CodeInit {
  readonly session: string
  readonly keys: CodeKeys
  readonly autoAccept: boolean
  readonly clock: Clock
  readonly events: EventBus
}

export class Code {
  readonly session: Session
  readonly keys: CodeKeys
  readonly expiresAtMs: number
  /** Told when it pairs nobody else any more. */
  onBurned: (() => void) | undefined
  /** Who the one verified Response came from. */
  winner: DeviceId | undefined
  readonly #clock: Clock
  readonly #autoAccept: boolean
  readonly #openedMonotonicMs: number
  readonly #timer: { clear(): void }
  #highestWallMs: number
  #burned = false
  #answer: ((answer: Answer) => void) | undefined

  constructor({ session, keys, autoAccept, clock, events }: CodeInit) {
    this.keys = keys
    this.#clock = clock
    this.#autoAccept = autoAccept
    this.#openedMonotonicMs = clock.monotonicMs()
    this.#highestWallMs = clock.nowMs()
    this.expiresAtMs = this.#highestWallMs + CODE_LIFETIME_MS
    this.session = new Session(session, 'initiator', events, this.expiresAtMs)
    this.#timer = clock.timer(() => this.isOpen(), CODE_LIFETIME_MS)
    this.session.over.signal.addEventListener('abort', () => this.#forget(), { once: true })
  }

  /**
   * True while this code may pair. Both clocks decide: the monotonic one, which nobody sets, and the wall clock, which goes
   * on while a laptop sleeps; one that was set back can no longer be believed.
   */
  isOpen(): boolean {
    if (this.#burned || this.session.ended) return false
    const wall = this.#clock.nowMs()
    const setBack = wall < this.#highestWallMs - CLOCK_STEP_MS
    this.#highestWallMs = Math.max(this.#highestWallMs, wall)
    const over =
      setBack || wall >= this.expiresAtMs || this.#clock.monotonicMs() - this.#openedMonotonicMs >= CODE_LIFETIME_MS
    if (!over) return true
    // A handshake that began in time goes on to its end, half a minute at most.
    if (this.session.state === 'open') {
      const why = setBack ? ': the clock of this device was set back' : ''
      const hint = 'Make a new one with `spacedrive network pair generate`.'
      this.session.fail(pairingError('CODE_EXPIRED', `the code has expired${why}`, { hint }), 'expired')
    }
    return false
  }

  /** A handshake ended before it proved anything: the code is shown on, unless its time came meanwhile. */
  reopen(): void {
    this.session.moveTo('open')
    this.isOpen()
  }

  get burned(): boolean {
    return this.#burned
  }

  /** From now on it pairs nobody else. The caller makes it durable. */
  burn(): void {
    this.#burned = true
    this.onBurned?.()
  }

  /** Shows the four words and waits for the person. @throws the signal's reason, the session's when it is cancelled */
  async ask(peer: PairingPeerInfo, signal: AbortSignal): Promise<Answer & { readonly late: boolean }> {
    const { promise, resolve } = deferred<Answer>()
    this.#answer = resolve
    this.session.moveTo('confirming', peer)
    if (this.#autoAccept) resolve({ accept: true, keepGrants: false })
    const ended = linkSignals(signal, this.session.over.signal)
    const limit = deadlineOn(this.#clock, ANSWER_TIMEOUT_MS, 'the answer', ended.signal)
    try {
      return { ...(await raceSignal(promise, limit.signal)), late: false }
    } catch (err) {
      if (ended.signal.aborted) throw err
      return { accept: false, keepGrants: false, late: true }
    } finally {
      this.#answer = undefined
      limit.clear()
      ended.clear()
    }
  }

  /** @throws {SpacedriveError} NOTHING_TO_CONFIRM */
  answer(answer: Answer): void {
    if (this.#answer === undefined) {
      throw pairingError('NOTHING_TO_CONFIRM', 'no device is waiting for an answer', {
        hint: 'See `spacedrive network pair status`.'
      })
    }
    this.#answer(answer)
  }

  /** What could still open something is overwritten, as far as JavaScript allows; what recognises a late guest stays. */
  #forget(): void {
    this.#timer.clear()
    for (const secret of [this.keys.preShared, this.keys.rendezvousSeed, this.keys.rendezvousKey]) secret.fill(0)
  }
}
