import { type DeviceId, hasCode, type OfferId, SpacedriveError } from '../../storage/base/index.js'
import { wireError } from '../wire/index.js'
import type { OfferBook } from './book.js'
import type { AnswerRequest, OfferRequest, Reply } from './frames.js'
import type { Incoming } from './incoming.js'
import { MAX_OPEN_OFFERS, MAX_OPEN_OFFERS_PER_DEVICE } from './limits.js'
import type { Mover } from './mover.js'
import type { Desk } from './serve.js'
import { type Offer, openOffers } from './store.js'
import type { Teller } from './teller.js'

export interface DeskInit {
  book: OfferBook
  mover: Mover
  incoming: Incoming
  teller: Teller
  /** There is something to tell a device. */
  wake(device: DeviceId): void
}

/** What the other side says, done. A device reaches only offers of its own. */
export class OfferDesk implements Desk {
  readonly #init: DeskInit
  /** Lists of names that are being read, by device: they hold a place like an offer in the book. */
  readonly #reading = new Map<DeviceId, number>()

  constructor(init: DeskInit) {
    this.#init = init
  }

  known(device: DeviceId, { id, hash }: OfferRequest): Reply | undefined {
    const offer = this.#init.book.find({ id, device, direction: 'in' })
    if (offer === undefined) return undefined
    if (offer.hash !== Buffer.from(hash).toString('hex')) {
      throw wireError('REFUSED', 'the list of names of an offer was changed after it was made')
    }
    return stateOf(offer)
  }

  ensureRoom(device: DeviceId): void {
    const open = openOffers(this.#init.book.db, 'in').filter(o => o.state === 'pending')
    const here = open.filter(o => o.device === device).length + (this.#reading.get(device) ?? 0)
    const all = open.length + [...this.#reading.values()].reduce((n, k) => n + k, 0)
    if (here < MAX_OPEN_OFFERS_PER_DEVICE && all < MAX_OPEN_OFFERS) return
    throw new SpacedriveError('TOO_MANY', 'too many offers wait for an answer')
  }

  async takeOffer(device: DeviceId, request: OfferRequest, pages: AsyncIterable<Uint8Array>): Promise<Reply> {
    this.#reading.set(device, (this.#reading.get(device) ?? 0) + 1)
    try {
      const offer = await this.#init.incoming.take(device, request, pages)
      if (offer.state === 'accepted') {
        this.#init.mover.run(offer)
        this.#init.wake(device)
      }
      return stateOf(offer)
    } catch (err) {
      // The same offer on two streams at once: the first has it.
      const known = hasCode(err, 'CONSTRAINT') ? this.known(device, request) : undefined
      if (known !== undefined) return known
      throw err
    } finally {
      const left = (this.#reading.get(device) ?? 1) - 1
      if (left > 0) this.#reading.set(device, left)
      else this.#reading.delete(device)
    }
  }

  async takeAnswer(device: DeviceId, { id, hash, accepted, selection }: AnswerRequest): Promise<void> {
    const offer = this.#init.book.find({ id, device, direction: 'out' })
    if (offer === undefined) throw new SpacedriveError('GONE', 'there is no such offer')
    if (offer.hash !== Buffer.from(hash).toString('hex'))
      throw new SpacedriveError('CHANGED', 'the answer is for other names')
    if (accepted) {
      if (!(await this.#init.teller.heardAccepted(offer, selection)))
        throw new SpacedriveError('GONE', 'the offer is over')
      return
    }
    const stepped = await this.#init.book.step(offer, 'declined', { answered_by: 'them' })
    if (stepped?.changed === true && offer.state === 'accepted') await this.#init.mover.cancel(offer)
  }

  async takeWithdrawal(device: DeviceId, id: OfferId): Promise<void> {
    const offer = this.#init.book.find({ id, device, direction: 'in' })
    if (offer === undefined) return
    const why = { code: 'CANCELLED', message: 'the sender has withdrawn it', untold: 0 } as const
    const stepped = await this.#init.book.step(offer, 'cancelled', why)
    if (stepped?.changed === true && offer.state !== 'pending') await this.#init.mover.cancel(offer)
  }
}

function stateOf(offer: Offer): Reply {
  const { state, selection } = offer
  if (state === 'pending') return { type: 'state', state: 'pending' }
  if (state === 'accepted' || state === 'held') {
    return { type: 'state', state: 'accepted', ...(selection !== 'all' && { selection }) }
  }
  // Whatever else became of it is no business of the sender.
  return { type: 'state', state: 'declined' }
}
