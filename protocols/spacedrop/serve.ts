import type { Stream } from '@libp2p/interface'
import { type DeviceId, deadline, type Logger, linkSignals, type OfferId } from '../../storage/base/index.js'
import {
  decode,
  type FrameStream,
  frameStream,
  HEADER_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  MAX_CONTROL_FRAME_BYTES,
  type MessageChannel,
  messageChannel,
  type PeerSession,
  patientDeadline,
  publicCode,
  type TokenBucket,
  wireError
} from '../wire/index.js'
import { type AnswerRequest, type OfferRequest, pageSchema, type Reply, type Request, requestSchema } from './frames.js'
import { MANIFEST_TIMEOUT_MS, MAX_PAGES_AHEAD } from './limits.js'

/** What the service does with each request of a device. */
export interface Desk {
  /** What became of an offer that is known already; undefined: it is new. @throws REFUSED when its list of names is another */
  known(device: DeviceId, request: OfferRequest): Reply | undefined
  /** @throws TOO_MANY: no list of names is read for an offer that would not be kept */
  ensureRoom(device: DeviceId): void
  takeOffer(device: DeviceId, request: OfferRequest, pages: AsyncIterable<Uint8Array>): Promise<Reply>
  /** @throws GONE, CHANGED */
  takeAnswer(device: DeviceId, request: AnswerRequest): Promise<void>
  takeWithdrawal(device: DeviceId, id: OfferId): Promise<void>
}

export interface ServeInit {
  readonly desk: Desk
  bucketOf(device: DeviceId): TokenBucket
  readonly signal: AbortSignal
  readonly log: Logger
}

/** Serves one exchange. @throws when the device breaks the rules: the stream is then aborted */
export async function serve(stream: Stream, peer: PeerSession, init: ServeInit): Promise<void> {
  const frames = frameStream(stream, { maxFrameBytes: MAX_CONTROL_FRAME_BYTES })
  if (!init.bucketOf(peer.device).take()) {
    const err = wireError('FLOODED', 'the device makes or withdraws more offers than are allowed')
    peer.abort(err)
    throw err
  }
  const link = linkSignals(peer.signal, init.signal)
  try {
    const channel = messageChannel<Request, Reply>(frames, requestSchema, 'an offer')
    const { signal } = link
    let request: Request
    try {
      request = await channel.receive({ signal, timeoutMs: HEADER_TIMEOUT_MS, peer })
    } catch (err) {
      if (publicCode(err) === 'MALFORMED') await channel.send({ type: 'error', code: 'MALFORMED' }, { signal })
      throw err
    }
    const reply = await answer(request, peer.device, init, frames, channel, signal).catch((err: unknown): Reply => {
      const code = publicCode(err)
      const say = code === 'INTERNAL' ? init.log.error : init.log.info
      if (!signal.aborted)
        say('a request of a device was refused', { device: peer.device, type: request.type, code, err })
      return { type: 'error', code }
    })
    await channel.send(reply, { signal })
    await frames.closeWrite({ signal })
    await drain(frames, peer, signal)
  } finally {
    link.clear()
  }
}

/** Waits until the device closes its side too: one that does not holds a stream, and is cut. */
async function drain(frames: FrameStream, peer: PeerSession, signal: AbortSignal): Promise<void> {
  const limit = patientDeadline(peer, HEADER_TIMEOUT_MS, 'the end of an exchange', signal)
  try {
    // What was still on its way when we answered is thrown away unread.
    while ((await frames.read({ signal: limit.signal })) !== undefined);
  } finally {
    limit.clear()
  }
}

async function answer(
  request: Request,
  device: DeviceId,
  { desk }: ServeInit,
  frames: FrameStream,
  channel: MessageChannel<Request, Reply>,
  signal: AbortSignal
): Promise<Reply> {
  if (request.type === 'answer') {
    await desk.takeAnswer(device, request)
    return { type: 'ok' }
  }
  if (request.type === 'withdraw') {
    await desk.takeWithdrawal(device, request.id)
    return { type: 'ok' }
  }
  const known = desk.known(device, request)
  if (known !== undefined) return known
  desk.ensureRoom(device)
  const limit = deadline(MANIFEST_TIMEOUT_MS, 'the list of names of an offer', signal)
  try {
    await channel.send({ type: 'go', pages: MAX_PAGES_AHEAD }, { signal: limit.signal })
    const more = (n: number): Promise<void> => channel.send({ type: 'go', pages: n }, { signal: limit.signal })
    return await desk.takeOffer(device, request, pages(frames, more, limit.signal))
  } finally {
    limit.clear()
  }
}

/** @param more - asks for so many pages more, once that many were taken */
async function* pages(
  frames: FrameStream,
  more: (pages: number) => Promise<void>,
  signal: AbortSignal
): AsyncGenerator<Uint8Array> {
  for (let taken = 1; ; taken++) {
    const frame = await frames.read({ signal, timeoutMs: IDLE_TIMEOUT_MS })
    if (frame === undefined) throw wireError('TRUNCATED', 'the list of names ended early')
    const message = decode(frame, pageSchema, 'a page of names')
    if (message.type === 'end') return
    yield message.data
    // The sender waits only when it has used up all it was given: then all of it has been taken here.
    if (taken % MAX_PAGES_AHEAD === 0) await more(MAX_PAGES_AHEAD)
  }
}
