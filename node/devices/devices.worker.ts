import { defineTasks, SpacedriveError } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import type { HelloFacts } from './device.js'

/** Addresses kept for a device; the ones that worked longest ago go first. A laptop sees a handful of networks. */
export const MAX_ADDRESSES_PER_DEVICE = 16

export interface SavePairInput {
  device: string
  name: string
  os: string
  model: string
  epoch: number
  sealed: Uint8Array
  nowMs: number
  lapsesAt: number
  keepGrants: boolean
}

/** The writes of node/devices, each whole or not at all. */
export const deviceWrites = defineTasks(import.meta.url, {
  /** A new secret beside the proven one (if any). @throws EPOCH_TOO_OLD for a number that was used before */
  savePair(sql: Sql, p: SavePairInput): void {
    const known = sql.prepare<{ state: string; epoch: number }>('SELECT state, epoch FROM devices WHERE device = ?')
    const before = known.get([p.device])
    if (before !== undefined && p.epoch <= before.epoch) {
      throw new SpacedriveError('EPOCH_TOO_OLD', `expected a pair epoch above ${before.epoch}, got ${p.epoch}`)
    }
    if (before === undefined) {
      sql
        .prepare(
          `INSERT INTO devices (device, name, state, os, model, epoch, first_paired_at, paired_at)
           VALUES (?, ?, 'unconfirmed', ?, ?, ?, ?, ?)`
        )
        .run([p.device, p.name, p.os, p.model, p.epoch, p.nowMs, p.nowMs])
    } else {
      sql
        .prepare(
          `UPDATE devices SET state = iif(state = 'paired', 'paired', 'unconfirmed'), epoch = ?, paired_at = ?, name = ?,
             os = ?, model = ?, starts = NULL, run = NULL WHERE device = ?`
        )
        .run([p.epoch, p.nowMs, p.name, p.os, p.model, p.device])
      // Of the older secrets only a proven one may still be needed: the other side may not have got this far.
      sql.prepare('DELETE FROM pair_secrets WHERE device = ? AND confirmed = 0').run([p.device])
      if (!p.keepGrants) sql.prepare('DELETE FROM grants WHERE device = ?').run([p.device])
    }
    sql
      .prepare('INSERT INTO pair_secrets (device, epoch, sealed, confirmed, lapses_at) VALUES (?, ?, ?, 0, ?)')
      .run([p.device, p.epoch, p.sealed, p.lapsesAt])
  },

  /** A hello has proven the secret of `epoch` both ways. */
  helloProven(sql: Sql, h: { device: string; epoch: number; nowMs: number; facts: HelloFacts }): void {
    const proven = sql
      .prepare('UPDATE pair_secrets SET confirmed = 1, lapses_at = NULL WHERE device = ? AND epoch = ?')
      .run([h.device, h.epoch])
    if (proven.changes === 0) throw new SpacedriveError('NOT_PAIRED', `${h.device} is no longer paired`)
    sql.prepare('DELETE FROM pair_secrets WHERE device = ? AND epoch < ?').run([h.device, h.epoch])
    const f = h.facts
    sql
      .prepare(
        `UPDATE devices SET state = 'paired', revoked_at = NULL, name = ?, os = ?, model = ?, version = ?,
           capabilities = ?, starts = ?, run = ?, last_seen_at = ? WHERE device = ?`
      )
      .run([f.name, f.os, f.model, f.version, JSON.stringify(f.capabilities), f.starts, f.run, h.nowMs, h.device])
  },

  /** Removes secrets that no hello proved in time; a device that has none left goes back to what it was. */
  lapse(sql: Sql, { nowMs }: { nowMs: number }): number {
    const lapsed = sql.prepare('DELETE FROM pair_secrets WHERE confirmed = 0 AND lapses_at <= ?').run([nowMs]).changes
    const bare = `state = 'unconfirmed' AND NOT EXISTS (SELECT 1 FROM pair_secrets s WHERE s.device = devices.device)`
    sql.exec(`UPDATE devices SET state = 'revoked' WHERE revoked_at IS NOT NULL AND ${bare};
      UPDATE devices SET state = 'forgotten' WHERE ${bare}`)
    return lapsed
  },

  seen(sql: Sql, { device, nowMs }: { device: string; nowMs: number }): void {
    sql.prepare('UPDATE devices SET last_seen_at = ? WHERE device = ?').run([nowMs, device])
  },

  rename(sql: Sql, { device, name }: { device: string; name: string | null }): void {
    sql.prepare('UPDATE devices SET given_name = ? WHERE device = ?').run([name, device])
  },

  /** What it calls itself now. */
  nameTold(sql: Sql, { device, name }: { device: string; name: string }): void {
    sql.prepare('UPDATE devices SET name = ? WHERE device = ?').run([name, device])
  },

  /** The tombstone; secrets, addresses and grants go. */
  revoke(sql: Sql, { device, nowMs }: { device: string; nowMs: number }): void {
    sql.prepare(`UPDATE devices SET state = 'revoked', revoked_at = ? WHERE device = ?`).run([nowMs, device])
    for (const table of ['pair_secrets', 'device_addresses', 'grants']) {
      sql.prepare(`DELETE FROM ${table} WHERE device = ?`).run([device])
    }
  },

  /** The identity was replaced: nothing sealed with the old one can be used again. */
  forgetAll(sql: Sql, { nowMs }: { nowMs: number }): void {
    sql.exec(`DELETE FROM pair_secrets; DELETE FROM grants`)
    sql.prepare(`UPDATE devices SET state = 'forgotten' WHERE state <> 'revoked' AND first_paired_at <= ?`).run([nowMs])
  },

  /** Where a device was reached (`good`) or says that it listens. */
  addresses(sql: Sql, a: { device: string; addresses: string[]; good: boolean; nowMs: number }): void {
    if (sql.prepare('SELECT 1 FROM devices WHERE device = ?').get([a.device]) === undefined) return
    const column = a.good ? 'good_at' : 'told_at'
    const put = sql.prepare(
      `INSERT INTO device_addresses (device, address, ${column}) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET ${column} = excluded.${column}`
    )
    for (const address of a.addresses) put.run([a.device, address, a.nowMs])
    sql
      .prepare(
        `DELETE FROM device_addresses WHERE device = ? AND address NOT IN (
           SELECT address FROM device_addresses WHERE device = ? ORDER BY max(good_at, told_at) DESC, address LIMIT ?)`
      )
      .run([a.device, a.device, MAX_ADDRESSES_PER_DEVICE])
  },

  setMeta(sql: Sql, { name, value }: { name: string; value: string }): void {
    sql.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value').run([name, value])
  },

  /** One more start of the daemon. @returns the new count */
  countStart(sql: Sql, _input: null): number {
    sql.exec(`INSERT INTO meta VALUES ('starts', '1') ON CONFLICT DO UPDATE SET value = CAST(value AS INTEGER) + 1`)
    return Number(sql.prepare<{ value: string }>(`SELECT value FROM meta WHERE name = 'starts'`).get()?.value)
  }
})
