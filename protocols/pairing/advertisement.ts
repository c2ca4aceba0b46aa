/**
 * What the DHT holds for an open code (PEERS 2): anyone may check it, only who has the words can write or read it. The key is
 * the hash of a one-time public key, and is inside what is signed, so a value fits its own key alone.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { DeviceId } from '../../storage/base/index.js'
import { bytes, decode, encode, safeCount } from '../wire/index.js'
import { isDialable } from './address.js'
import type { CodeKeys } from './derive.js'
import { seal, unseal } from './exchange.js'
import { labelled } from './kdf.js'
import { CLOCK_TOLERANCE_MS, CODE_LIFETIME_MS, MAX_ADDRESSES, MAX_ADVERTISEMENT_BYTES } from './limits.js'
import type { Candidate } from './ports.js'
import { publicKeyOf, sign, verify } from './signature.js'

/** The second part of the key; picks validator and selector in kad-dht. */
export const PAIRING_NAMESPACE = 'sdpair'
const VERSION = 1
const DEVICE_ID = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/

const schema = z.object({
  v: z.literal(VERSION),
  rendezvous: bytes(32),
  /** Grows with each value of a code: the reader keeps the highest. */
  seq: safeCount,
  /** Wall clock of the writer, milliseconds: the end of the code. */
  notAfter: safeCount,
  nonce: bytes(12),
  sealed: bytes(16, MAX_ADVERTISEMENT_BYTES),
  signature: bytes(64)
})
type Advertisement = z.infer<typeof schema>

const contentSchema = z.object({
  device: z.string().regex(DEVICE_ID),
  addresses: z.array(z.string()).max(MAX_ADDRESSES)
})

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

function base32(data: Uint8Array): string {
  let bits = 0
  let value = 0
  let out = ''
  for (const byte of data) {
    value = (value << 8) | byte
    bits += 8
    for (; bits >= 5; bits -= 5) out += BASE32[(value >> (bits - 5)) & 31]
    value &= (1 << bits) - 1
  }
  return bits > 0 ? out + BASE32[(value << (5 - bits)) & 31] : out
}

const keyOf = (rendezvous: Uint8Array): string =>
  `/${PAIRING_NAMESPACE}/${base32(createHash('sha256').update(rendezvous).digest())}`

/** The DHT key of a code, in text: `/sdpair/` and 52 letters of base32. */
export function advertisementKey(keys: CodeKeys): string {
  return keyOf(publicKeyOf(keys.rendezvousSeed))
}

const number64 = (n: number): Uint8Array => {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(n))
  return out
}
const head = (key: string, a: Omit<Advertisement, 'sealed' | 'signature'>): Uint8Array[] => [
  new TextEncoder().encode(key),
  new Uint8Array([a.v]),
  a.rendezvous,
  number64(a.seq),
  number64(a.notAfter)
]
const signed = (key: string, a: Omit<Advertisement, 'signature'>): Uint8Array =>
  labelled('/advertisement', ...head(key, a), a.nonce, a.sealed)

export interface AdvertisementInit {
  readonly device: DeviceId
  readonly addresses: readonly string[]
  readonly seq: number
  readonly notAfterMs: number
  /** 12 random bytes, new for each value. */
  readonly nonce: Uint8Array
}

/** Makes the value. Addresses that nobody else could dial are left out, and so are those beyond the eighth. */
export function makeAdvertisement(keys: CodeKeys, init: AdvertisementInit): Uint8Array {
  const rendezvous = publicKeyOf(keys.rendezvousSeed)
  const key = keyOf(rendezvous)
  const addresses = init.addresses.filter(isDialable).slice(0, MAX_ADDRESSES)
  const open = { v: VERSION, rendezvous, seq: init.seq, notAfter: init.notAfterMs, nonce: init.nonce } as const
  const content = encode({ device: init.device, addresses })
  const sealed = seal(keys.rendezvousKey, init.nonce, content, labelled('/advertisement-seal', ...head(key, open)))
  const unsigned = { ...open, sealed }
  return encode({ ...unsigned, signature: sign(keys.rendezvousSeed, signed(key, unsigned)) })
}

/**
 * For kad-dht's validator of PAIRING_NAMESPACE, and again for whatever is read: size, form, key, signature, time.
 * @throws {SpacedriveError} MALFORMED, or an Error that says what does not hold
 */
export function checkAdvertisement(key: string, value: Uint8Array, nowMs: number): Advertisement {
  if (value.length > MAX_ADVERTISEMENT_BYTES) {
    throw new Error(`expected at most ${MAX_ADVERTISEMENT_BYTES} bytes, got ${value.length}`)
  }
  const a = decode(value, schema, 'a pairing advertisement')
  if (key !== keyOf(a.rendezvous)) throw new Error('the advertisement belongs to another key')
  if (a.notAfter + CLOCK_TOLERANCE_MS < nowMs) throw new Error('the advertisement is past')
  if (a.notAfter > nowMs + CODE_LIFETIME_MS + CLOCK_TOLERANCE_MS) throw new Error('the advertisement is of the future')
  if (!verify(a.rendezvous, signed(key, a), a.signature)) throw new Error('the advertisement has a wrong signature')
  return a
}

/**
 * For kad-dht's selector: the index of the highest `seq` among values that passed the validator; of equals the one whose
 * bytes are greater, so that every node keeps the same.
 */
export function selectAdvertisement(values: readonly Uint8Array[]): number {
  let best = 0
  let bestSeq = -1
  values.forEach((value, i) => {
    const seq = readSeq(value)
    const wins = seq > bestSeq || (seq === bestSeq && Buffer.compare(value, values[best]!) > 0)
    if (!wins) return
    best = i
    bestSeq = seq
  })
  return best
}

function readSeq(value: Uint8Array): number {
  try {
    return decode(value, schema, 'a pairing advertisement').seq
  } catch {
    return -1
  }
}

export interface OpenedAdvertisement extends Candidate {
  readonly device: DeviceId
  readonly seq: number
}

/** Checks a value that was found and opens it. @throws as `checkAdvertisement`; an Error when it was sealed with other words */
export function openAdvertisement(keys: CodeKeys, value: Uint8Array, nowMs: number): OpenedAdvertisement {
  const key = advertisementKey(keys)
  const a = checkAdvertisement(key, value, nowMs)
  const plain = unseal(keys.rendezvousKey, a.nonce, a.sealed, labelled('/advertisement-seal', ...head(key, a)))
  if (plain === undefined) throw new Error('the advertisement does not open with these words')
  const { device, addresses } = decode(plain, contentSchema, 'the content of a pairing advertisement')
  return { device: device as DeviceId, addresses: addresses.filter(isDialable), seq: a.seq }
}
