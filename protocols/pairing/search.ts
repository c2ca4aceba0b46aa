/**
 * Finds the device that shows a code: the address a person gave, the local network and the DHT, all at the same time. Each
 * candidate is dialled and has to prove that it knows the words; the first that does is the one, the others are left alone.
 */
import { type Clock, hasCode, type Logger, linkSignals, toError } from '../../storage/base/index.js'
import { advertisementKey, openAdvertisement } from './advertisement.js'
import type { CodeKeys } from './derive.js'
import { pairingError } from './errors.js'
import { type GuestComponents, type GuestInit, visit } from './guest.js'
import { lanServiceName } from './lan-tag.js'
import {
  DIAL_TIMEOUT_MS,
  LOOKUP_INTERVAL_MS,
  MAX_CANDIDATES,
  MAX_PARALLEL_CANDIDATES,
  RETRY_MS,
  SEARCH_TIMEOUT_MS,
  SLOW_CANDIDATE_MS
} from './limits.js'
import type { Candidate, LocalIdentity, PairingNetwork } from './ports.js'
import type { PairingPeerInfo } from './session.js'
import { deadlineOn } from './wire.js'

export interface SearchInit extends Omit<GuestInit, 'choose' | 'signal' | 'local'> {
  readonly local: LocalIdentity
  /** What the person said: addresses, and the device where a link named it. */
  readonly given: Candidate | undefined
  readonly signal: AbortSignal
  /** Somebody has proven that it knows the words. */
  found(): void
}

export interface SearchComponents extends GuestComponents {
  readonly network: PairingNetwork
  readonly log: Logger
  readonly clock: Clock
}

/** @returns the device we are paired with. @throws PAIRING_NOT_FOUND, PAIRING_REFUSED, and what `visit` throws once somebody was chosen */
export async function search(init: SearchInit, components: SearchComponents): Promise<PairingPeerInfo> {
  const run = new Search(init, components)
  try {
    return await run.result()
  } finally {
    run.end()
  }
}

interface Tried {
  readonly where: string
  readonly error: Error
}

class Search {
  readonly #init: SearchInit
  readonly #c: SearchComponents
  /** Ends the looking and whoever was not chosen; the chosen one goes on. */
  readonly #others = new AbortController()
  readonly #busy = new Set<string>()
  readonly #queue: { candidate: Candidate; given: boolean }[] = []
  readonly #failedAtMs = new Map<string, number>()
  readonly #tried: Tried[] = []
  #sources = 0
  /** Attempts under way, and those of them that take a place (the slow ones do not). */
  #attempts = 0
  #running = 0
  #looked = 0
  #chosen = false
  #settle!: { resolve(peer: PairingPeerInfo): void; reject(err: unknown): void }

  constructor(init: SearchInit, components: SearchComponents) {
    this.#init = init
    this.#c = components
  }

  async result(): Promise<PairingPeerInfo> {
    const { signal, keys, given } = this.#init
    const outcome = new Promise<PairingPeerInfo>((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    const onAbort = (): void => this.#settle.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const limit = deadlineOn(this.#c.clock, SEARCH_TIMEOUT_MS, 'the search', this.#others.signal)
    limit.signal.addEventListener('abort', () => this.#notFound(), { once: true })
    try {
      signal.throwIfAborted()
      const looking = linkSignals(limit.signal, signal)
      void this.#source(this.#given(given))
      void this.#source(this.#onLan(keys, looking.signal))
      if (this.#c.network.discovery().includes('dht')) void this.#source(this.#inDht(keys, looking.signal))
      return await outcome.finally(() => looking.clear())
    } finally {
      signal.removeEventListener('abort', onAbort)
      limit.clear()
    }
  }

  end(): void {
    this.#others.abort(pairingError('CANCELLED', 'the search is over'))
  }

  async #source(candidates: AsyncIterable<{ candidate: Candidate; given: boolean }>): Promise<void> {
    this.#sources += 1
    try {
      for await (const next of candidates) this.#offer(next.candidate, next.given)
    } catch (err) {
      if (!this.#others.signal.aborted) this.#c.log.debug('a way of finding the other device failed', { err })
    }
    this.#sources -= 1
    this.#notFoundIfIdle()
  }

  async *#given(given: Candidate | undefined): AsyncGenerator<{ candidate: Candidate; given: boolean }> {
    if (given !== undefined && given.addresses.length > 0) yield { candidate: given, given: true }
  }

  async *#onLan(keys: CodeKeys, signal: AbortSignal): AsyncGenerator<{ candidate: Candidate; given: boolean }> {
    for await (const candidate of this.#c.network.browse(lanServiceName(keys), { signal })) {
      yield { candidate, given: false }
    }
  }

  async *#inDht(keys: CodeKeys, signal: AbortSignal): AsyncGenerator<{ candidate: Candidate; given: boolean }> {
    const key = advertisementKey(keys)
    let highest = -1
    while (!signal.aborted) {
      for await (const value of this.#c.network.lookup(key, { signal })) {
        try {
          const candidate = openAdvertisement(keys, value, this.#c.clock.nowMs())
          if (candidate.seq < highest) continue // an older one of the same code: replayed, or not yet replaced
          highest = candidate.seq
          yield { candidate, given: false }
        } catch (err) {
          this.#c.log.debug('a value of the DHT was not taken', { reason: toError(err).message })
        }
      }
      await this.#c.clock.sleep(LOOKUP_INTERVAL_MS, { signal })
    }
  }

  #offer(candidate: Candidate, given: boolean): void {
    const { device } = candidate
    if (device !== undefined && device === this.#init.local.device) return
    const wanted = this.#init.given?.device
    if (wanted !== undefined && device !== undefined && device !== wanted) return // the link names another
    const id = device ?? candidate.addresses.join()
    const failedAt = this.#failedAtMs.get(id) ?? Number.NEGATIVE_INFINITY
    const soon = this.#c.clock.monotonicMs() - failedAt < RETRY_MS
    if (this.#chosen || this.#busy.has(id) || soon || this.#looked >= MAX_CANDIDATES) return
    this.#looked += 1
    this.#busy.add(id)
    const pinned = wanted === undefined || device !== undefined ? candidate : { ...candidate, device: wanted }
    this.#queue.push({ candidate: pinned, given })
    this.#next()
  }

  #next(): void {
    while (this.#running < MAX_PARALLEL_CANDIDATES) {
      const next = this.#queue.shift()
      if (next === undefined) return
      this.#running += 1
      this.#attempts += 1
      let placed = true
      const leave = (): void => {
        if (!placed) return
        placed = false
        this.#running -= 1
        this.#next()
      }
      const timer = this.#c.clock.timer(leave, SLOW_CANDIDATE_MS)
      void this.#attempt(next.candidate, next.given).finally(() => {
        timer.clear()
        this.#attempts -= 1
        leave()
        this.#notFoundIfIdle()
      })
    }
  }

