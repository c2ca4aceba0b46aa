/**
 * One stream of a transfer at the receiver's end, as far as the event loop goes: it reads who and what, hands content on to
 * the worker unopened, and bounds what may wait there.
 */
import type { Stream } from '@libp2p/interface'
import {
  type Clock,
  errorCode,
  hasCode,
  raceSignal,
  SpacedriveError,
  type TransferId,
  toError,
  type WorkerPool
} from '../../../storage/base/index.js'
import { Lane, type Pacing } from '../../pace/index.js'
import { decode, encode, type PeerSession, patientDeadline, publicCode, wireError } from '../../wire/index.js'
import { CREDIT_BYTES, MAX_CONTENT_FRAME_BYTES, MIN_HASH_BYTES_PER_SECOND } from '../limits.js'
import { farewell } from '../stream/farewell.js'
import { FrameBuffers } from '../stream/frame-buffers.js'
import { framePipe } from '../stream/frame-pipe.js'
import { channelKey, PREAMBLE_BYTES, SALT_BYTES, transferIdFromBytes } from '../stream/keys.js'
import { type Begin, beginSchema, type Complete, codeSchema } from '../stream/messages.js'
import * as records from '../stream/records.js'
import { watchdog } from '../stream/watchdog.js'
import { windowUnder } from '../stream/window.js'
import type { TransferTimings } from '../timings.js'
import { receiving } from './content.worker.js'
import type { FromContentReceiver, ReceiveInput, ReceiveOutcome, ToContentReceiver } from './messages.js'
import { type Incoming, isSendersTurn } from './senders-turn.js'

/** A stream as the transfer that it belongs to sees it. */
export interface OpenStream {
  readonly signal: AbortSignal
  /** Ends it; the sender is told the code of the reason where it may know it. */
  end(reason: Error): void
}

/** Receives the content of one stream; resolves when every file is accounted for. */
export type RunContent = (plan: ContentPlan) => Promise<ReceiveOutcome>

/** What a stream was opened for. */
export interface StreamTarget {
  /**
   * Called once, after BEGIN.
   * @returns what the sender is told at the end
   * @throws what the sender is told by its public code
   */
  accept(begin: Begin, run: RunContent, stream: OpenStream): Promise<Complete>
  onBytes(bytes: number): void
}

/** What the worker needs, but for the keys. */
export type ContentPlan = Omit<ReceiveInput, 'contentKey' | 'accountKey' | 'transfer'> & {
  onMessage(message: FromContentReceiver): void
}

export interface ServeInit {
  readonly stream: Stream
  readonly peer: PeerSession
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly timings: TransferTimings
  readonly pacing: Pacing
  /** Ends every stream: the service stops. */
  readonly signal: AbortSignal
  /** @throws {SpacedriveError} with the code that the sender is told (GONE, NOT_READY, TOO_MANY, ...) */
  find(id: TransferId): StreamTarget
  /** The sender gave it up for good. */
  cancelled(id: TransferId): void
}

