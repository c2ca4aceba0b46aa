import { dirname } from 'node:path'
import {
  type AbsPath,
  type Clock,
  type EventBus,
  type Logger,
  type ProgressFields,
  SpacedriveError
} from '../../storage/base/index.js'
import { removeEmptyDir, removeFile } from '../../storage/files/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { ManifestStore } from '../transfer/index.js'
import { hasEnded, type InEvent, type OutEvent } from './offer.js'
import { type NewOffer, type OfferFields, type OfferKey, offerWrites } from './offers.worker.js'
import { findOffer, type Offer, openOffers, uncleaned } from './store.js'

export interface BookInit {
  db: Database
  manifests: ManifestStore
  clock: Clock
  events: EventBus
  log: Logger
}

/** A timer cannot be set for longer than 24 days; this often is enough to look again. */
const MAX_TIMER_MS = 24 * 60 * 60 * 1000

export const keyOf = ({ direction, device, id }: OfferKey): string => `${direction}:${device}:${id}`

/** The offers there are: every change of one goes through here, is told to who watches it, and is cleaned up after. */
export class OfferBook {
  readonly #init: BookInit
  readonly #watchers = new Map<string, Set<() => void>>()
  readonly #progress = new Map<string, ProgressFields>()
  readonly #timers = new Map<string, { clear(): void }>()
  readonly #cleaning = new Set<Promise<void>>()
  /** Resolves when no transfer reads the offer's list of names any more. */
  idle: (offer: Offer) => Promise<void> = async () => {}
  /** Called for an offer whose time is over, before it is stepped: what else has to happen then. */
  onExpired: (offer: Offer) => OfferFields = () => ({})

  constructor(init: BookInit) {
    this.#init = init
  }

  get db(): Database {
    return this.#init.db
  }

  /** Takes up the offers of an earlier run: their expiry goes on, what a crash left to clean is cleaned. */
  async start(): Promise<void> {
    for (const offer of uncleaned(this.db)) await this.#clean(offer)
    for (const offer of [...openOffers(this.db, 'in'), ...openOffers(this.db, 'out')]) this.#arm(offer)
  }

  /** After everything that steps offers has stopped. */
  async stop(): Promise<void> {
    for (const timer of this.#timers.values()) timer.clear()
    this.#timers.clear()
    await Promise.all(this.#cleaning)
  }

  find(key: OfferKey): Offer | undefined {
    return findOffer(this.db, key)
  }

  /** @throws TOO_MANY */
  async add(offer: NewOffer): Promise<Offer> {
    await this.db.write(offerWrites.insert, offer)
    const added = this.find(offer)!
    this.#arm(added)
    this.#tell(added)
    return added
  }

  /** @returns the offer afterwards and whether this call changed it; undefined when there is none */
  async step(
    key: OfferKey,
    event: OutEvent | InEvent,
    fields: OfferFields = {}
  ): Promise<{ offer: Offer; changed: boolean } | undefined> {
    const { id, device, direction } = key
    const at = this.#init.clock.nowMs()
    const stepped = await this.db.write(offerWrites.step, { id, device, direction, event, at, fields })
    if (stepped === undefined) return undefined
    const offer = this.find(key)
    if (offer === undefined) return undefined
    if (!stepped.changed) return { offer, changed: false }
    this.#announce(offer, event)
    if (hasEnded(offer.state)) {
      this.#progress.delete(keyOf(key))
      const cleaning = this.idle(offer).then(() => this.#clean(offer))
      this.#cleaning.add(cleaning)
      void cleaning.finally(() => this.#cleaning.delete(cleaning))
    }
    this.#arm(offer)
    this.#tell(offer)
    return { offer, changed: true }
  }

  async told(key: OfferKey): Promise<void> {
    const { id, device, direction } = key
    await this.db.write(offerWrites.told, { id, device, direction })
  }

  progressOf(key: OfferKey): ProgressFields | undefined {
    return this.#progress.get(keyOf(key))
  }

  progressed(key: OfferKey, progress: ProgressFields): void {
    this.#progress.set(keyOf(key), progress)
    this.#tell(key)
  }

  /** @returns a function that takes the listener off */
  watch(key: OfferKey, listener: () => void): () => void {
    const k = keyOf(key)
    const set = this.#watchers.get(k) ?? new Set()
    this.#watchers.set(k, set.add(listener))
    return () => {
      set.delete(listener)
      if (set.size === 0) this.#watchers.delete(k)
    }
  }

  /** The offer as soon as it fits. @throws signal.reason; UNKNOWN_OFFER when it is not remembered any more */
  async until(key: OfferKey, fits: (offer: Offer) => boolean, signal: AbortSignal): Promise<Offer> {
    let wake = (): void => {}
    const off = this.watch(key, () => wake())
    const onAbort = (): void => wake()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      for (;;) {
        const changed = new Promise<void>(resolve => {
          wake = resolve
        })
        signal.throwIfAborted()
        const offer = this.find(key)
        if (offer === undefined) throw new SpacedriveError('UNKNOWN_OFFER', 'the offer is not remembered any more')
        if (fits(offer)) return offer
        await changed
      }
    } finally {
      off()
      signal.removeEventListener('abort', onAbort)
    }
  }

  #tell(key: OfferKey): void {
    for (const listener of [...(this.#watchers.get(keyOf(key)) ?? [])]) listener()
  }

  /** The rest is told by the transfer itself (`transfer:*`). */
  #announce(offer: Offer, event: string): void {
    const { events } = this.#init
    const about = { offer: offer.id as string, device: offer.device as string }
    const by = offer.answeredBy === 'them' ? 'them' : 'us'
    if (event === 'accepted') events.emit('offer:accepted', { ...about, by })
    else if (offer.state === 'declined') events.emit('offer:declined', { ...about, by })
    else if (offer.state === 'expired') events.emit('offer:expired', about)
  }

  /** Expiry of what waits for an answer. */
  #arm(offer: Offer): void {
    const key = keyOf(offer)
    this.#timers.get(key)?.clear()
    this.#timers.delete(key)
    if (!['waiting', 'offered', 'pending'].includes(offer.state)) return
    const left = Math.max(0, offer.expiresMs - this.#init.clock.nowMs())
    const timer = this.#init.clock.timer(
      () => {
        this.#timers.delete(key)
        const now = this.find(offer)
        if (now === undefined) return
        if (now.expiresMs > this.#init.clock.nowMs()) this.#arm(now)
        else
          this.step(now, 'expired', this.onExpired(now)).catch((err: unknown) =>
            this.#init.log.error('an offer could not expire', { offer: offer.id, err })
          )
      },
      Math.min(left, MAX_TIMER_MS)
    )
    this.#timers.set(key, timer)
  }

  /** The list of names, and what was spooled for it: ours, by names that we made. */
  async #clean(offer: Offer): Promise<void> {
    try {
      if (offer.manifest !== undefined) await this.#init.manifests.discard(offer.manifest)
      if (offer.spool !== undefined) {
        await removeFile(offer.spool)
        await removeEmptyDir(dirname(offer.spool) as AbsPath)
      }
      await this.db.write(offerWrites.cleaned, { id: offer.id, device: offer.device, direction: offer.direction })
    } catch (err) {
      this.#init.log.error('what belonged to an offer could not be removed', { offer: offer.id, err })
    }
  }
}
