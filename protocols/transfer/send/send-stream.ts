/**
 * One stream of a transfer at the sender's end, as far as the event loop goes: it pipes the frames that the worker sealed, and
 * opens the receiver's answers.
 */
import type { Stream } from '@libp2p/interface'
import {
  type Clock,
  type ContentHash,
  type Random,
  raceSignal,
  SpacedriveError,
  type TransferId,
  toError,
  type WorkerPool
} from '../../../storage/base/index.js'
import { hashToBytes } from '../../../storage/content/index.js'
import { Lane, type Pacing } from '../../pace/index.js'
import { decode, encode, type PeerSession, wireError } from '../../wire/index.js'
import {
  MAX_ANSWER_FRAME_BYTES,
  MAX_PARTIALS,
  MAX_PASSES,
  MIN_HASH_BYTES_PER_SECOND,
  PACK_FRAME_BYTES
} from '../limits.js'
import { bitmapFor, selectionHash } from '../manifest/selection.js'
import type { NamedSource } from '../manifest/sources.js'
import type { Manifest, Selection } from '../manifest/types.js'
import { farewell } from '../stream/farewell.js'
import { framePipe } from '../stream/frame-pipe.js'
import { ringMemory } from '../stream/frame-ring.js'
import { channelKey, SALT_BYTES, transferIdBytes } from '../stream/keys.js'
import { type Begin, type Complete, codeSchema, completeSchema } from '../stream/messages.js'
import { parseProblems } from '../stream/problem-rows.js'
import * as records from '../stream/records.js'
import { watchdog } from '../stream/watchdog.js'
import { windowFromWire } from '../stream/window.js'
import type { TransferTimings } from '../timings.js'
import { sending } from './content.worker.js'
import type { FromContentSender, Partial } from './content-sender.js'

export interface SendStreamInit {
  readonly stream: Stream
  readonly peer: PeerSession
  readonly id: TransferId
  readonly manifest: Manifest
  readonly selection: Selection
  readonly sources: readonly NamedSource[]
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly random: Random
  readonly timings: TransferTimings
  readonly pacing: Pacing
  readonly signal: AbortSignal
  onProgress(doneFiles: number, doneBytes: number): void
  onProblem(file: number, code: string, by: 'sender' | 'receiver'): void
  /** Bytes of frames, both ways, once the stream is over. */
  onBytes(bytes: number): void
}

/**
 * @returns when the receiver has placed everything
 * @throws {SpacedriveError} the code of a refusal; STREAM_CLOSED, TIMEOUT, ... when another stream may do; `signal.reason`
 */
