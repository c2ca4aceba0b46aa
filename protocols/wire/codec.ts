/**
 * The home of MessagePack. Bodies are decoded under limits and checked against a schema before anything looks at them;
 * unknown fields are dropped by the schema. Numbers stay numbers and bigints bigints, exactly (64-bit integer formats are
 * bigint on both sides). Names travel as bytes (`pathBytes`), never as strings.
 */
import { Decoder, Encoder, ExtensionCodec } from '@msgpack/msgpack'
import { z } from 'zod'
import { toError } from '../../storage/base/index.js'
import { wireError } from './wire-error.js'

const noExtensions = new ExtensionCodec()
const refuse = (): never => {
  throw new Error('extension types are not allowed')
}
noExtensions.register({ type: -1, encode: () => null, decode: refuse }) // not even the built-in timestamp

/** Deep enough for every message there is; B9 of the threats asks for 8. */
const MAX_DEPTH = 8
/** Elements of one array or keys of one map; checked again against the bytes that are there. */
const MAX_ELEMENTS = 65_536

/** The memory in which messages are put together is kept while they are no longer than this. */
const KEPT_BYTES = 512 * 1024

const newEncoder = (): Encoder =>
  new Encoder({
    ...{ useBigInt64: true, ignoreUndefined: true, extensionCodec: noExtensions },
    maxDepth: MAX_DEPTH + 1
  })
let encoder = newEncoder()

/** @returns memory of its own */
export function encode(value: unknown): Uint8Array {
  const bytes = encoder.encode(value)
  if (bytes.length > KEPT_BYTES) encoder = newEncoder()
  return bytes
}

/** @throws {SpacedriveError} MALFORMED for bad MessagePack, trailing bytes, or a value the schema refuses */
export function decode<T>(bytes: Uint8Array, schema: z.ZodType<T>, what: string): T {
  let value: unknown
  try {
    // An element takes a byte at least: a header that claims more elements than bytes is a bomb, refused before allocation.
    const elements = Math.min(bytes.length, MAX_ELEMENTS)
    value = new Decoder({
      useBigInt64: true,
      extensionCodec: noExtensions,
      maxStrLength: bytes.length,
      maxBinLength: bytes.length,
      maxArrayLength: elements,
      maxMapLength: elements,
      maxExtLength: 0
    }).decode(bytes)
  } catch (err) {
    throw wireError('MALFORMED', `${what} is not valid MessagePack: ${toError(err).message}`, err)
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw wireError('MALFORMED', `${what} has a bad ${issue?.path.join('.') || 'shape'}: ${issue?.message ?? 'refused'}`)
}

/** Bytes of an exact length or within bounds, as MessagePack `bin`. */
export function bytes(min: number, max = min): z.ZodType<Uint8Array> {
  return z.custom<Uint8Array>(v => v instanceof Uint8Array && v.length >= min && v.length <= max, {
    message: min === max ? `expected ${min} bytes` : `expected ${min} to ${max} bytes`
  })
}

/** A size, count or index: whole, not negative, exact as a number. */
export const safeCount = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

/** A time or an inode: 64 bits, signed. */
export const int64 = z
  .bigint()
  .min(-(2n ** 63n))
  .max(2n ** 63n - 1n)
