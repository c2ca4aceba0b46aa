import { type AbortOptions, type DeviceId, hasCode, SpacedriveError } from '../../storage/base/index.js'
import type { ManifestStore } from '../transfer/index.js'
import {
  type Answering,
  frameStream,
  MAX_CONTROL_FRAME_BYTES,
  type MessageChannel,
  messageChannel,
  type PeerNetwork,
  patientDeadline
} from '../wire/index.js'
import { type PageFrame, type Reply, type Request, replySchema } from './frames.js'
import { ANSWER_TIMEOUT_MS, MANIFEST_TIMEOUT_MS } from './limits.js'
import type { Offer } from './store.js'

export interface ExchangeInit {
  network: Pick<PeerNetwork, 'open'>
  protocol: string
  device: DeviceId
}

type Channel = MessageChannel<Reply, Request | PageFrame>

interface Exchange {
  readonly channel: Channel
  readonly peer: Answering
}

/** Says one thing to a device and gives its reply. @throws what the network throws; the code of an error reply (`details.remote`) */
export async function exchange(
  init: ExchangeInit,
  request: Request,
  options: AbortOptions,
  pages?: AsyncIterable<Uint8Array>
): Promise<Reply> {
  const { stream, peer } = await init.network.open(init.device, init.protocol, options)
  const frames = frameStream(stream, { maxFrameBytes: MAX_CONTROL_FRAME_BYTES })
  const channel: Channel = messageChannel(frames, replySchema, 'a reply')
  try {
    await channel.send(request, options)
    const first = await receive({ channel, peer }, options, ANSWER_TIMEOUT_MS)
    const reply =
      first.type === 'go' && pages !== undefined
        ? await sendPages({ channel, peer }, pages, first.pages, options)
        : first
    await frames.closeWrite(options)
    return reply
  } catch (err) {
    frames.abort(err)
    throw err
  }
}

/** Offers an offer of ours, with its list of names where that is wanted. */
export function offerTo(
  init: ExchangeInit,
  offer: Offer,
  manifests: ManifestStore,
  options: AbortOptions
): Promise<Reply> {
  const { id, kind, hash, totals } = offer
  const request: Request = { type: 'offer', id, kind, hash: Buffer.from(hash, 'hex'), totals }
  return exchange(init, request, options, manifests.pages(offer.manifest!))
}

/** Sends pages as far as they are asked for. @returns the reply to the whole list, or to so much of it as was wanted */
async function sendPages(
  { channel, peer }: Exchange,
  pages: AsyncIterable<Uint8Array>,
  asked: number,
  options: AbortOptions
): Promise<Reply> {
  let room = asked
  for await (const data of pages) {
    if (room === 0) {
      const reply = await receive({ channel, peer }, options, ANSWER_TIMEOUT_MS)
      if (reply.type !== 'go') return reply
      room = reply.pages
    }
    room--
    await channel.send({ type: 'page', data }, options)
  }
  await channel.send({ type: 'end' }, options)
  for (;;) {
    // The last pages may still be on their way through a slow link.
    const reply = await receive({ channel, peer }, options, MANIFEST_TIMEOUT_MS)
    if (reply.type !== 'go') return reply
  }
}

async function receive({ channel, peer }: Exchange, { signal }: AbortOptions, timeoutMs: number): Promise<Reply> {
  const limit = patientDeadline(peer, timeoutMs, 'the reply of the device', signal)
  try {
    const reply = await channel.receive({ signal: limit.signal })
    if (reply.type !== 'error') return reply
    throw new SpacedriveError(reply.code, `the device answered ${reply.code}`, { details: { remote: true } })
  } finally {
    limit.clear()
  }
}

/** True for an error that the other device sent with one of these codes. */
export function saidThere(err: unknown, ...codes: string[]): boolean {
  return hasCode(err, ...codes) && err instanceof SpacedriveError && err.details?.remote === true
}
