/**
 * Records: what the frames of a transfer stream hold. A head in the clear (inside Noise), then the sealed payload and its tag.
 *
 *   type u8 | flags u8 | file u32 | offset u64 | length u32 | AES-256-GCM(payload) | tag 16
 *
 * big-endian. The head is associated data together with the transfer's id, so that no record can stand for another file,
 * place, length or transfer; the nonce is a counter from 0 in its channel, so that none can be left out, repeated or moved.
 */
import { type Aead, aead, lengthOf, NONCE_BYTES, type Pieces, TAG_BYTES } from '../../../storage/ciphers/index.js'
import { wireError } from '../../wire/index.js'

export const RECORD_HEAD_BYTES = 18
export const FRAME_LENGTH_BYTES = 4
/** What a frame adds to its payload. */
export const RECORD_OVERHEAD_BYTES = FRAME_LENGTH_BYTES + RECORD_HEAD_BYTES + TAG_BYTES
/** A key seals no more records than this (GCM allows 2^32 with random nonces; a counter is safe beyond, but bounded anyway). */
const MAX_RECORDS = 2 ** 32

/** By the sender, on `control` */
export const BEGIN = 1
/** By either end's event loop: the transfer is over for good; its payload is a code. */
export const CANCEL = 2
/** By either end's event loop, when nothing else was said for a while: still there. */
export const BUSY = 3
/** By the sender, on `content` */
export const CHUNK = 16
export const PACK = 17
export const END = 18
export const FAILED = 19
export const DONE = 20
/** By the receiver, on `account` */
export const HAVE = 32
export const PARTIAL = 33
export const PROBLEMS = 34
export const GO = 35
export const CREDIT = 36
/** By the receiver, on `answers` */
export const COMPLETE = 48
export const REFUSE = 49

/** The last chunk of its file. */
export const FLAG_LAST = 1
/** The payload is compressed (brotli); `length` is what it holds. Only of CHUNK and PACK. */
export const FLAG_BROTLI = 2
/** No payload: `length` zero bytes. */
export const FLAG_ZEROS = 4

/**
 * Channels of a stream, each with its own key and counter, because each end seals in two threads: `control` (the sender's
 * event loop) and `content` (its worker), `answers` (the receiver's event loop) and `account` (its worker).
 */
export type Channel = 'control' | 'content' | 'answers' | 'account'

/** Where a record that the sender sent belongs, by its type. */
export const senderChannel = (type: number): 'control' | 'content' => (type < CHUNK ? 'control' : 'content')
/** Likewise for one of the receiver. */
export const receiverChannel = (type: number): 'answers' | 'account' =>
  type >= HAVE && type < COMPLETE ? 'account' : 'answers'

export interface RecordHead {
  readonly type: number
  readonly flags: number
  /** Index of the entry; what else it counts in some types is said in docs/protocols/transfer.md. */
  readonly file: number
  readonly offset: number
  /** Bytes of payload, before compression. */
  readonly length: number
}

export interface OpenRecord extends RecordHead {
  readonly payload: Uint8Array
}

const CONTENT_TYPES: ReadonlySet<number> = new Set([CHUNK, PACK])

/** Seals records in order. */
export class Sealer {
  readonly #key: Uint8Array
  readonly #aad: Buffer
  readonly #nonce = Buffer.alloc(NONCE_BYTES)
  readonly #cipher: Aead = aead('aes-256-gcm')
  #count = 0

  constructor(key: Uint8Array, transfer: Uint8Array) {
    this.#key = key
    this.#aad = Buffer.concat([transfer, Buffer.alloc(RECORD_HEAD_BYTES)])
  }

