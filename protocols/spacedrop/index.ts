/**
 * Spacedrop `/spacedrive/spacedrop/1.0.0`: files, folders and texts from one person's device to another
 * (docs/protocols/spacedrop.md). Content moves by `protocols/transfer`; this is what happens before and around it.
 *
 *   const drops = spacedrop({ db, network, trust, transfers, messages, ... })
 *   await drops.start()
 *   const offer = await drops.offer(device, { kind: 'files', paths: [folder] })   // here
 *   await drops.accept(theirs, { only: ['*.jpg'] })                               // there, by a person; or by a rule
 *   await drops.wait(offer, update => show(update.progress), { signal })          // here, to the end
 *
 * How it works. `outgoing.ts` walks what is offered and writes its list of names (the manifest); `teller.ts` offers it as soon
 * as the device is connected, and says everything else that has to be said until it was heard; `serve.ts` takes what the
 * other side says; `incoming.ts` keeps offers, judges their names (`judge.ts`, `names.ts`, `links.ts`) and accepts by a
 * person's word or a rule (`rules.ts`); `mover.ts` runs the transfer of what was accepted, over restarts. What may become of an
 * offer is a table (`offer.ts`); each change is one transaction (`offers.worker.ts`) and goes through the book (`book.ts`).
 */
import type {
  AbsPath,
  Clock,
  DeviceId,
  EventBus,
  Logger,
  ProgressFields,
  Random,
  Startable,
  WorkerPool
} from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Messaging } from '../messaging/index.js'
import type { ManifestEntry, TransferService } from '../transfer/index.js'
import type { PeerNetwork, PeerTrust } from '../wire/index.js'
import type { AcceptOptions } from './incoming.js'
import type { Judgement } from './judge.js'
import type { OfferKey } from './offers.worker.js'
import type { PrepareOptions, What } from './outgoing.js'
import type { Rule } from './rules.js'
import { Spacedrop } from './service.js'
import type { Offer } from './store.js'

export { downloadsFolder } from './downloads.js'
export { SHOWN_ID_LETTERS } from './ids.js'
export type { AcceptOptions } from './incoming.js'
export type { Judgement } from './judge.js'
export * as spacedropLimits from './limits.js'
export { hasEnded, type OfferState } from './offer.js'
export type { OfferKey } from './offers.worker.js'
export type { PrepareOptions, What } from './outgoing.js'
export type { Rule } from './rules.js'
export type { Offer, OfferResult } from './store.js'

export const SPACEDROP_PROTOCOL = '/spacedrive/spacedrop/1.0.0'

export interface SpacedropInit {
  db: Database
  network: PeerNetwork
  trust: PeerTrust
  transfers: TransferService
  messages: Pick<Messaging, 'recordText'>
  events: EventBus
  clock: Clock
  random: Random
  pool: WorkerPool
  log: Logger
  dataDir: AbsPath
  /** Where standard input lies that is to be sent, put there by the command line. */
  spoolDir: AbsPath
  /** Where drops go unless a person or a rule says otherwise; made when it is missing. */
  downloads(): AbsPath
}

export interface OfferUpdate {
  readonly offer: Offer
  readonly progress: ProgressFields | undefined
}

export interface SpacedropService extends Startable {
  /**
   * Offers something to a paired device; resolves when the offer is kept here. It is made when the device is connected.
   * @throws NOT_PAIRED, NOT_FOUND, TOO_MANY (offers that wait), TOO_MANY_ENTRIES, TOO_LARGE, EMPTY, NO_SPACE
   */
  offer(device: DeviceId, what: What, options?: PrepareOptions): Promise<Offer>
  /**
   * Accepts an offer made to us; it is received from now on, also over restarts.
   * @throws OFFER_OVER, NOT_YOURS, NO_SPACE, NOT_FOUND, NOT_A_FOLDER, READ_ONLY, OURS, BAD_PATTERN, NOTHING_LEFT
   */
  accept(key: OfferKey, options: AcceptOptions): Promise<Offer>
  /** Declines what is offered to us, withdraws what we offer, ends what is being moved. @throws OFFER_OVER */
  end(key: OfferKey): Promise<Offer>
  /** Resolves when the offer has ended (or is held). `onUpdate` is called at once and at each change. @throws signal.reason */
  wait(key: OfferKey, onUpdate: (update: OfferUpdate) => void, options: { signal: AbortSignal }): Promise<Offer>
  /** Newest first; those that have ended too with `all`. */
  list(options?: { all?: boolean }): OfferUpdate[]
  find(key: OfferKey): Offer | undefined
  /** By the first letters of an id. @throws UNKNOWN_OFFER, AMBIGUOUS_OFFER */
  resolve(text: string): Offer
  /** What would be taken of an offer, and what not. @throws OFFER_OVER */
  judge(key: OfferKey, options?: Pick<AcceptOptions, 'to' | 'links'>): Promise<Judgement>
  /** Everything it holds, a page at a time. @throws OFFER_OVER once the list is gone */
  entries(key: OfferKey): AsyncIterable<readonly ManifestEntry[]>

  rule(device: DeviceId): Rule
  hasRule(device: DeviceId): boolean
  setRule(device: DeviceId, rule: Rule): Promise<void>
  dropRule(device: DeviceId): Promise<void>

  /** The device is revoked: what moves is aborted, at once. */
  cut(device: DeviceId): void
  /** ... and what was kept for it goes: offers, rules, partial transfers. What arrived stays. */
  forget(device: DeviceId): Promise<void>
}

export function spacedrop(init: SpacedropInit): SpacedropService {
  return new Spacedrop(init, SPACEDROP_PROTOCOL)
}