  async #attempt(candidate: Candidate, given: boolean): Promise<void> {
    const id = candidate.device ?? candidate.addresses.join()
    const { signal, local } = this.#init
    const alone = new AbortController()
    // Whoever is chosen outlives the search; the others end with it.
    const endWithOthers = (): void => alone.abort(this.#others.signal.reason)
    this.#others.signal.addEventListener('abort', endWithOthers, { once: true })
    const linked = linkSignals(alone.signal, signal)
    let chosen = false
    try {
      linked.signal.throwIfAborted()
      const limit = deadlineOn(this.#c.clock, DIAL_TIMEOUT_MS, 'the connection', linked.signal)
      const stream = await this.#c.network.dial(candidate, { signal: limit.signal }).finally(() => limit.clear())
      if (candidate.device !== undefined && stream.peer.device !== candidate.device) {
        stream.release()
        throw pairingError('NOT_PROVEN', `another device answers there: ${stream.peer.device}`)
      }
      const choose = (): boolean => {
        if (this.#chosen || linked.signal.aborted) return false
        chosen = true
        this.#chosen = true
        this.#others.signal.removeEventListener('abort', endWithOthers)
        this.end()
        this.#init.found()
        return true
      }
      const { keys, keepGrants, show } = this.#init
      this.#settle.resolve(
        await visit(stream, { keys, keepGrants, show, local, choose, signal: linked.signal }, this.#c)
      )
    } catch (err) {
      if (chosen) this.#settle.reject(err)
      else if (!this.#others.signal.aborted) this.#failed(id, candidate, given, toError(err))
    } finally {
      this.#others.signal.removeEventListener('abort', endWithOthers)
      linked.clear()
    }
  }

  #failed(id: string, candidate: Candidate, given: boolean, error: Error): void {
    this.#c.log.info('a device that might show the code did not prove it', {
      device: candidate.device,
      reason: error.message
    })
    this.#tried.push({ where: candidate.addresses[0] ?? candidate.device ?? 'an unknown place', error })
    // Who refused our words would refuse them again, and count it.
    if (!hasCode(error, 'PAIRING_REFUSED')) this.#busy.delete(id)
    this.#failedAtMs.set(id, this.#c.clock.monotonicMs())
    if (given && hasCode(error, 'PAIRING_REFUSED')) this.#settle.reject(error)
  }

  #notFoundIfIdle(): void {
    if (this.#sources === 0 && this.#attempts === 0 && this.#queue.length === 0) this.#notFound()
  }

  /** Nobody was found, or the time is over. */
  #notFound(): void {
    if (this.#chosen) return
    const refused = this.#tried.find(t => hasCode(t.error, 'PAIRING_REFUSED'))
    this.#settle.reject(refused?.error ?? notFound(this.#tried, this.#c.network.discovery()))
  }
}

function notFound(tried: readonly Tried[], ways: readonly ('lan' | 'dht')[]): Error {
  const names = { lan: 'the local network', dht: 'the DHT' } as const
  const where = ways.length === 0 ? 'discovery is off' : `looked in ${ways.map(w => names[w]).join(' and ')}`
  // Who could not be reached names the address itself.
  const reasons = tried
    .slice(-3)
    .map(t => (hasCode(t.error, 'UNREACHABLE') ? t.error.message : `${t.where}: ${t.error.message}`))
  return pairingError(
    'PAIRING_NOT_FOUND',
    `no device that shows this code was found: ${[where, ...reasons].join('; ')}`,
    {
      hint: 'Is the code still shown on the other device, and are both in the same network? Else give its address with --address.',
      details: { tried: tried.map(t => ({ where: t.where, reason: t.error.message })), ways }
    }
  )
}
