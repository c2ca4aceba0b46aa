import type { Stream } from '@libp2p/interface'
import { type DeviceId, hasCode, type Logger, linkSignals } from '../../storage/base/index.js'
import {
  frameStream,
  HEADER_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  MAX_CONTROL_FRAME_BYTES,
  messageChannel,
  type PeerSession,
  publicCode,
  type TokenBucket,
  wireError
} from '../wire/index.js'
import { type Answer, type Envelope, envelopeSchema, type Frame, type MessageFrame, parseFrame } from './frames.js'
import type { Handlers } from './handlers.js'
import { RunningRequests } from './requests.js'

export interface ServeInit {
  readonly handlers: Handlers
  /** The allowance of a device, kept over its connections. */
  bucketOf(device: DeviceId): TokenBucket
  /** Makes a message durable. @throws with the code to answer */
  receive(device: DeviceId, frame: MessageFrame): Promise<void>
  readonly signal: AbortSignal
  readonly log: Logger
}

/** Serves one stream that a device opened, until it closes it. @throws when it breaks the rules: the stream is then aborted */
export async function serve(stream: Stream, peer: PeerSession, init: ServeInit): Promise<void> {
  const frames = frameStream(stream, { maxFrameBytes: MAX_CONTROL_FRAME_BYTES })
  const channel = messageChannel<Envelope, Answer>(frames, envelopeSchema, 'a message')
  const bucket = init.bucketOf(peer.device)
  const link = linkSignals(peer.signal, init.signal)
  const { signal } = link
  const requests = new RunningRequests(peer, signal, init.log)
  const dispatch = dispatcher(peer, init, requests, answer => channel.send(answer, { signal }))
  let lastN = 0
  const pay = (): void => {
    if (bucket.take()) return
    const err = wireError('FLOODED', 'the device sends more messages than are allowed')
    peer.abort(err)
    throw err
  }
  try {
    pay() // opening a stream costs something too
    for (;;) {
      const timeoutMs = lastN === 0 ? HEADER_TIMEOUT_MS : IDLE_TIMEOUT_MS
      const envelope = await channel.receiveOrEnd({ signal, timeoutMs, peer }).catch((err: unknown) => {
        if (requests.size > 0 && hasCode(err, 'TIMEOUT')) return 'working' as const // it waits for us
        throw err
      })
      if (envelope === 'working') continue
      if (envelope === undefined) break
      pay()
      if (envelope.n !== lastN + 1) {
        throw wireError('UNEXPECTED_MESSAGE', `expected frame ${lastN + 1}, got ${envelope.n}`)
      }
      lastN = envelope.n
      const frame = parseFrame(envelope)
      const answer = typeof frame === 'string' ? error(lastN, frame) : await dispatch(frame)
      if (answer !== undefined) await channel.send(answer, { signal })
    }
    await requests.settled()
    await frames.closeWrite()
  } finally {
    requests.abort(wireError('STREAM_CLOSED', 'the device closed its stream'))
    link.clear()
  }
}

/** @returns what to do with a frame: gives its answer, or undefined where that follows later */
function dispatcher(
  peer: PeerSession,
  { handlers, receive, log }: ServeInit,
  requests: RunningRequests,
  answerLater: (answer: Answer) => Promise<void>
): (frame: Frame) => Promise<Answer | undefined> {
  const { device } = peer
  // Set when a message could not be taken now: what follows is refused too, so that the order is kept.
  let blocked: string | undefined

  async function takeMessage(frame: MessageFrame): Promise<Answer> {
    if (blocked !== undefined) return error(frame.n, blocked)
    try {
      await receive(device, frame)
      return { type: 'ok', n: frame.n }
    } catch (err) {
      blocked = publicCode(err)
      if (!hasCode(err, 'TOO_MANY')) log.error('a message could not be kept', { device, err })
      return error(frame.n, blocked)
    }
  }

  return async frame => {
    const { n } = frame
    if (frame.type === 'cancel') {
      requests.cancel(frame.request)
      return { type: 'ok', n }
    }
    const { message, check, notification, request } = handlers.get(frame.kind) ?? {}
    if (frame.type === 'message' && message !== undefined) {
      return check?.(frame.body) === false ? error(n, 'MALFORMED') : takeMessage(frame)
    }
    if (frame.type === 'request' && request !== undefined) return requests.start(frame, request, answerLater)
    if (frame.type === 'notify' && notification !== undefined) {
      try {
        notification(frame.body, device)
      } catch (err) {
        log.error('a handler of a notification failed', { device, kind: frame.kind, err })
      }
      return { type: 'ok', n }
    }
    return error(n, 'UNKNOWN_TYPE')
  }
}

function error(n: number, code: string): Answer {
  return { type: 'error', n, code }
}
