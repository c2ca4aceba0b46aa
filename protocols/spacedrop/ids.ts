import { type DeviceId, type OfferId, type Random, SpacedriveError } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import { MIN_ID_PREFIX } from './limits.js'
import { hasEnded } from './offer.js'
import { type Offer, offersByPrefix } from './store.js'

/** UUID version 4: random from its first letter on, so that a few letters name an offer. */
export function randomId<T extends string>(random: Random): T {
  const b = random.bytes(16)
  b[6] = (b[6]! & 0x0f) | 0x40
  b[8] = (b[8]! & 0x3f) | 0x80
  const hex = Buffer.from(b).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as T
}

/** What lists show of an id. */
export const SHOWN_ID_LETTERS = 8

/**
 * The offer that a person means by the first letters of its id. Of several those that have not ended go first.
 * @throws {SpacedriveError} UNKNOWN_OFFER, AMBIGUOUS_OFFER
 */
export function resolveOffer(db: Database, text: string, nameOf: (device: DeviceId) => string): Offer {
  const prefix = text.trim().toLowerCase()
  const shown = prefix.slice(0, 40)
  if (!/^[0-9a-f-]+$/.test(prefix) || prefix.length < MIN_ID_PREFIX) {
    throw new SpacedriveError(
      'UNKNOWN_OFFER',
      `expected the id of an offer or its first ${MIN_ID_PREFIX} letters, got "${shown}"`,
      {
        hint: 'See `spacedrive network offers`.'
      }
    )
  }
  const found = offersByPrefix(db, prefix)
  const open = found.filter(o => !hasEnded(o.state))
  const meant = open.length > 0 ? open : found
  if (meant.length === 1) return meant[0]!
  if (meant.length === 0) {
    throw new SpacedriveError('UNKNOWN_OFFER', `there is no offer ${shown}`, {
      hint: 'See `spacedrive network offers`.'
    })
  }
  const ids = meant.map(o => `${o.id} (${nameOf(o.device)})`)
  throw new SpacedriveError('AMBIGUOUS_OFFER', `${shown} could be ${meant.length} offers: ${ids.join(', ')}`, {
    hint: 'Type more letters of the id.'
  })
}

export type { OfferId }
