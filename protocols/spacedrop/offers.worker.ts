/** The writes of Spacedrop, run in the writer thread of the instance database: each is one transaction. */
import { type DeviceId, defineTasks, type OfferId, SpacedriveError } from '../../storage/base/index.js'
import type { Sql, SqlValue } from '../../storage/sql/index.js'
import type { ManifestTotals } from '../transfer/index.js'
import { AWAY_LIFETIME_MS, MAX_HISTORY, MAX_OPEN_OFFERS, MAX_OPEN_OFFERS_PER_DEVICE } from './limits.js'
import { hasEnded, type InEvent, type OfferState, type OutEvent, step } from './offer.js'

export type Direction = 'in' | 'out'

export interface OfferKey {
  readonly id: OfferId
  readonly device: DeviceId
  readonly direction: Direction
}

export interface NewOffer extends OfferKey {
  readonly kind: 'files' | 'text'
  /** JSON. */
  readonly manifest: string
  readonly hash: string
  readonly totals: ManifestTotals
  /** JSON. */
  readonly names: string
  readonly spool: Uint8Array | null
  /** JSON. */
  readonly problems: string
  readonly problemCount: number
  /** Why it waits, beside that nobody has answered. */
  readonly message?: string | null
  readonly at: number
  readonly expiresAt: number
}

/** Columns that a step sets with the state. */
export interface OfferFields {
  selection?: Uint8Array | null
  into_dir?: Uint8Array | null
  keep_exec?: 0 | 1
  types?: string | null
  problems?: string
  problem_count?: number
  result?: string | null
  code?: string | null
  message?: string | null
  answered_by?: 'us' | 'them' | 'rule'
  untold?: 0 | 1
  expires_at?: number
}

const FIELDS = [
  'selection',
  'into_dir',
  'keep_exec',
  'types',
  'problems',
  'problem_count',
  'result',
  'code',
  'message',
  'answered_by',
  'untold',
  'expires_at'
] as const satisfies (keyof OfferFields)[]

export interface StepInput extends OfferKey {
  readonly event: OutEvent | InEvent
  readonly at: number
  readonly fields?: OfferFields
}

const KEY = 'device = ? AND direction = ? AND id = ?'

export const offerWrites = defineTasks(import.meta.url, {
  /** @throws TOO_MANY, EXISTS */
  insert(sql: Sql, o: NewOffer): void {
    const state: OfferState = o.direction === 'out' ? 'waiting' : 'pending'
    const open = sql.prepare<{ here: number; all: number }>(
      `SELECT count(*) AS "all", count(*) FILTER (WHERE device = ?) AS here FROM offers
       WHERE direction = ? AND ended_at IS NULL AND state IN ('waiting', 'offered', 'pending')`
    )
    const { here, all } = open.get([o.device, o.direction])!
    if (here >= MAX_OPEN_OFFERS_PER_DEVICE || all >= MAX_OPEN_OFFERS) {
      const which = here >= MAX_OPEN_OFFERS_PER_DEVICE ? `${here} offers with this device` : `${all} offers`
      throw new SpacedriveError('TOO_MANY', `${which} wait for an answer already`, {
        hint: '`spacedrive network offers` lists them; `spacedrive network decline ID` ends one.'
      })
    }
    const { entries, files, directories, symlinks, bytes } = o.totals
    sql
      .prepare(
        `INSERT INTO offers (id, device, direction, state, kind, manifest, hash, entries, files, directories, symlinks, bytes,
           names, spool, problems, problem_count, message, created_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
      )
      .run([
        ...[
          o.id,
          o.device,
          o.direction,
          state,
          o.kind,
          o.manifest,
          o.hash,
          entries,
          files,
          directories,
          symlinks,
          bytes
        ],
        ...[o.names, o.spool, o.problems, o.problemCount, o.message ?? null, o.at, o.expiresAt]
      ])
  },

  /**
   * Steps an offer. @returns the state afterwards and whether this call changed it; undefined when there is no such offer.
   * An event that changes nothing any more sets no field either.
   */
  step(
    sql: Sql,
    { id, device, direction, event, at, fields = {} }: StepInput
  ): { state: OfferState; changed: boolean } | undefined {
    const row = sql.prepare<{ state: OfferState }>(`SELECT state FROM offers WHERE ${KEY}`).get([device, direction, id])
    if (row === undefined) return undefined
    const next = step(direction, row.state, event)
    if (next === undefined) return { state: row.state, changed: false }
    update(sql, { id, device, direction }, { state: next, ...(hasEnded(next) && { ended_at: at }) }, fields, at, event)
    if (hasEnded(next)) {
      sql
        .prepare(
          `DELETE FROM offers WHERE manifest IS NULL AND (untold = 0 OR ended_at < ?) AND ended_at <=
             (SELECT ended_at FROM offers WHERE ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT 1 OFFSET ?)`
        )
        .run([at - AWAY_LIFETIME_MS, MAX_HISTORY])
    }
    return { state: next, changed: true }
  },

  /** The other device has heard of it. */
  told(sql: Sql, { id, device, direction }: OfferKey): void {
    sql.prepare(`UPDATE offers SET untold = 0 WHERE ${KEY}`).run([device, direction, id])
  },

  /** The list of names and the spooled file are gone. */
  cleaned(sql: Sql, { id, device, direction }: OfferKey): void {
    sql
      .prepare(`UPDATE offers SET manifest = NULL, spool = NULL, selection = NULL WHERE ${KEY}`)
      .run([device, direction, id])
  },

  setRule(
    sql: Sql,
    r: {
      device: DeviceId
      mode: string
      maxBytes: number | null
      types: string | null
      to: Uint8Array | null
      at: number
    }
  ): void {
    sql
      .prepare(
        `INSERT INTO offer_rules VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET mode = excluded.mode,
           max_bytes = excluded.max_bytes, types = excluded.types, to_dir = excluded.to_dir, updated_at = excluded.updated_at`
      )
      .run([r.device, r.mode, r.maxBytes, r.types, r.to, r.at])
  },

  dropRule(sql: Sql, { device }: { device: DeviceId }): void {
    sql.prepare('DELETE FROM offer_rules WHERE device = ?').run([device])
  }
})

function update(
  sql: Sql,
  key: OfferKey,
  base: Record<string, SqlValue>,
  fields: OfferFields,
  at: number,
  event: string
): void {
  const set: Record<string, SqlValue> = { ...base }
  for (const name of FIELDS) if (fields[name] !== undefined) set[name] = fields[name]
  if (event === 'accepted' || event === 'declined') set.answered_at = at
  const names = Object.keys(set) // our own names, never from outside
  sql
    .prepare(`UPDATE offers SET ${names.map(n => `${n} = ?`).join(', ')} WHERE ${KEY}`)
    .run([...names.map(n => set[n]!), key.device, key.direction, key.id])
}
