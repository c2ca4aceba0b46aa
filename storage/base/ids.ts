import type { Random } from './clock.js'

/** Branded strings: a raw string never names a device, a library or a hash. */
export type Brand<T, Name extends string> = T & { readonly __brand: Name }

/** libp2p PeerId in its text form (`12D3Koo...`), from the installation's Ed25519 key. */
export type DeviceId = Brand<string, 'DeviceId'>
export type LibraryId = Brand<string, 'LibraryId'>
export type LocationId = Brand<string, 'LocationId'>
export type JobId = Brand<string, 'JobId'>
export type TransferId = Brand<string, 'TransferId'>
export type OfferId = Brand<string, 'OfferId'>
export type MessageId = Brand<string, 'MessageId'>
/** BLAKE3 of the whole content, 64 lower-case hex digits. */
export type ContentHash = Brand<string, 'ContentHash'>

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const HASH = /^[0-9a-f]{64}$/

/** UUID version 7: sorts by time of making (RFC 9562). */
export function newUuid(nowMs: number, random: Random): string {
  const b = random.bytes(16)
  const view = new DataView(b.buffer, b.byteOffset, 16)
  view.setUint32(0, Math.floor(nowMs / 0x10000))
  view.setUint16(4, nowMs % 0x10000)
  b[6] = (b[6]! & 0x0f) | 0x70
  b[8] = (b[8]! & 0x3f) | 0x80
  const hex = Buffer.from(b.buffer, b.byteOffset, 16).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value)
}

export function isContentHash(value: unknown): value is ContentHash {
  return typeof value === 'string' && HASH.test(value)
}
