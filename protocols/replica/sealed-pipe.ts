/**
 * The frames of one replica stream, sealed (PEERS.md 6): who opens the stream sends 32 random bytes in the clear, which with
 * the connection's keys give one key for each direction. Every later frame is one record of protocols/transfer: its type,
 * the number of the call, and a payload of
 *
 *   length of the values u32 | values (MessagePack) | bytes beside them
 *
 * compressed as a whole where there are bytes beside them, the link has shown that it is slow, and it pays. The head's `offset` says
 * how much content may be on its way to who sends it, as the window of a transfer does.
 */
import type { Stream } from '@libp2p/interface'
import type { Random } from '../../storage/base/index.js'
import { givePlace, PLACE_BYTES, takePlace } from '../../sync/endpoints/index.js'
import {
  CREDIT_BYTES,
  compressed,
  expand,
  FLAG_BROTLI,
  FRAME_LENGTH_BYTES,
  FrameBuffers,
  type FramePace,
  framePipe,
  LinkRate,
  Opener,
  type OpenRecord,
  RECORD_HEAD_BYTES,
  RECORD_OVERHEAD_BYTES,
  recordType,
  reusable,
  Sealer,
  SLOW_LINK_BYTES_PER_SECOND,
  windowFromWire,
  windowToWire
} from '../transfer/index.js'
import { DRAIN_TIMEOUT_MS, encode, type PeerSession, wireError } from '../wire/index.js'
import { MAX_REPLICA_FRAME_BYTES } from './limits.js'
import { toWire } from './values.js'

const SALT_BYTES = 32
const LENGTH_BYTES = 4
/** Bound into every record. */
const LABEL = Buffer.from('spacedrive replica 1')

/** By who opened the stream */
export const CALL = 1
/** More parts may come. */
export const MORE = 2
/** The answer is no longer wanted; one comes all the same. */
export const ABORT = 3
/** By who serves it */
export const PART = 16
export const RESULT = 17
export const ERROR = 18
/** Still at it. */
export const ALIVE = 19

/** What may bring content. */
const COMPRESSIBLE: ReadonlySet<number> = new Set([CALL, PART, RESULT])

export interface ReplicaFrame {
  readonly type: number
  readonly call: number
  /** MessagePack. */
  readonly values: Uint8Array
  /** An ArrayBuffer of its own, empty where there is none; or, of a type that may be shared, a place that is to be given back. */
  readonly data: Uint8Array
}

export interface SealedPipe {
  /**
   * Queues a frame; frames go out in the order of the calls.
   * @returns its memory, for `arrived`
   */
  send(type: number, call: number, values: unknown, data?: readonly Uint8Array[]): Uint8Array
  /**
   * The other device has this frame: its memory is used again. One that says so of what it does not have yet gets other bytes
   * instead, sealed for it alone.
   */
  arrived(frame: Uint8Array): void
  /**
   * Resolves with what `send` makes of it, once content may be sent: under a limit no more than one frame of it waits to go out, so that
   * what is no content comes soon after it was asked for.
   * @throws what `send` throws
   */
  inTurn<T>(send: () => T | Promise<T>): Promise<T>
  /** Bytes that came and went, parts of frames among them. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** Some of a frame is here, and not all of it. */
  readonly isArriving: boolean
  /** What the other end lets be on its way to it, as its last frame says. */
  readonly windowBytes: number
  /** Nothing is under way: what is kept for later frames is let go (`FrameBuffers.rest`). Most streams rest most of the time. */
  rest(): void
  /** Says that nothing more will be sent, once what is queued is out. */
  close(): Promise<void>
  abort(reason: Error): void
}

export interface SealedPipeInit {
  readonly stream: Stream
  readonly peer: PeerSession
  /** Who opens draws the salt. */
  readonly random?: Random | undefined
  /** Content is compressed on a link slower than this; SLOW_LINK_BYTES_PER_SECOND unless given. */
  readonly compressBelowBytesPerSecond?: number | undefined
  /** Limits of the rate, for frames with bytes beside their values. */
  readonly pace?: FramePace | undefined
  /** What this end lets be on its way to it now; all of the credit unless given. */
  windowBytes?(): number
  /** Frames whose content may come in a place (sync/endpoints/shared-places.ts): whoever gets one gives it back. */
  readonly sharedType?: number | undefined
  /** What it throws ends the stream. */
  onFrame(frame: ReplicaFrame): void
  onEnd(error?: Error): void
}

const NOTHING = new Uint8Array(0)
const PAYLOAD_AT = FRAME_LENGTH_BYTES + RECORD_HEAD_BYTES
const info = (from: 'driver' | 'server'): string => `spacedrive replica 1 from ${from}`

