/**
 * What a paired device leaves for another in the DHT: where it can be reached (PEERS 1). Key, signature and sealing follow
 * from the pair's secret, the publisher and the day, so nobody else can find, read, write or link the records of two days.
 * Anyone can check that a value belongs to its key.
 */
import { createHash, createPrivateKey, createPublicKey, hkdfSync, sign, verify } from 'node:crypto'
import { z } from 'zod'
import { addressesSchema } from '../../protocols/hello/index.js'
import { bytes, decode, encode, safeCount } from '../../protocols/wire/index.js'
import type { DeviceId, Random } from '../../storage/base/index.js'
import { openWith, sealWith } from '../identity/index.js'

export const ADDRESS_NAMESPACE = 'sdaddr'
/** Eight addresses, sealed and signed, take about 700 bytes. */
export const MAX_RECORD_BYTES = 1024
/** Put again every 30 minutes; six missed rounds and it is past. */
export const RECORD_LIFETIME_MS = 3 * 3600_000
/** Two clocks may differ by this much. */
export const CLOCK_TOLERANCE_MS = 10 * 60_000
const DAY_MS = 24 * 3600_000
const CONTEXT = 'spacedrive/addresses/v1'

const schema = z.object({
  v: z.literal(1),
  key: bytes(32),
  /** Grows: a reader keeps the highest. */
  seq: safeCount,
  notAfter: safeCount,
  sealed: bytes(28, MAX_RECORD_BYTES),
  signature: bytes(64)
})

export interface RecordKeys {
  /** `/sdaddr/` and the hash of the public key, in hex. */
  readonly dhtKey: string
  readonly seed: Uint8Array
  readonly sealKey: Uint8Array
}

export const dayOf = (nowMs: number): number => Math.floor(nowMs / DAY_MS)

/** Keys of what `publisher` leaves for the other device of the pair on a day. */
export function recordKeys(pairRoot: Uint8Array, publisher: DeviceId, day: number): RecordKeys {
  const expand = (label: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', pairRoot, String(day), `${CONTEXT}/${label}/${publisher}`, 32))
  const seed = expand('sign')
  return { seed, sealKey: expand('seal'), dhtKey: dhtKeyOf(publicKeyOf(seed)) }
}

export function makeRecord(keys: RecordKeys, addresses: readonly string[], nowMs: number, random: Random): Uint8Array {
  const key = publicKeyOf(keys.seed)
  const open = { v: 1 as const, key, seq: nowMs, notAfter: nowMs + RECORD_LIFETIME_MS }
  const sealed = sealWith(keys.sealKey, encode(addresses), `${CONTEXT} ${keys.dhtKey} ${open.seq}`, random)
  const signature = new Uint8Array(sign(null, signedBytes(keys.dhtKey, open, sealed), privateKey(keys.seed)))
  return encode({ ...open, sealed, signature })
}

/**
 * Form, size, key, time and signature: for the DHT's validator, and again for whatever is read.
 * @throws {Error} saying what does not hold
 */
export function checkRecord(dhtKey: string, value: Uint8Array, nowMs: number): z.infer<typeof schema> {
  if (value.length > MAX_RECORD_BYTES)
    throw new Error(`expected at most ${MAX_RECORD_BYTES} bytes, got ${value.length}`)
  const record = decode(value, schema, 'an address record')
  if (dhtKeyOf(record.key) !== dhtKey) throw new Error('the record belongs to another key')
  if (record.notAfter + CLOCK_TOLERANCE_MS < nowMs) throw new Error('the record is past')
  if (record.notAfter > nowMs + RECORD_LIFETIME_MS + CLOCK_TOLERANCE_MS) throw new Error('the record is of the future')
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI, record.key]), format: 'der', type: 'spki' })
  if (!verify(null, signedBytes(dhtKey, record, record.sealed), publicKey, record.signature)) {
    throw new Error('the record has a wrong signature')
  }
  return record
}

/** @throws as `checkRecord`, SECRET_UNREADABLE, MALFORMED */
export function openRecord(keys: RecordKeys, value: Uint8Array, nowMs: number): { addresses: string[]; seq: number } {
  const { seq, sealed } = checkRecord(keys.dhtKey, value, nowMs)
  const plain = openWith(keys.sealKey, sealed, `${CONTEXT} ${keys.dhtKey} ${seq}`)
  return { addresses: decode(plain, addressesSchema, 'the content of an address record'), seq }
}

/** -1 for what is no record. */
export function recordSeq(value: Uint8Array): number {
  try {
    return decode(value, schema, 'an address record').seq
  } catch {
    return -1
  }
}

const SPKI = Buffer.from('302a300506032b6570032100', 'hex')
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

const privateKey = (seed: Uint8Array) =>
  createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })

function publicKeyOf(seed: Uint8Array): Uint8Array {
  const spki = createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' })
  return new Uint8Array(spki.subarray(SPKI.length))
}

const dhtKeyOf = (publicKey: Uint8Array): string =>
  `/${ADDRESS_NAMESPACE}/${createHash('sha256').update(publicKey).digest('hex')}`

function signedBytes(dhtKey: string, open: { v: number; seq: number; notAfter: number }, sealed: Uint8Array): Buffer {
  const head = Buffer.from(`${CONTEXT}/record|${dhtKey}|${open.v}|${open.seq}|${open.notAfter}|`)
  return Buffer.concat([head, sealed])
}
