/** What is known of one pairing, on either side: for status, events and whoever waits for its end. */
import type { DeviceId, EventBus, SpacedriveError } from '../../storage/base/index.js'
import { type PairingErrorCode, pairingError } from './errors.js'

export type PairingState =
  | 'open' // initiator: the code is shown, nobody has come with it yet
  | 'searching' // joiner: looking for the device that shows the code
  | 'handshake' // the machines talk
  | 'confirming' // initiator: our person compares the four words
  | 'waiting' // joiner: the other person does
  | 'paired'
  | 'failed'
  | 'expired'
  | 'cancelled'

/** The other device, as far as it is known; proven before it is shown. */
export interface PairingPeerInfo {
  readonly device: DeviceId
  readonly name: string
  readonly os: string
  readonly model: string
  /** The four words that both screens show. */
  readonly compare: string
  /** It is paired already, or was: under this name here. */
  readonly knownAs?: string
  /** It has grants or rules here; a new pairing keeps them only if that is said. */
  readonly hasGrants: boolean
  /** Another device here goes by a name that looks the same. */
  readonly looksLike?: { readonly device: DeviceId; readonly name: string }
}

export interface PairingResult {
  readonly session: string
  readonly device: DeviceId
  readonly name: string
  readonly os: string
  readonly model: string
  readonly compare: string
}

export interface PairingStatus {
  readonly session: string
  readonly role: 'initiator' | 'joiner'
  readonly state: PairingState
  /** Of the code, wall clock; the initiator's alone. */
  readonly expiresAt?: number
  readonly peer?: PairingPeerInfo
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string }
  /** What the person should know besides: wrong guesses, the words typed a second time. */
  readonly warnings: readonly string[]
}

export function deferred<T>(): {
  promise: Promise<T>
  resolve(value: T): void
  reject(reason: unknown): void
} {
  let resolve!: (value: T) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

/** Enough for a person to look back on; old ones are forgotten. */
const MAX_WARNINGS = 8

export class Session {
  readonly id: string
  readonly role: 'initiator' | 'joiner'
  readonly outcome: Promise<PairingResult>
  /** Aborted when it is cancelled or over: everything that runs for it ends. */
  readonly over = new AbortController()
  readonly #events: EventBus
  readonly #expiresAt: number | undefined
  readonly #warnings: string[] = []
  #state: PairingState
  #peer: PairingPeerInfo | undefined
  #error: SpacedriveError | undefined
  #settle: { resolve(result: PairingResult): void; reject(err: SpacedriveError): void }

  constructor(id: string, role: 'initiator' | 'joiner', events: EventBus, expiresAt?: number) {
    this.id = id
    this.role = role
    this.#events = events
    this.#expiresAt = expiresAt
    this.#state = role === 'initiator' ? 'open' : 'searching'
    const { promise, resolve, reject } = deferred<PairingResult>()
    this.outcome = promise
    this.outcome.catch(() => {}) // nobody has to wait for it
    this.#settle = { resolve, reject }
  }

  get state(): PairingState {
    return this.#state
  }

  get peer(): PairingPeerInfo | undefined {
    return this.#peer
  }

  get ended(): boolean {
    return ['paired', 'failed', 'expired', 'cancelled'].includes(this.#state)
  }

  moveTo(state: 'open' | 'searching' | 'handshake' | 'confirming' | 'waiting', peer?: PairingPeerInfo): void {
    if (this.ended) return
    this.#state = state
    this.#peer = peer
    this.#events.emit('pairing:progressed', {
      session: this.id,
      state,
      ...(peer === undefined ? {} : { device: peer.device, name: peer.name, words: peer.compare })
    })
  }

  warn(code: PairingErrorCode | 'MANY_ATTEMPTS', message: string): void {
    if (this.#warnings.length === MAX_WARNINGS) this.#warnings.shift()
    this.#warnings.push(message)
    this.#events.emit('pairing:warned', { session: this.id, code, message })
  }

  complete(peer: PairingPeerInfo): void {
    if (this.ended) return
    this.#state = 'paired'
    this.#peer = peer
    const { device, name, os, model, compare } = peer
    this.#settle.resolve({ session: this.id, device, name, os, model, compare })
    this.#events.emit('pairing:completed', { session: this.id, device, name })
    this.over.abort(pairingError('CANCELLED', 'this pairing is over'))
  }

  fail(err: SpacedriveError, state: 'failed' | 'expired' | 'cancelled' = 'failed'): void {
    if (this.ended) return
    this.#state = state
    this.#error = err
    this.#settle.reject(err)
    if (state === 'expired') this.#events.emit('pairing:expired', { session: this.id })
    else this.#events.emit('pairing:failed', { session: this.id, code: err.code, message: err.message })
    this.over.abort(err)
  }

  status(): PairingStatus {
    const error = this.#error
    return {
      session: this.id,
      role: this.role,
      state: this.#state,
      warnings: [...this.#warnings],
      ...(this.#expiresAt === undefined ? {} : { expiresAt: this.#expiresAt }),
      ...(this.#peer === undefined ? {} : { peer: this.#peer }),
      ...(error === undefined
        ? {}
        : {
            error: {
              code: error.code,
              message: error.message,
              ...(error.hint === undefined ? {} : { hint: error.hint })
            }
          })
    }
  }
}