export function sealedPipe(init: SealedPipeInit): SealedPipe {
  const {
    stream,
    peer,
    random,
    pace,
    sharedType,
    onFrame,
    onEnd,
    compressBelowBytesPerSecond = SLOW_LINK_BYTES_PER_SECOND
  } = init
  const rate = new LinkRate()
  // With memory of its own for each frame the collectors of garbage were the largest user of the processor.
  const incoming = new FrameBuffers()
  const outgoing = new FrameBuffers()
  const [ours, theirs] = random === undefined ? (['server', 'driver'] as const) : (['driver', 'server'] as const)
  let sealer: Sealer | undefined
  let opener: Opener | undefined
  let windowBytes = CREDIT_BYTES
  const keyed = (salt: Uint8Array): void => {
    sealer = new Sealer(peer.deriveKey('send', salt, info(ours)), LABEL)
    opener = new Opener(peer.deriveKey('receive', salt, info(theirs)), LABEL, COMPRESSIBLE)
  }
  const pipe = framePipe(stream, {
    preambleBytes: random === undefined ? SALT_BYTES : 0,
    maxFrameBytes: MAX_REPLICA_FRAME_BYTES,
    drainTimeoutMs: DRAIN_TIMEOUT_MS,
    rate,
    pace,
    allocate: (_, length) => incoming.take(length),
    onPreamble: salt => keyed(salt.slice()),
    onFrame(frame) {
      const place = recordType(frame) === sharedType && isLarge(frame) ? takePlace() : undefined
      let opened: ReplicaFrame | undefined
      try {
        const record = opener!.open(frame, place && new Uint8Array(place))
        windowBytes = windowFromWire(record.offset)
        opened = framed(record, place)
      } finally {
        if (place !== undefined && opened?.data.buffer !== place) givePlace(place)
      }
      onFrame(opened)
      for (const memory of reusable(frame)) incoming.give(memory)
    },
    onEnd
  })
  if (random !== undefined) {
    const salt = random.bytes(SALT_BYTES)
    keyed(salt)
    pipe.send(salt)
  }
  return {
    close: () => pipe.close(),
    abort: reason => pipe.abort(reason),
    arrived(frame) {
      for (const memory of reusable(frame)) outgoing.give(memory)
    },
    rest() {
      incoming.rest()
      outgoing.rest()
    },
    send(type, call, values, data = []) {
      if (sealer === undefined) throw wireError('UNEXPECTED_MESSAGE', 'nothing may be said before the salt')
      const head = values === undefined ? NOTHING : encode(toWire(values))
      const length = LENGTH_BYTES + head.length + data.reduce((sum, part) => sum + part.length, 0)
      if (length + RECORD_OVERHEAD_BYTES > MAX_REPLICA_FRAME_BYTES)
        throw wireError('FRAME_TOO_LARGE', `a message of ${length} bytes was to be sent`)
      // Content is sealed from where it lies into the frame: memory of its own for each step was the largest user of the processor.
      const frame = outgoing.take(RECORD_OVERHEAD_BYTES + length)
      new DataView(frame.buffer, frame.byteOffset).setUint32(PAYLOAD_AT, head.length)
      frame.set(head, PAYLOAD_AT + LENGTH_BYTES)
      const payload = [frame.subarray(PAYLOAD_AT, PAYLOAD_AT + LENGTH_BYTES + head.length), ...data]
      const slow = data.length > 0 && rate.bytesPerSecond < compressBelowBytesPerSecond
      const smaller = slow ? compressed(Buffer.concat(payload)) : undefined
      const flags = smaller === undefined ? 0 : FLAG_BROTLI
      const content = data.some(part => part.length > 0)
      const offset = windowToWire(init.windowBytes?.() ?? CREDIT_BYTES)
      pipe.send(sealer.seal({ type, flags, file: call, offset, length }, smaller ?? payload, frame), { content })
      return frame
    },
    inTurn: send =>
      new Promise((resolve, reject) => {
        pipe.whenClear(() => {
          try {
            resolve(send())
          } catch (err) {
            reject(err)
          }
        })
      }),
    get bytesIn() {
      return pipe.bytesIn
    },
    get bytesOut() {
      return pipe.bytesOut
    },
    get isArriving() {
      return pipe.arriving !== undefined
    },
    get windowBytes() {
      return windowBytes
    }
  }
}

/** Holds enough for a place, and fits into it. */
const isLarge = (frame: Uint8Array): boolean => frame.length >= PLACE_BYTES / 2 && frame.length <= PLACE_BYTES

/** @param place - where the payload was opened; data is there unless it came compressed */
function framed(record: OpenRecord, place: SharedArrayBuffer | undefined): ReplicaFrame {
  const { type, file, payload } = expand(record, MAX_REPLICA_FRAME_BYTES)
  const length =
    payload.length < LENGTH_BYTES
      ? Number.POSITIVE_INFINITY
      : new DataView(payload.buffer, payload.byteOffset).getUint32(0)
  if (LENGTH_BYTES + length > payload.length) throw wireError('MALFORMED', 'a message is cut off')
  return {
    ...{ type, call: file, values: copied(payload.subarray(LENGTH_BYTES, LENGTH_BYTES + length)) },
    data: inPlace(payload.subarray(LENGTH_BYTES + length), place)
  }
}

const inPlace = (data: Uint8Array, place: SharedArrayBuffer | undefined): Uint8Array =>
  data.buffer === place ? data : copied(data)

/** In an ArrayBuffer of its own, which may be handed to another thread: the memory of the frame is used again. */
function copied(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const own = new Uint8Array(Buffer.allocUnsafeSlow(bytes.length).buffer as ArrayBuffer)
  own.set(bytes)
  return own
}
