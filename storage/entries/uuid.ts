import type { Sql } from '../sql/index.js'

/**
 * The uuid of an entry (RFC 9562, version 8): 58 random bits of the epoch in which its id was given, then the id. It is
 * never stored, so it costs no index; two copies of a library that live on apart begin different epochs.
 */
export function entryUuid(sql: Sql, id: number): string {
  const row = sql
    .prepare<{ prefix: Uint8Array }>('SELECT prefix FROM epochs WHERE first_id <= ? ORDER BY first_id DESC LIMIT 1')
    .get([id])
  const bytes = Buffer.alloc(16)
  bytes.set((row?.prefix ?? new Uint8Array(8)).subarray(0, 8))
  bytes.writeBigUInt64BE(BigInt(id), 8)
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  // Two bits of the second half say the variant; an id stays far below what is left.
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The id in a uuid, if such an entry was ever given here. */
export function idOfUuid(sql: Sql, uuid: string): number | undefined {
  const hex = uuid.replaceAll('-', '').toLowerCase()
  if (!/^[0-9a-f]{32}$/.test(hex)) return undefined
  const bytes = Buffer.from(hex, 'hex')
  bytes[8] = bytes[8]! & 0x3f
  const id = Number(bytes.readBigUInt64BE(8))
  return Number.isSafeInteger(id) && entryUuid(sql, id).replaceAll('-', '') === hex ? id : undefined
}
