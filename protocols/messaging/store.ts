import type { DeviceId, MessageId } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import { MAX_HISTORY_MESSAGES } from './limits.js'

export interface StoredMessage {
  readonly seq: number
  readonly id: MessageId
  readonly device: DeviceId
  readonly kind: string
  readonly body: string
  readonly sentAt: number
  readonly at: number
}

export interface MessageRow extends Omit<StoredMessage, 'body'> {
  readonly direction: 'in' | 'out'
  readonly state: string
  readonly code: string | null
  readonly bytes: number
  /** JSON; null when it is no longer kept. */
  readonly body: string | null
}

const COLUMNS = 'seq, id, device, kind, body, sent_at AS sentAt, at'

/** The oldest messages that wait for a device. */
export function waitingFor(db: Database, device: DeviceId, now: number, limit: number): StoredMessage[] {
  return db.all<StoredMessage>(
    `SELECT ${COLUMNS} FROM messages WHERE direction = 'out' AND device = ? AND state = 'waiting' AND expires_at > ? ORDER BY seq LIMIT ?`,
    [device, now, limit]
  )
}

/** Devices that something waits for. */
export function devicesWaitedFor(db: Database): DeviceId[] {
  return db
    .all<{ device: DeviceId }>(`SELECT DISTINCT device FROM messages WHERE direction = 'out' AND state = 'waiting'`)
    .map(r => r.device)
}

/** When the first waiting message expires. */
export function nextExpiry(db: Database): number | undefined {
  return (
    db.get<{ at: number | null }>(
      `SELECT min(expires_at) AS at FROM messages WHERE direction = 'out' AND state = 'waiting'`
    )?.at ?? undefined
  )
}

/** Received and not yet handled, of kinds that are not for a person; by device, in order. */
export function unhandled(db: Database, limit: number, afterSeq = 0): StoredMessage[] {
  return db.all<StoredMessage>(
    `SELECT ${COLUMNS} FROM messages WHERE direction = 'in' AND state = 'received' AND kind <> 'text' AND seq > ? ORDER BY seq LIMIT ?`,
    [afterSeq, limit]
  )
}

export interface TextQuery {
  readonly device?: DeviceId | undefined
  readonly unread?: boolean | undefined
  readonly limit: number
}

/** Seq and size of the newest texts, newest first: their bodies are read one by one, so that an answer stays bounded. */
export function newestTexts(db: Database, { device, unread, limit }: TextQuery): { seq: number; bytes: number }[] {
  const only = unread === true ? ` AND direction = 'in' AND state = 'received'` : ''
  const of = device === undefined ? '' : ' AND device = ?'
  return db.all(`SELECT seq, bytes FROM messages WHERE kind = 'text'${only}${of} ORDER BY seq DESC LIMIT ?`, [
    ...(device === undefined ? [] : [device]),
    Math.min(limit, MAX_HISTORY_MESSAGES)
  ])
}

export function messageBySeq(db: Database, seq: number): MessageRow | undefined {
  return db.get<MessageRow>(`SELECT ${COLUMNS}, direction, state, code, bytes FROM messages WHERE seq = ?`, [seq])
}

export function countUnread(db: Database): number {
  return db.get<{ n: number }>(
    `SELECT count(*) AS n FROM messages WHERE direction = 'in' AND state = 'received' AND kind = 'text'`
  )!.n
}
