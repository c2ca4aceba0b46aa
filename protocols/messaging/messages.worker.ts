/** The writes of messaging, run in the writer thread of the instance database: each is one transaction. */
import { type DeviceId, defineTasks, type MessageId, SpacedriveError } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import * as limits from './limits.js'

export interface NewMessage {
  readonly id: MessageId
  readonly device: DeviceId
  readonly kind: string
  /** JSON. */
  readonly body: string
  readonly sentAt: number
  readonly at: number
}

export interface Settled {
  readonly id: MessageId
  readonly device: DeviceId
  readonly state: 'delivered' | 'refused'
  readonly code?: string
}

type Counts = { messages: number; bytes: number }

const OPEN = `SELECT count(*) AS messages, coalesce(sum(bytes), 0) AS bytes FROM messages WHERE direction = ?`
const INSERT = `INSERT INTO messages (id, device, direction, kind, body, bytes, state, sent_at, at, expires_at, settled_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
/** History is cleaned once in so many new messages of any device. */
const CLEAN_EVERY = 64

export const messageWrites = defineTasks(import.meta.url, {
  /** @throws OUTBOX_FULL */
  enqueue(sql: Sql, m: NewMessage & { expiresAt: number }): void {
    const bytes = Buffer.byteLength(m.body)
    const here = sql.prepare<Counts>(`${OPEN} AND state = 'waiting' AND device = ?`).get(['out', m.device])!
    const all = sql.prepare<Counts>(`${OPEN} AND state = 'waiting'`).get(['out'])!
    if (
      here.messages >= limits.MAX_OUTBOX_MESSAGES ||
      here.bytes + bytes > limits.MAX_OUTBOX_BYTES ||
      all.messages >= limits.MAX_OUTBOX_MESSAGES_IN_ALL ||
      all.bytes + bytes > limits.MAX_OUTBOX_BYTES_IN_ALL
    ) {
      throw new SpacedriveError(
        'OUTBOX_FULL',
        `${here.messages} messages wait for this device already, ${all.messages} for all`,
        {
          hint: 'They are sent when the device is connected again; `spacedrive network revoke` drops those of a device that is gone.',
          details: { messages: here.messages, bytes: here.bytes, messagesInAll: all.messages, bytesInAll: all.bytes }
        }
      )
    }
    insert(sql, m, 'out', 'waiting', bytes, m.expiresAt, null)
  },

  /** What the other side said of messages of ours. Rows that are no longer waiting stay as they are. */
  settle(sql: Sql, { at, settled }: { at: number; settled: readonly Settled[] }): void {
    const update = sql.prepare(`UPDATE messages SET state = ?, code = ?, settled_at = ?,
      body = CASE kind WHEN 'text' THEN body END
      WHERE device = ? AND direction = 'out' AND id = ? AND state = 'waiting'`)
    for (const s of settled) update.run([s.state, s.code ?? null, at, s.device, s.id])
  },

  /** Gives up what waited too long. @returns ids and devices of those */
  expire(sql: Sql, { now }: { now: number }): { id: MessageId; device: DeviceId }[] {
    return sql
      .prepare<{ id: MessageId; device: DeviceId }>(
        `UPDATE messages SET state = 'expired', settled_at = ?, body = CASE kind WHEN 'text' THEN body END
         WHERE direction = 'out' AND state = 'waiting' AND expires_at <= ? RETURNING id, device`
      )
      .all([now, now])
  },

  /** The device is revoked: nothing waits for it any more, and what it sent is handled by nobody. @returns what waited */
  forget(sql: Sql, { device, at }: { device: DeviceId; at: number }): MessageId[] {
    sql
      .prepare(
        `UPDATE messages SET state = 'failed', code = 'REVOKED', settled_at = ?, body = NULL
         WHERE device = ? AND direction = 'in' AND state = 'received' AND kind <> 'text'`
      )
      .run([at, device])
    return sql
      .prepare<{ id: MessageId }>(
        `UPDATE messages SET state = 'cancelled', settled_at = ?, body = CASE kind WHEN 'text' THEN body END
         WHERE device = ? AND direction = 'out' AND state = 'waiting' RETURNING id`
      )
      .all([at, device])
      .map(r => r.id)
  },

  /** Makes a message of a device durable: `new`, `seen` when its id stands already, `full` when too much is unread. */
  receive(sql: Sql, m: NewMessage): { outcome: 'new' | 'seen' | 'full'; seq: number } {
    const known = sql.prepare(`SELECT 1 FROM messages WHERE device = ? AND direction = 'in' AND id = ?`)
    if (known.get([m.device, m.id]) !== undefined) return { outcome: 'seen', seq: 0 }
    const bytes = Buffer.byteLength(m.body)
    const open = sql.prepare<Counts>(`${OPEN} AND state = 'received' AND device = ?`).get(['in', m.device])!
    if (open.messages >= limits.MAX_INBOX_MESSAGES || open.bytes + bytes > limits.MAX_INBOX_BYTES)
      return { outcome: 'full', seq: 0 }
    return { outcome: 'new', seq: insert(sql, m, 'in', 'received', bytes, null, null) }
  },

  /** Text that came or went another way (a text drop) joins the history. Taken once for an id. */
  record(sql: Sql, m: NewMessage & { direction: 'in' | 'out' }): boolean {
    const known = sql.prepare('SELECT 1 FROM messages WHERE device = ? AND direction = ? AND id = ?')
    if (known.get([m.device, m.direction, m.id]) !== undefined) return false
    const incoming = m.direction === 'in'
    insert(
      sql,
      m,
      m.direction,
      incoming ? 'received' : 'delivered',
      Buffer.byteLength(m.body),
      null,
      incoming ? null : m.at
    )
    return true
  },

  /** A handler is about to get it: counted before, so that a message that kills the daemon does not do so for ever. */
  attempt(sql: Sql, { seq }: { seq: number }): number {
    return sql
      .prepare<{ attempts: number }>('UPDATE messages SET attempts = attempts + 1 WHERE seq = ? RETURNING attempts')
      .get([seq])!.attempts
  },

  handled(sql: Sql, { seqs, at, failed }: { seqs: readonly number[]; at: number; failed?: string }): void {
    const update = sql.prepare(`UPDATE messages SET state = ?, code = ?, settled_at = ?,
      body = CASE kind WHEN 'text' THEN body END WHERE seq = ? AND state = 'received'`)
    for (const seq of seqs) update.run([failed === undefined ? 'handled' : 'failed', failed ?? null, at, seq])
  }
})

function insert(
  sql: Sql,
  m: NewMessage,
  direction: 'in' | 'out',
  state: string,
  bytes: number,
  expiresAt: number | null,
  settledAt: number | null
): number {
  const { lastInsertRowid } = sql
    .prepare(INSERT)
    .run([m.id, m.device, direction, m.kind, m.body, bytes, state, m.sentAt, m.at, expiresAt, settledAt])
  const seq = Number(lastInsertRowid)
  if (seq % CLEAN_EVERY === 0) clean(sql, m.device, direction)
  return seq
}

/** Keeps the history within its bounds; what is still waiting, unread or unhandled is never touched. */
function clean(sql: Sql, device: DeviceId, direction: 'in' | 'out'): void {
  const old = `SELECT seq FROM (SELECT seq, state, row_number() OVER newest AS n, sum(bytes) OVER newest AS total
    FROM messages WHERE device = ? AND direction = ? WINDOW newest AS (ORDER BY seq DESC))
    WHERE state NOT IN ('waiting', 'received') AND`
  sql.prepare(`DELETE FROM messages WHERE seq IN (${old} n > ?)`).run([device, direction, limits.MAX_HISTORY_MESSAGES])
  sql
    .prepare(`UPDATE messages SET body = NULL, bytes = 0 WHERE seq IN (${old} total > ?)`)
    .run([device, direction, limits.MAX_HISTORY_BYTES])
}