export async function sendOverStream(init: SendStreamInit): Promise<Complete> {
  const { stream, peer, id, manifest, selection, pool, clock, timings, signal } = init
  const salt = init.random.bytes(SALT_BYTES)
  const transfer = transferIdBytes(id)
  const key = (channel: records.Channel): Uint8Array => channelKey(peer, 'sender', channel, salt, id)
  const control = new records.Sealer(key('control'), transfer)
  const openers = {
    answers: new records.Opener(key('answers'), transfer),
    account: new records.Opener(key('account'), transfer)
  }
  let have = bitmapFor(manifest.totals.entries)
  let partials: Partial[] = []
  let passes = 0
  let sent = 0
  let credited = 0
  /** What the receiver says of what it has not given credit for yet. */
  let arrived = 0

  const over = new AbortController()
  const lane = new Lane(init.pacing, peer.device, 'up', over.signal)
  let settle = { resolve: (_: Complete): void => {}, reject: (_: Error): void => {} }
  const outcome = new Promise<Complete>((resolve, reject) => {
    settle = { resolve, reject }
  })
  outcome.catch(() => {}) // it may fail before anybody waits for it

  const pipe = framePipe(stream, {
    maxFrameBytes: MAX_ANSWER_FRAME_BYTES,
    drainTimeoutMs: timings.drainMs,
    pace: lane,
    onFrame,
    onEnd: error =>
      settle.reject(
        error ?? wireError('STREAM_CLOSED', 'the other device ended the stream before the transfer was done')
      )
  })
  const say = (type: number, message: unknown): void => {
    const payload = message === undefined ? new Uint8Array(0) : encode(message)
    pipe.send(control.seal({ type, flags: 0, file: 0, offset: 0, length: payload.length }, payload))
    dog.said()
  }
  const dog = watchdog({
    clock,
    timings,
    onQuiet: () => say(records.BUSY, undefined),
    onExpired: reason => pipe.abort(reason),
    movedBytes: () => (sent > credited ? credited + arrived : undefined),
    wire: pipe
  })
  const ring = ringMemory(PACK_FRAME_BYTES)
  const { compressBelowBytesPerSecond } = timings
  const link = pool.link(
    sending.sendContent,
    {
      manifestFile: manifest.file,
      sources: init.sources,
      selection,
      key: key('content'),
      transfer,
      ring,
      compressBelowBytesPerSecond
    },
    { signal: over.signal, onEmit: onSealed }
  )
  link.result.catch(err => {
    if (!over.signal.aborted) pipe.abort(toError(err))
  })

  /** What it names must be in the manifest: what is remembered of it stays as small as that. */
  function known(file: number): number {
    if (file >= manifest.totals.entries) throw wireError('MALFORMED', `there is no entry ${file}`)
    return file
  }

  function onSealed(message: FromContentSender): void {
    if (message.frame !== undefined) {
      const { at, length } = message.frame
      pipe.send(new Uint8Array(ring, at, length), {
        content: true,
        gone() {
          sent += length
        }
      })
    }
    if (message.failed !== undefined) init.onProblem(message.failed.file, message.failed.code, 'sender')
    init.onProgress(message.doneFiles, message.doneBytes)
  }

  function onFrame(frame: Uint8Array): void {
    dog.heard()
    const type = records.recordType(frame)
    const record = openers[records.receiverChannel(type)].open(frame)
    const { file, offset, payload } = record
    if (type === records.HAVE) {
      if (offset + payload.length > have.length) throw wireError('MALFORMED', 'the receiver has more than there is')
      have.set(payload, offset)
    } else if (type === records.PARTIAL) {
      if (partials.length >= MAX_PARTIALS || payload.length !== 32) throw wireError('MALFORMED', 'a bad partial file')
      known(file)
      partials.push({ file, length: offset, hash: payload })
    } else if (type === records.PROBLEMS) {
      const problems = parseProblems(record)
      for (const problem of problems) init.onProblem(known(problem.file), problem.code, 'receiver')
      link.post({ skip: problems.map(p => p.file) })
    } else if (type === records.GO) {
      if (++passes > MAX_PASSES) throw wireError('FLOODED', 'the receiver asks for the same content again and again')
      dog.excuse((partials.reduce((n, p) => n + p.length, 0) / MIN_HASH_BYTES_PER_SECOND) * 1000)
      link.post({ go: { have, partials }, windowBytes: windowFromWire(file) })
      have = bitmapFor(manifest.totals.entries)
      partials = []
    } else if (type === records.CREDIT) {
      if (offset <= credited || offset > sent) throw wireError('MALFORMED', 'a credit for what was not sent')
      credited = offset
      link.post({ credit: offset, windowBytes: windowFromWire(file) })
    } else if (type === records.COMPLETE) {
      const complete = decode(payload, completeSchema, 'the end of a transfer')
      for (const problem of complete.problems) known(problem.file)
      settle.resolve(complete)
    } else if (type === records.REFUSE || type === records.CANCEL) {
      const { code } = decode(payload, codeSchema, 'a refusal')
      settle.reject(
        new SpacedriveError(code, `the other device ended the transfer: ${code}`, { details: { by: 'peer' } })
      )
    } else if (type === records.BUSY) {
      // What it can say by that is bounded: after it content has to be consumed.
      if (offset > 2 * pipe.bytesOut) throw wireError('MALFORMED', 'the receiver says that more came than was sent')
      arrived = Math.max(arrived, offset)
    } else throw wireError('UNEXPECTED_MESSAGE', `a record of type ${type}`)
  }

  try {
    pipe.send(Buffer.concat([salt, transfer]))
    const begin: Begin = {
      version: 1,
      manifest: hashToBytes(manifest.hash as ContentHash),
      selection: selectionHash(selection, manifest.totals.entries),
      entries: manifest.totals.entries
    }
    say(records.BEGIN, begin)
    const complete = await raceSignal(outcome, signal)
    await farewell(pipe, clock)
    return complete
  } catch (err) {
    pipe.abort(toError(err))
    throw err
  } finally {
    dog.stop()
    over.abort()
    await link.result.catch(() => {})
    init.onBytes(pipe.bytesIn + pipe.bytesOut)
  }
}
