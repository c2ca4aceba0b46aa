import { z } from 'zod'
import { isUuid, type OfferId } from '../../storage/base/index.js'
import { MAX_PAGE_BYTES } from '../transfer/index.js'
import { bytes, safeCount } from '../wire/index.js'
import { MAX_OFFER_ENTRIES, MAX_PAGES_AHEAD } from './limits.js'

/**
 * What goes over a stream (docs/protocols/spacedrop.md). Each stream is one exchange: its opener says one thing (an offer is
 * followed by its pages), the other side answers, both close. Every exchange may be repeated: it changes nothing twice.
 */
const id = z.custom<OfferId>(isUuid, { message: 'expected a UUID' })
const HASH_BYTES = 32
const hash = bytes(HASH_BYTES)
const SELECTION_BYTES = Math.ceil(MAX_OFFER_ENTRIES / 8)

export const totalsSchema = z.object({
  entries: safeCount.min(1).max(MAX_OFFER_ENTRIES),
  files: safeCount,
  directories: safeCount,
  symlinks: safeCount,
  bytes: safeCount
})

/** What a stream begins with. */
export const requestSchema = z.discriminatedUnion('type', [
  // Sender: this is what I would send. Known there already: only its state comes back, no pages are wanted.
  z.object({ type: z.literal('offer'), id, kind: z.enum(['files', 'text']), hash, totals: totalsSchema }),
  // Receiver: the answer of its person or rule, for exactly this list of names.
  z.object({
    type: z.literal('answer'),
    id,
    hash,
    accepted: z.boolean(),
    /** A bit for each entry that is wanted; left out: all. */
    selection: bytes(0, SELECTION_BYTES).optional()
  }),
  // Sender: it is withdrawn.
  z.object({ type: z.literal('withdraw'), id })
])
export type Request = z.infer<typeof requestSchema>
export type OfferRequest = Extract<Request, { type: 'offer' }>
export type AnswerRequest = Extract<Request, { type: 'answer' }>

/** The list of names, after `go`. */
export const pageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('page'), data: bytes(1, MAX_PAGE_BYTES) }),
  z.object({ type: z.literal('end') })
])
export type PageFrame = z.infer<typeof pageSchema>

export const replySchema = z.discriminatedUnion('type', [
  // So many pages more may be sent: what arrives faster than it is written would pile up in memory.
  z.object({ type: z.literal('go'), pages: safeCount.min(1).max(MAX_PAGES_AHEAD) }),
  z.object({
    type: z.literal('state'),
    state: z.enum(['pending', 'accepted', 'declined']),
    selection: bytes(0, SELECTION_BYTES).optional()
  }),
  z.object({ type: z.literal('ok') }),
  z.object({ type: z.literal('error'), code: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/) })
])
export type Reply = z.infer<typeof replySchema>
