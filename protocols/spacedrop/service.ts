import { type DeviceId, hasCode, type Logger, pathBytes, SpacedriveError } from '../../storage/base/index.js'
import type { Manifest } from '../transfer/index.js'
import {
  CONTROL_MESSAGE_BURST,
  CONTROL_MESSAGES_PER_SECOND,
  Courier,
  type PeerHandler,
  TokenBucket
} from '../wire/index.js'
import { OfferBook } from './book.js'
import { OfferDesk } from './desk.js'
import { resolveOffer } from './ids.js'
import { type AcceptOptions, Incoming } from './incoming.js'
import type { OfferUpdate, SpacedropInit, SpacedropService } from './index.js'
import { STREAMS_PER_DEVICE } from './limits.js'
import { Mover } from './mover.js'
import { hasEnded } from './offer.js'
import { type OfferKey, offerWrites } from './offers.worker.js'
import { Outgoing, type PrepareOptions, type What } from './outgoing.js'
import type { Rule } from './rules.js'
import { serve } from './serve.js'
import { cleanSpool } from './spool.js'
import { hasRule, listOffers, type Offer, openOffers, readRule } from './store.js'
import { Teller } from './teller.js'

export class Spacedrop implements SpacedropService {
  readonly #init: SpacedropInit
  readonly #protocol: string
  readonly #log: Logger
  readonly #book: OfferBook
  readonly #mover: Mover
  readonly #outgoing: Outgoing
  readonly #incoming: Incoming
  readonly #teller: Teller
  readonly #desk: OfferDesk
  readonly #buckets = new Map<DeviceId, TokenBucket>()
  #courier: Courier | undefined
  #offConnected = (): void => {}
  #offTroubled = (): void => {}
  #stopping = new AbortController()

