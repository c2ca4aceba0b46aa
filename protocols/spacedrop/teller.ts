import { type DeviceId, errorCode, type Logger } from '../../storage/base/index.js'
import type { ManifestStore } from '../transfer/index.js'
import type { CourierOutcome, PeerNetwork } from '../wire/index.js'
import { keyOf, type OfferBook } from './book.js'
import { exchange, offerTo, saidThere } from './exchange.js'
import type { Reply } from './frames.js'
import { OFFER_LIFETIME_MS } from './limits.js'
import type { Mover } from './mover.js'
import { dueFor, type Offer, openOffers } from './store.js'

export interface TellerInit {
  book: OfferBook
  mover: Mover
  manifests: ManifestStore
  network: PeerNetwork
  protocol: string
  nowMs(): number
  log: Logger
}

/** After these the offer is over: no repetition changes them. */
const FINAL = [
  'MALFORMED',
  'REFUSED',
  'CHANGED',
  'FRAME_TOO_LARGE',
  'TOO_MANY_ENTRIES',
  'HASH_MISMATCH',
  'UNKNOWN_TYPE'
]

/** Tells a connected device what it has to hear: offers, answers, withdrawals; each until it was heard. */
export class Teller {
  readonly #init: TellerInit
  /** Offers that were asked after on the present connection: once is enough, their answer comes by itself. */
  readonly #asked = new Map<string, string>()
  /** Offers that were begun to be made: the other side may have them, whatever came of it here. */
  readonly #begun = new Set<string>()

  constructor(init: TellerInit) {
    this.#init = init
  }

  /** Whether the other side may know of an offer of ours. */
  mayBeKnown(offer: Offer): boolean {
    return offer.state !== 'waiting' || this.#begun.has(keyOf(offer))
  }

  /** The next thing that is due for a device. */
  async tellNext(device: DeviceId, signal: AbortSignal): Promise<CourierOutcome> {
    const { book, network } = this.#init
    const open = new Set(openOffers(book.db, 'out').map(keyOf))
    for (const k of this.#asked.keys()) if (!open.has(k)) this.#asked.delete(k)
    for (const k of this.#begun) if (!open.has(k)) this.#begun.delete(k)
    const session = network.session(device)?.id ?? ''
    const due = dueFor(book.db, device).filter(
      o => o.untold || o.state === 'waiting' || this.#asked.get(keyOf(o)) !== session
    )
    let outcome: CourierOutcome = 'done'
    for (const offer of due) {
      signal.throwIfAborted()
      const told = offer.untold
        ? offer.direction === 'in'
          ? await this.#answer(offer, signal)
          : await this.#withdraw(offer, signal)
        : await this.#offer(offer, session, signal)
      if (!told) outcome = 'later'
    }
    // What came in meanwhile wakes the courier again.
    return outcome
  }

  async #offer(offer: Offer, session: string, signal: AbortSignal): Promise<boolean> {
    const { book, manifests, log } = this.#init
    let reply: Reply
    this.#begun.add(keyOf(offer))
    try {
      reply = await offerTo(this.#to(offer), offer, manifests, { signal })
    } catch (err) {
      if (!saidThere(err, ...FINAL)) {
        log.debug('an offer was not taken yet', { offer: offer.id, device: offer.device, code: errorCode(err) })
        return false
      }
      await book.step(offer, 'failed', { code: errorCode(err), message: `the device refused it: ${errorCode(err)}` })
      return true
    }
    this.#asked.set(keyOf(offer), session)
    if (reply.type !== 'state') return false
    if (reply.state === 'accepted') await this.heardAccepted(offer, reply.selection)
    else if (reply.state === 'declined') await book.step(offer, 'declined', { answered_by: 'them' })
    else if (offer.state === 'waiting') {
      await book.step(offer, 'taken', { expires_at: this.#init.nowMs() + OFFER_LIFETIME_MS })
    }
    return true
  }

  /** The other person said yes: it is sent. @returns false when it is too late for that */
  async heardAccepted(offer: Offer, selection: Uint8Array | undefined): Promise<boolean> {
    const stepped = await this.#init.book.step(offer, 'accepted', {
      selection: selection ?? null,
      answered_by: 'them'
    })
    if (stepped?.offer.state !== 'accepted') return stepped?.offer.state === 'completed'
    this.#init.mover.run(stepped.offer)
    return true
  }

  async #answer(offer: Offer, signal: AbortSignal): Promise<boolean> {
    const accepted = ['accepted', 'held', 'completed'].includes(offer.state)
    const { book, mover } = this.#init
    try {
      await exchange(
        this.#to(offer),
        {
          type: 'answer',
          id: offer.id,
          hash: Buffer.from(offer.hash, 'hex'),
          accepted,
          ...(accepted && offer.selection !== 'all' && { selection: offer.selection })
        },
        { signal }
      )
    } catch (err) {
      if (!saidThere(err, 'GONE', ...FINAL)) return false
      // It was withdrawn, expired or forgotten there before they heard.
      if (accepted) {
        await book.step(offer, 'cancelled', { code: 'GONE', message: 'the sender has withdrawn it' })
        await mover.cancel(offer)
      }
    }
    await book.told(offer)
    return true
  }

  async #withdraw(offer: Offer, signal: AbortSignal): Promise<boolean> {
    try {
      await exchange(this.#to(offer), { type: 'withdraw', id: offer.id }, { signal })
    } catch (err) {
      if (!saidThere(err, 'GONE', ...FINAL)) return false
    }
    await this.#init.book.told(offer)
    return true
  }

  #to({ device }: Offer) {
    const { network, protocol } = this.#init
    return { network, protocol, device }
  }
}
