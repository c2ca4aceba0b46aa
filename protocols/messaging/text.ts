import type { DeviceId, MessageId } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { KindHandlers } from './handlers.js'
import type { Json } from './json.js'
import { messageBySeq, newestTexts, type TextQuery } from './store.js'

export const TEXT = 'text'

/** One line of the conversation with a device, as it was sent: escape it before showing it (`displayText`). */
export interface TextMessage {
  readonly id: MessageId
  readonly device: DeviceId
  readonly direction: 'in' | 'out'
  /** Null when it is no longer kept. */
  readonly text: string | null
  /** When it was received or written, by our clock. */
  readonly atMs: number
  /** The sender's clock: what another device claims. */
  readonly sentAtMs: number
  /** Ours: waiting, delivered, refused, expired, cancelled. Theirs: unread or read. */
  readonly state: string
}

/** Bytes of text in one answer: a few text drops of the largest size. What is older is left for the next question. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024

/** Texts are for a person: kept until they are read, whatever handlers say. */
export const textHandlers: KindHandlers = {
  check: body => textOf(body) !== undefined,
  message() {}
}

export function textOf(body: Json): string | undefined {
  const text = (body as { text?: unknown } | null)?.text
  return typeof text === 'string' && text !== '' ? text : undefined
}

/** The newest texts, oldest first, and the rows of those that a person has not seen before. */
export function readTexts(
  db: Database,
  query: TextQuery
): { texts: TextMessage[]; unreadSeqs: number[]; more: boolean } {
  const found = newestTexts(db, { ...query, limit: query.limit + 1 })
  const texts: TextMessage[] = []
  const unreadSeqs: number[] = []
  let bytes = 0
  for (const { seq, bytes: size } of found.slice(0, query.limit)) {
    bytes += size
    if (texts.length > 0 && bytes > MAX_ANSWER_BYTES) break
    const row = messageBySeq(db, seq)
    if (row === undefined) continue
    const { id, device, direction, body, at, sentAt } = row
    const unread = direction === 'in' && row.state === 'received'
    if (unread) unreadSeqs.push(seq)
    texts.push({
      id,
      device,
      direction,
      text: body === null ? null : (textOf(JSON.parse(body)) ?? null),
      atMs: at,
      sentAtMs: sentAt,
      state: direction === 'out' ? row.state : unread ? 'unread' : 'read'
    })
  }
  return { texts: texts.reverse(), unreadSeqs, more: texts.length < found.length }
}