/** Serves one stream to its end. @throws what ended it, after the sender was told what it may know */
export async function serveStream(init: ServeInit): Promise<void> {
  const { stream, peer, pool, clock, timings } = init
  const over = new AbortController()
  const lane = new Lane(init.pacing, peer.device, 'down', over.signal)
  let seal: { answers: records.Sealer } | undefined
  let open: records.Opener | undefined
  let id: TransferId | undefined
  let salt = new Uint8Array(0)
  let link: ReturnType<typeof pool.link<ReceiveInput, Promise<ReceiveOutcome>>> | undefined
  let target: StreamTarget | undefined
  const buffers = new FrameBuffers()
  let received = 0
  let consumed = 0
  /** The window that the sender was told last. */
  let toldBytes = CREDIT_BYTES
  /** What the limit of the rate let through. */
  let paid = 0
  /** Frames that wait for it. */
  let held = 0
  let moving = false
  let begun = { resolve: (_: Begin): void => {}, reject: (_: Error): void => {} }
  const begin = new Promise<Begin>((resolve, reject) => {
    begun = { resolve, reject }
  })
  begin.catch(() => {})

  const pipe = framePipe(stream, {
    preambleBytes: PREAMBLE_BYTES,
    maxFrameBytes: MAX_CONTENT_FRAME_BYTES,
    drainTimeoutMs: timings.drainMs,
    onPreamble(bytes) {
      salt = bytes.slice(0, SALT_BYTES)
      id = transferIdFromBytes(bytes.subarray(SALT_BYTES))
      seal = { answers: new records.Sealer(key('answers'), transfer()) }
      open = new records.Opener(key('control'), transfer())
    },
    allocate,
    onFrame,
    onEnd(error) {
      const reason = error ?? wireError('STREAM_CLOSED', 'the sender ended the stream')
      begun.reject(reason)
      over.abort(reason)
    }
  })
  const transfer = (): Uint8Array => new Uint8Array(Buffer.from(id!.replaceAll('-', ''), 'hex'))
  const key = (channel: records.Channel): Uint8Array => channelKey(peer, 'receiver', channel, salt, id!)
  const say = (type: number, message: unknown, offset = 0): void => {
    if (seal === undefined) return
    const payload = message === undefined ? new Uint8Array(0) : encode(message)
    pipe.send(seal.answers.seal({ type, flags: 0, file: 0, offset, length: payload.length }, payload))
    dog.said()
  }
  const dog = watchdog({
    clock,
    timings,
    // A frame may be minutes on its way, or wait here for a limit: credit for it comes after that.
    onQuiet: () => say(records.BUSY, undefined, arrived() + paid),
    onExpired: reason => pipe.abort(reason),
    movedBytes: () => (moving && isSendersTurn(incoming()) ? arrived() : undefined),
    wire: pipe
  })

  /** Bytes that are missing of a frame of content that is arriving. */
  function missing(): number | undefined {
    const part = pipe.arriving
    return part !== undefined && records.senderChannel(part.type) === 'content' ? part.missingBytes : undefined
  }

  /** Of content, with what is there of a frame that is not whole. */
  function arrived(): number {
    return received - (missing() ?? 0)
  }

  function incoming(): Incoming {
    return { held, isArriving: missing() !== undefined, waitingBytes: received - consumed, toldBytes }
  }

  /** The window under the limits of now. */
  function windowBytes(): number {
    return windowUnder(lane.messageBytes)
  }

  /** Before a byte of a frame is kept: what was not granted ends the stream. */
  function allocate(type: number, length: number): Uint8Array {
    if (records.senderChannel(type) !== 'content') return new Uint8Array(length)
    received += length + records.FRAME_LENGTH_BYTES
    if (link === undefined) throw wireError('UNEXPECTED_MESSAGE', 'content came before it was accepted')
    if (received - consumed > CREDIT_BYTES) throw wireError('FLOODED', 'more content came than was granted')
    return buffers.take(length)
  }

  function onFrame(frame: Uint8Array): void {
    dog.heard()
    const type = records.recordType(frame)
    if (records.senderChannel(type) === 'content') {
      // Credit comes for what was written: what waits here holds the sender back.
      const onPaid = (bytes: number): void => {
        paid += bytes
      }
      held++
      const taken = lane.take(frame.length, onPaid).finally(() => {
        held--
      })
      taken.then(
        () => post({ frame, windowBytes: windowBytes() }, [frame.buffer as ArrayBuffer]),
        () => {} // the stream is over
      )
      return
    }
    const record = open!.open(frame)
    if (type === records.BEGIN) begun.resolve(decode(record.payload, beginSchema, 'the beginning of a transfer'))
    else if (type === records.CANCEL) {
      decode(record.payload, codeSchema, 'a cancellation')
      init.cancelled(id!)
      over.abort(new SpacedriveError('CANCELLED', 'the sender cancelled the transfer'))
    } else if (type !== records.BUSY) throw wireError('UNEXPECTED_MESSAGE', `a record of type ${type}`)
  }

  function post(message: ToContentReceiver, memory: ArrayBuffer[] = []): void {
    link!.post(message, memory)
  }

  function onMessage(plan: ContentPlan, message: FromContentReceiver): void {
    if (message.frame !== undefined) {
      pipe.send(message.frame)
      dog.said()
    }
    if (message.toldBytes !== undefined) toldBytes = message.toldBytes
    if (message.consumed !== undefined) consumed = message.consumed
    if (message.memory !== undefined) buffers.give(message.memory)
    if (message.partialBytes !== undefined) {
      moving = true
      post({ windowBytes: windowBytes() })
      dog.excuse((message.partialBytes / MIN_HASH_BYTES_PER_SECOND) * 1000)
    }
    plan.onMessage(message)
  }

  async function run(plan: ContentPlan): Promise<ReceiveOutcome> {
    const { onMessage: _, ...input } = plan
    const keys = { contentKey: key('content'), accountKey: key('account'), transfer: transfer() }
    link = pool.link(
      receiving.receiveContent,
      { ...input, ...keys },
      {
        signal: over.signal,
        onEmit: (message: FromContentReceiver) => onMessage(plan, message)
      }
    )
    try {
      return await link.result
    } finally {
      moving = false
    }
  }

  const stop = (): void => pipe.abort(toError(init.signal.reason))
  init.signal.addEventListener('abort', stop, { once: true })
  try {
    const limit = patientDeadline(peer, timings.headerMs, 'the beginning of a transfer', over.signal)
    const message = await raceSignal(begin, limit.signal).finally(() => limit.clear())
    target = init.find(id!)
    const complete = await target.accept(message, run, { signal: over.signal, end: reason => over.abort(reason) })
    say(records.COMPLETE, complete)
    await farewell(pipe, clock)
  } catch (err) {
    // Whoever breaks the rules is cut off; whoever came for nothing is told.
    if (hasCode(err, 'MALFORMED', 'UNEXPECTED_MESSAGE', 'FLOODED', 'FRAME_TOO_LARGE', 'TIMEOUT'))
      pipe.abort(toError(err))
    else {
      say(records.REFUSE, { code: refusalCode(err) })
      await farewell(pipe, clock)
    }
    throw err
  } finally {
    init.signal.removeEventListener('abort', stop)
    dog.stop()
    over.abort(new SpacedriveError('STREAM_CLOSED', 'the stream is over'))
    await link?.result.catch(() => {})
    target?.onBytes(pipe.bytesIn + pipe.bytesOut)
  }
}

const TELLABLE = new Set(['NOT_READY', 'MANIFEST_MISMATCH', 'ROOT_MOVED', 'READ_ONLY', 'DISK_ERROR'])

/** What the sender may know of why. */
function refusalCode(err: unknown): string {
  const code = errorCode(err)
  return TELLABLE.has(code) ? code : publicCode(err)
}