  constructor(init: SpacedropInit, protocol: string) {
    this.#init = init
    this.#protocol = protocol
    this.#log = init.log.child('spacedrop')
    const { db, network, transfers, messages, clock, random, events, pool, dataDir, spoolDir, downloads } = init
    const { manifests } = transfers
    const log = this.#log
    const book = new OfferBook({ db, manifests, clock, events, log })
    this.#book = book
    this.#mover = new Mover({ book, transfers, messages, pool, log })
    this.#outgoing = new Outgoing({ book, manifests, clock, random, spoolDir, log })
    this.#incoming = new Incoming({ book, manifests, clock, events, log, dataDir, downloads })
    this.#teller = new Teller({
      ...{ book, mover: this.#mover, manifests, network, log },
      protocol,
      nowMs: () => clock.nowMs()
    })
    this.#desk = new OfferDesk({
      ...{ book, mover: this.#mover, incoming: this.#incoming, teller: this.#teller },
      wake: device => this.#courier?.wake(device)
    })
    book.idle = offer => this.#mover.idle(offer)
    // Whoever was offered it is told that it is over; who was offered and did not answer says nothing.
    book.onExpired = offer => ({ untold: offer.direction === 'out' && this.#teller.mayBeKnown(offer) ? 1 : 0 })
  }

  async start(): Promise<void> {
    const { network, clock, trust } = this.#init
    this.#stopping = new AbortController()
    const log = this.#log
    const courier = new Courier({
      network,
      clock,
      log,
      work: (device, signal) => this.#teller.tellNext(device, signal)
    })
    this.#courier = courier
    await this.#book.start()
    await cleanSpool(this.#init.spoolDir, openOffers(this.#book.db, 'out'), clock.nowMs())
    for (const offer of [...openOffers(this.#book.db, 'in'), ...openOffers(this.#book.db, 'out')]) {
      if (!trust.isPaired(offer.device)) await this.forget(offer.device)
      else if (offer.state === 'accepted' || offer.state === 'held') this.#mover.run(offer)
    }
    await network.handle(this.#protocol, this.#serve, { maxInboundStreams: STREAMS_PER_DEVICE })
    this.#offConnected = network.onConnected(peer => courier.wake(peer.device))
    for (const peer of network.connected()) courier.wake(peer.device)
    this.#offTroubled = this.#init.events.on('device:troubled', ({ device, problem }) => {
      if (problem !== 'runs-twice')
        this.#lost(device as DeviceId).catch(err => log.error('could not end drops', { err }))
    })
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#offConnected()
    this.#offTroubled()
    await this.#init.network.unhandle(this.#protocol)
    this.#stopping.abort(new SpacedriveError('STOPPED', 'the program is stopping'))
    await this.#courier?.stop()
    await this.#mover.stop()
    await this.#book.stop()
  }

  async offer(device: DeviceId, what: What, options?: PrepareOptions): Promise<Offer> {
    const { trust } = this.#init
    if (!trust.isPaired(device)) {
      throw new SpacedriveError('NOT_PAIRED', `${trust.nameOf(device)} is not paired with this device`, {
        hint: '`spacedrive network devices` lists the paired ones; `spacedrive network pair generate` pairs another.'
      })
    }
    const offer = await this.#outgoing.prepare(device, what, options)
    this.#courier?.wake(device)
    return offer
  }

  async accept(key: OfferKey, options: AcceptOptions): Promise<Offer> {
    const offer = this.#find(key)
    this.#ensureIncoming(offer)
    if (offer.state !== 'pending' && offer.state !== 'held') throw overAlready(offer)
    const accepted = await this.#incoming.accept(offer, options, 'us').catch(err => {
      throw this.#orOver(offer, err)
    })
    if (accepted.state !== 'accepted') throw overAlready(accepted)
    this.#mover.run(accepted)
    this.#courier?.wake(offer.device)
    return accepted
  }

  async end(key: OfferKey): Promise<Offer> {
    const offer = this.#find(key)
    const event = offer.direction === 'in' ? 'declined' : 'cancelled'
    // Of an offer that never left there is nothing to tell.
    const untold = offer.direction === 'in' || this.#teller.mayBeKnown(offer) ? 1 : 0
    const stepped = await this.#book.step(offer, event, {
      answered_by: 'us',
      untold,
      code: 'CANCELLED',
      message: 'it was cancelled here'
    })
    if (stepped?.changed !== true) throw overAlready(stepped?.offer ?? offer)
    if (offer.state === 'accepted' || offer.state === 'held') await this.#mover.cancel(offer)
    this.#courier?.wake(offer.device)
    return stepped.offer
  }

  wait(key: OfferKey, onUpdate: (update: OfferUpdate) => void, { signal }: { signal: AbortSignal }): Promise<Offer> {
    const look = (offer: Offer): boolean => {
      onUpdate({ offer, progress: this.#book.progressOf(offer) })
      return hasEnded(offer.state) || offer.state === 'held'
    }
    return this.#book.until(key, look, signal)
  }

  list(options?: { all?: boolean }): { offer: Offer; progress: OfferUpdate['progress'] }[] {
    return listOffers(this.#book.db, options).map(offer => ({ offer, progress: this.#book.progressOf(offer) }))
  }

  find(key: OfferKey): Offer | undefined {
    return this.#book.find(key)
  }

  resolve(text: string): Offer {
    return resolveOffer(this.#book.db, text, this.#init.trust.nameOf)
  }

  async judge(key: OfferKey, options?: Pick<AcceptOptions, 'to' | 'links'>): ReturnType<SpacedropService['judge']> {
    const offer = this.#find(key)
    if (offer.manifest === undefined) throw overAlready(offer)
    return this.#incoming.judge(offer, options).catch(err => {
      throw this.#orOver(offer, err)
    })
  }

  entries(key: OfferKey): ReturnType<SpacedropService['entries']> {
    const offer = this.#find(key)
    if (offer.manifest === undefined) throw overAlready(offer)
    return this.#listed(offer, offer.manifest)
  }

  async *#listed(key: OfferKey, manifest: Manifest): ReturnType<SpacedropService['entries']> {
    try {
      yield* this.#init.transfers.manifests.entries(manifest)
    } catch (err) {
      throw this.#orOver(key, err)
    }
  }

  /** The list of names goes with its offer, which may be over while somebody reads it. */
  #orOver(key: OfferKey, err: unknown): unknown {
    const offer = hasCode(err, 'ENOENT') ? this.#book.find(key) : undefined
    return offer !== undefined && hasEnded(offer.state) ? overAlready(offer) : err
  }

  rule(device: DeviceId): Rule {
    return readRule(this.#book.db, device)
  }

  hasRule(device: DeviceId): boolean {
    return hasRule(this.#book.db, device)
  }

  async setRule(device: DeviceId, rule: Rule): Promise<void> {
    await this.#book.db.write(offerWrites.setRule, {
      device,
      mode: rule.mode,
      maxBytes: rule.maxBytes ?? null,
      types: rule.types === undefined ? null : JSON.stringify(rule.types),
      to: rule.to === undefined ? null : pathBytes(rule.to),
      at: this.#init.clock.nowMs()
    })
  }

  async dropRule(device: DeviceId): Promise<void> {
    await this.#book.db.write(offerWrites.dropRule, { device })
  }

  cut(device: DeviceId): void {
    this.#abortAll(device, REVOKED)
  }

  async forget(device: DeviceId): Promise<void> {
    await this.#endAll(device, 'cancelled', REVOKED)
    await this.dropRule(device)
    this.#buckets.delete(device)
  }

  readonly #serve: PeerHandler = (stream, peer) =>
    serve(stream, peer, {
      desk: this.#desk,
      bucketOf: device => {
        const bucket =
          this.#buckets.get(device) ??
          new TokenBucket(CONTROL_MESSAGES_PER_SECOND, CONTROL_MESSAGE_BURST, () => this.#init.clock.monotonicMs())
        this.#buckets.set(device, bucket)
        return bucket
      },
      signal: this.#stopping.signal,
      log: this.#log
    })

  /** The device that knows us no more has forgotten what it had with us: nothing of that can go on, and nobody waits for it. */
  async #lost(device: DeviceId): Promise<void> {
    const name = this.#init.trust.nameOf(device)
    const why = `${name} does not know this device any more: it was revoked there, or the data of ${name} was lost`
    await this.#endAll(device, 'failed', new SpacedriveError('NOT_KNOWN_THERE', why))
  }

  #abortAll(device: DeviceId, reason: SpacedriveError): void {
    for (const offer of this.#openOf(device)) this.#mover.abort(offer, reason)
  }

  async #endAll(device: DeviceId, event: 'cancelled' | 'failed', reason: SpacedriveError): Promise<void> {
    this.#abortAll(device, reason)
    for (const offer of this.#openOf(device)) {
      await this.#mover.idle(offer)
      await this.#book.step(offer, event, { code: reason.code, message: reason.message, untold: 0 })
    }
    await this.#init.transfers.forget(device)
  }

  #openOf(device: DeviceId): Offer[] {
    return [...openOffers(this.#book.db, 'in'), ...openOffers(this.#book.db, 'out')].filter(o => o.device === device)
  }

  #find(key: OfferKey): Offer {
    const offer = this.#book.find(key)
    if (offer !== undefined) return offer
    throw new SpacedriveError('UNKNOWN_OFFER', 'there is no such offer', { hint: 'See `spacedrive network offers`.' })
  }

  #ensureIncoming(offer: Offer): void {
    if (offer.direction === 'in') return
    throw new SpacedriveError('NOT_YOURS', 'this is an offer of this device: the other one answers it', {
      hint: `\`spacedrive network decline ${offer.id.slice(0, 8)}\` withdraws it.`
    })
  }
}

const REVOKED = new SpacedriveError('REVOKED', 'the device was revoked')

function overAlready(offer: Offer): SpacedriveError {
  return new SpacedriveError('OFFER_OVER', `the offer is ${offer.state} already`, {
    hint: '`spacedrive network offers --all` shows what became of it.',
    details: { state: offer.state }
  })
}
