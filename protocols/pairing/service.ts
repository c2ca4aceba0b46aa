import type { Stream } from '@libp2p/interface'
import {
  type Clock,
  type EventBus,
  type Logger,
  linkSignals,
  newUuid,
  type Random,
  SpacedriveError,
  toError
} from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import { parseAddress, sourceOf } from './address.js'
import { Attempts } from './attempts.js'
import { burnedWrites } from './burned.worker.js'
import { Code } from './code.js'
import { codeKeys, ENTROPY_BYTES } from './derive.js'
import { pairingError } from './errors.js'
import { type HostComponents, host } from './host.js'
import { BURN_KEEP_MS, CODE_LIFETIME_MS, MAX_ADDRESSES, MAX_OPEN_CODES } from './limits.js'
import { isLink, makeLink, parseLink } from './link.js'
import type { JoinOptions, OpenCode, OpenOptions, Pairing } from './pairing.js'
import type { Candidate, LocalIdentity, LocalInfo, PairedDevices, PairingNetwork, PairingPeer } from './ports.js'
import { publish } from './publish.js'
import { search } from './search.js'
import { type PairingResult, type PairingStatus, Session } from './session.js'
import { Turns } from './turns.js'
import { parseWords, wordsOf } from './words.js'

export interface PairingInit {
  readonly network: PairingNetwork
  readonly devices: PairedDevices
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  readonly log: Logger
  /** How this device shows itself to the other one. */
  info(): LocalInfo
}

/** Codes remembered at most: each costs a MAC for every request. */
const MAX_CODES_KEPT = 31
/** Pairings that are over and still shown by `pair status`. */
const MAX_PAST = 16

export class PairingService implements Pairing {
  readonly #i: PairingInit
  readonly #attempts = new Attempts()
  readonly #turns = new Turns()
  /** Codes of the last hour, open or not: a late guest with the right words is recognised. */
  #codes: Code[] = []
  #sessions: Session[] = []
  readonly #running = new Set<Promise<unknown>>()
  #stopping = new AbortController()
  #off: (() => void) | undefined

  constructor(init: PairingInit) {
    this.#i = init
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController()
    this.#off = this.#i.events.on('network:stopped', () => this.#endAll('networking was stopped'))
    await this.#i.network.handle((stream, peer) => this.#serve(stream, peer))
  }

  async stop(): Promise<void> {
    this.#off?.()
    this.#off = undefined
    await this.#i.network.unhandle()
    this.#endAll('the daemon stops')
    this.#stopping.abort(pairingError('CANCELLED', 'the daemon stops'))
    await Promise.allSettled([...this.#running])
  }

  isOpen(): boolean {
    return this.#codes.some(code => code.isOpen())
  }

  async open({ autoAccept = false }: OpenOptions = {}): Promise<OpenCode> {
    const { clock, random, events, network, log } = this.#i
    const local = this.#local()
    if (this.#codes.filter(code => code.isOpen()).length >= MAX_OPEN_CODES) {
      throw pairingError('TOO_MANY_CODES', `${MAX_OPEN_CODES} codes are open already`, {
        hint: 'Wait until one expires, or take one back with `spacedrive network pair cancel`.'
      })
    }
    const entropy = random.bytes(ENTROPY_BYTES)
    const words = wordsOf(entropy)
    const keys = codeKeys(entropy)
    entropy.fill(0)
    if (this.#wasBurned(keys.sessionId)) {
      throw new SpacedriveError('INTERNAL', 'the source of randomness made a code that was used before')
    }
    const code = new Code({ session: newUuid(clock.nowMs(), random), keys, autoAccept, clock, events })
    this.#codes = [...this.#codes.filter(c => !this.#isForgotten(c)).slice(-MAX_CODES_KEPT), code]
    this.#remember(code.session)
    const shown = new AbortController()
    const stopShowing = (): void => shown.abort(pairingError('CANCELLED', 'the code is no longer shown'))
    code.session.over.signal.addEventListener('abort', stopShowing, { once: true })
    code.onBurned = stopShowing
    void this.#run(publish({ keys, local, expiresAtMs: code.expiresAtMs, network, clock, random, log }, shown.signal))
    events.emit('pairing:opened', { session: code.session.id, expiresAt: code.expiresAtMs })
    const addresses = network.addresses()
    const link = makeLink({ words, device: local.device, addresses, expiresAtMs: code.expiresAtMs })
    return { session: code.session.id, words, link, expiresAt: code.expiresAtMs, outcome: code.session.outcome }
  }

  join(
    typed: string,
    { addresses = [], keepGrants = false, signal }: JoinOptions = {}
  ): { session: string; outcome: Promise<PairingResult> } {
    const { clock, random, events, network, log, devices } = this.#i
    const local = this.#local()
    const { words, given } = this.#whatWasTyped(typed, addresses)
    const { entropy } = parseWords(words)
    const keys = codeKeys(entropy)
    entropy.fill(0)
    if (this.#codes.some(code => Buffer.compare(code.keys.sessionId, keys.sessionId) === 0)) {
      throw pairingError('BAD_WORDS', 'these are the words that this device shows', {
        hint: 'Type them on the other device.'
      })
    }
    const session = new Session(newUuid(clock.nowMs(), random), 'joiner', events)
    this.#remember(session)
    const linked = linkSignals(session.over.signal, signal)
    const components = { network, log, clock, random, devices, info: () => this.#i.info() }
    const run = search(
      {
        keys,
        local,
        keepGrants,
        given,
        signal: linked.signal,
        found: () => session.moveTo('handshake'),
        show: peer => session.moveTo('waiting', peer)
      },
      components
    )
      .then(
        peer => session.complete(peer),
        (err: unknown) => session.fail(asPairingError(err), signal?.aborted ? 'cancelled' : 'failed')
      )
      .finally(() => linked.clear())
    void this.#run(run)
    return { session: session.id, outcome: session.outcome }
  }

  status(): readonly PairingStatus[] {
    this.isOpen() // lets what has expired say so
    return this.#sessions.map(session => session.status())
  }

  find(session: string): PairingStatus | undefined {
    return this.status().find(s => s.session === session)
  }

  confirm(session: string | undefined, accept: boolean, keepGrants = false): PairingStatus {
    const waiting = this.#codes.filter(c => c.session.state === 'confirming')
    const code =
      session === undefined && waiting.length === 1 ? waiting[0] : waiting.find(c => c.session.id === session)
    if (code === undefined) {
      const several = session === undefined && waiting.length > 1
      throw pairingError(
        'NOTHING_TO_CONFIRM',
        several ? 'several devices wait for an answer' : 'no device waits for an answer',
        {
          hint: 'See `spacedrive network pair status`.'
        }
      )
    }
    code.answer({ accept, keepGrants })
    return code.session.status()
  }

  cancel(session?: string): readonly string[] {
    const chosen = this.#sessions.filter(s => !s.ended && (session === undefined || s.id === session))
    if (session !== undefined && chosen.length === 0) {
      throw pairingError('NO_SUCH_PAIRING', `no pairing ${session} is going on`, {
        hint: 'See `spacedrive network pair status`.'
      })
    }
    for (const s of chosen) s.fail(pairingError('CANCELLED', 'the pairing was cancelled'), 'cancelled')
    return chosen.map(s => s.id)
  }

  async #serve(stream: Stream, peer: PairingPeer): Promise<void> {
    const { clock, random, log, devices, network } = this.#i
    const local = network.identity
    if (local === undefined) throw networkOff()
    const components: HostComponents = {
      clock,
      random,
      log,
      devices,
      turns: this.#turns,
      info: () => this.#i.info(),
      codes: () => this.#codes,
      mustWait: address => this.#attempts.mustWait(sourceOf(address), clock.monotonicMs()),
      countFailure: address => this.#countFailure(address),
      saveBurn: (code, reason) => this.#saveBurn(code, reason)
    }
    await this.#run(host(stream, peer, local, components, this.#stopping.signal))
  }

  #countFailure(address: string): void {
    if (!this.#attempts.failed(sourceOf(address), this.#i.clock.monotonicMs())) return
    const text = 'many wrong pairing requests came in; somebody may be guessing (the words cannot be guessed)'
    this.#i.log.warn(text, { address })
    for (const code of this.#codes) if (!code.session.ended) code.session.warn('MANY_ATTEMPTS', text)
  }

  async #saveBurn(code: Code, reason: 'used' | 'failed'): Promise<void> {
    const keepUntilMs = code.expiresAtMs + BURN_KEEP_MS
    const nowMs = this.#i.clock.nowMs()
    await this.#i.database.write(burnedWrites.burn, { sessionId: code.keys.sessionId, reason, nowMs, keepUntilMs })
  }

  #wasBurned(sessionId: Uint8Array): boolean {
    return this.#i.database.get('SELECT 1 FROM pairing_burned WHERE session_id = ?', [sessionId]) !== undefined
  }

  #local(): LocalIdentity {
    const local = this.#i.network.identity
    if (local === undefined) throw networkOff()
    return local
  }