  /**
   * @param payload - may lie in `into` where it is sealed to
   * @param into - memory for the frame, RECORD_OVERHEAD_BYTES longer than the payload; else an ArrayBuffer of its own
   * @returns the whole frame
   */
  seal(
    head: RecordHead,
    payload: Pieces,
    into: Uint8Array = new Uint8Array(new ArrayBuffer(RECORD_OVERHEAD_BYTES + lengthOf(payload)))
  ): Uint8Array {
    const frame = Buffer.from(into.buffer, into.byteOffset, RECORD_OVERHEAD_BYTES + lengthOf(payload))
    frame.writeUInt32BE(frame.length - FRAME_LENGTH_BYTES)
    writeHead(frame, FRAME_LENGTH_BYTES, head)
    const body = FRAME_LENGTH_BYTES + RECORD_HEAD_BYTES
    this.#aad.set(frame.subarray(FRAME_LENGTH_BYTES, body), this.#aad.length - RECORD_HEAD_BYTES)
    const parameters = { key: this.#key, nonce: nonce(this.#nonce, this.#count++), aad: this.#aad }
    const end = frame.length - TAG_BYTES
    this.#cipher.seal(parameters, payload, frame.subarray(body, end), frame.subarray(end))
    return frame
  }
}

/** Opens what the Sealer of the same channel sealed, in the same order. */
export class Opener {
  readonly #key: Uint8Array
  readonly #aad: Buffer
  readonly #nonce = Buffer.alloc(NONCE_BYTES)
  readonly #cipher: Aead = aead('aes-256-gcm')
  readonly #compressible: ReadonlySet<number>
  #count = 0

  /** @param compressible - types whose payload may be compressed */
  constructor(key: Uint8Array, transfer: Uint8Array, compressible: ReadonlySet<number> = CONTENT_TYPES) {
    this.#key = key
    this.#compressible = compressible
    this.#aad = Buffer.concat([transfer, Buffer.alloc(RECORD_HEAD_BYTES)])
  }

  /**
   * @param frame - without its length; the payload is opened in its place, so its memory is needed as long as that
   * @param into - memory for the payload instead, as long or longer
   * @throws {SpacedriveError} MALFORMED; nothing of the payload is used before its tag fits
   */
  open(frame: Uint8Array, into?: Uint8Array): OpenRecord {
    if (frame.length < RECORD_HEAD_BYTES + TAG_BYTES) throw wireError('MALFORMED', 'a record is cut off')
    const head = readHead(frame)
    const sealed = frame.subarray(RECORD_HEAD_BYTES, frame.length - TAG_BYTES)
    if (!this.#fits(head, sealed.length))
      throw wireError(
        'MALFORMED',
        `a record with flags ${head.flags} says ${head.length} bytes, holds ${sealed.length}`
      )
    this.#aad.set(frame.subarray(0, RECORD_HEAD_BYTES), this.#aad.length - RECORD_HEAD_BYTES)
    const parameters = { key: this.#key, nonce: nonce(this.#nonce, this.#count++), aad: this.#aad }
    const payload = into?.subarray(0, sealed.length) ?? sealed
    if (!this.#cipher.open(parameters, sealed, payload, frame.subarray(frame.length - TAG_BYTES)))
      throw wireError('MALFORMED', 'a record was changed on the way')
    return { ...head, payload }
  }

  /** Whether the flags are known ones and the payload may be as long as it is. */
  #fits({ type, flags, length }: RecordHead, sealedBytes: number): boolean {
    const how = flags & ~FLAG_LAST
    if (how === 0) return sealedBytes === length
    if (how === FLAG_ZEROS) return sealedBytes === 0
    return how === FLAG_BROTLI && this.#compressible.has(type) && sealedBytes > 0 && sealedBytes < length
  }
}

/** The head of a frame that is not open yet: only its type may be looked at, to choose the channel. */
export function recordType(frame: Uint8Array): number {
  return frame[0] ?? 0
}

function nonce(into: Buffer, count: number): Buffer {
  if (count >= MAX_RECORDS) throw wireError('MALFORMED', 'too many records under one key')
  into.writeUInt32BE(count, 8)
  return into
}

function writeHead(into: Buffer, at: number, { type, flags, file, offset, length }: RecordHead): void {
  into.writeUInt8(type, at)
  into.writeUInt8(flags, at + 1)
  into.writeUInt32BE(file, at + 2)
  into.writeUInt32BE(Math.floor(offset / 2 ** 32), at + 6)
  into.writeUInt32BE(offset % 2 ** 32, at + 10)
  into.writeUInt32BE(length, at + 14)
}

function readHead(frame: Uint8Array): RecordHead {
  const view = new DataView(frame.buffer, frame.byteOffset, RECORD_HEAD_BYTES)
  const offset = view.getUint32(6) * 2 ** 32 + view.getUint32(10)
  if (!Number.isSafeInteger(offset)) throw wireError('MALFORMED', 'a record lies beyond 2^53')
  return {
    type: view.getUint8(0),
    flags: view.getUint8(1),
    file: view.getUint32(2),
    offset,
    length: view.getUint32(14)
  }
}
