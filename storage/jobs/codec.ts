/**
 * MessagePack for inputs and states. Numbers, bigints (64 bits), bytes, arrays and plain objects come back as they were;
 * `undefined` fields are left out. A name that is not UTF-8 (a string with lone surrogates, storage/base/paths) is carried
 * as its bytes in an extension, since a UTF-8 encoder would destroy it.
 */
import { Decoder, Encoder, ExtensionCodec } from '@msgpack/msgpack'
import { isPlainUtf8, pathBytes, SpacedriveError, textFromBytes, toError } from '../base/index.js'
import { MAX_STATE_BYTES } from './limits.js'

class OddText {
  readonly bytes: Buffer
  constructor(text: string) {
    this.bytes = pathBytes(text)
  }
}

/** Application types of MessagePack are 0 to 127. */
const ODD_TEXT = 1
/** States are values, not object graphs. */
const MAX_DEPTH = 32

const extensionCodec = new ExtensionCodec()
extensionCodec.register({
  type: ODD_TEXT,
  encode: value => (value instanceof OddText ? value.bytes : null),
  decode: bytes => textFromBytes(bytes)
})
const options = { useBigInt64: true, extensionCodec, ignoreUndefined: true, maxDepth: MAX_DEPTH }

/** @throws {SpacedriveError} JOB_STATE_TOO_LARGE above MAX_STATE_BYTES, JOB_STATE_INVALID for what is no plain value */
export function encodeValue(value: unknown, what: string): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = new Encoder(options).encode(markOddText(value, 0))
  } catch (err) {
    throw new SpacedriveError('JOB_STATE_INVALID', `could not store the ${what}: ${toError(err).message}`, {
      cause: err
    })
  }
  if (bytes.length > MAX_STATE_BYTES) {
    throw new SpacedriveError(
      'JOB_STATE_TOO_LARGE',
      `could not store the ${what}: it takes ${bytes.length} bytes, ${MAX_STATE_BYTES} are allowed`,
      { hint: 'Keep what grows with the work in a table and only the place in it in the state.' }
    )
  }
  return bytes
}

/** Trusted bytes: our own database. @throws {SpacedriveError} JOB_STATE_INVALID */
export function decodeValue(bytes: Uint8Array, what: string): unknown {
  try {
    return new Decoder({ useBigInt64: true, extensionCodec }).decode(bytes)
  } catch (err) {
    throw new SpacedriveError('JOB_STATE_INVALID', `could not read the ${what}: ${toError(err).message}`, {
      cause: err
    })
  }
}

/** Copies only where there is something to mark. */
function markOddText(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return isPlainUtf8(value) ? value : new OddText(value)
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value)
    throw new TypeError('a bigint has more than 64 bits')
  if (typeof value === 'function' || typeof value === 'symbol')
    throw new TypeError(`a ${typeof value} is no plain value`)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (depth > MAX_DEPTH) throw new TypeError(`it is nested deeper than ${MAX_DEPTH}`)
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined
    for (let i = 0; i < value.length; i++) {
      const marked = markOddText(value[i], depth + 1)
      if (marked !== value[i]) copy ??= value.slice()
      if (copy !== undefined) copy[i] = marked
    }
    return copy ?? value
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`a ${prototype.constructor?.name ?? 'class'} is no plain value`)
  }
  let copy: Record<string, unknown> | undefined
  for (const [key, inner] of Object.entries(value)) {
    if (key === '__proto__') throw new TypeError('a key is called __proto__')
    if (!isPlainUtf8(key)) throw new TypeError('a key holds bytes that are not UTF-8; use a list of pairs')
    const marked = markOddText(inner, depth + 1)
    if (marked !== inner) copy ??= { ...value }
    if (copy !== undefined) copy[key] = marked
  }
  return copy ?? value
}