  #whatWasTyped(typed: string, addresses: readonly string[]): { words: string; given: Candidate | undefined } {
    const told = addresses.map(parseAddress)
    if (told.length > MAX_ADDRESSES)
      throw pairingError('BAD_ADDRESS', `at most ${MAX_ADDRESSES} addresses can be given`)
    const devices = new Set(told.flatMap(t => t.device ?? []))
    if (devices.size > 1) throw pairingError('BAD_ADDRESS', 'the addresses name different devices')
    const [device] = devices
    if (!isLink(typed)) {
      const given = { addresses: told.map(t => t.address), ...(device === undefined ? {} : { device }) }
      return { words: typed, given: told.length === 0 ? undefined : given }
    }
    const link = parseLink(typed)
    if (link.expiresAtMs + CODE_LIFETIME_MS < this.#i.clock.nowMs()) {
      throw pairingError('CODE_EXPIRED', 'this code has expired', { hint: 'Make a new one on the other device.' })
    }
    return {
      words: link.words,
      given: { device: link.device, addresses: [...told.map(t => t.address), ...link.addresses] }
    }
  }

  #isForgotten(code: Code): boolean {
    return this.#i.clock.nowMs() > code.expiresAtMs + BURN_KEEP_MS
  }

  #remember(session: Session): void {
    const past = this.#sessions.filter(s => s.ended)
    const dropped = new Set(past.slice(0, Math.max(0, past.length - MAX_PAST + 1)))
    this.#sessions = [...this.#sessions.filter(s => !dropped.has(s)), session]
  }

  #endAll(why: string): void {
    for (const session of this.#sessions) {
      if (!session.ended) session.fail(pairingError('CANCELLED', `the pairing was cancelled: ${why}`), 'cancelled')
    }
  }

  #run<T>(promise: Promise<T>): Promise<T> {
    this.#running.add(promise)
    promise.finally(() => this.#running.delete(promise)).catch(() => {})
    return promise
  }
}

function networkOff(): SpacedriveError {
  return pairingError('NETWORK_OFF', 'pairing needs networking, and it is off', {
    hint: 'Run `spacedrive network start`.'
  })
}

function asPairingError(err: unknown): SpacedriveError {
  return err instanceof SpacedriveError
    ? err
    : pairingError('PAIRING_INTERRUPTED', `the pairing failed: ${toError(err).message}`, { cause: err })
}
