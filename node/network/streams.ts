/** Serving protocols: before a handler sees a stream, the peer is paired, has said hello, and is within its number. */
import type { Connection, Stream } from '@libp2p/interface'
import { HELLO_TIMEOUT_MS } from '../../protocols/hello/index.js'
import { type HandlerOptions, type PeerHandler, wireError } from '../../protocols/wire/index.js'
import { type DeviceId, deadline, type Logger, toError } from '../../storage/base/index.js'
import { MAX_PROTOCOL_STREAMS } from './limits.js'
import { type Links, sessionOf } from './links.js'
import { maySpeak, type Standing } from './trust.js'

export interface ServeInit {
  readonly protocol: string
  readonly handler: PeerHandler
  readonly options: HandlerOptions
  readonly log: Logger
  links(): Links | undefined
  standing(device: DeviceId): Standing
}

/** @returns what libp2p calls for each inbound stream of the protocol */
export function served(init: ServeInit): (stream: Stream, connection: Connection) => Promise<void> {
  const { protocol, handler, options, log } = init
  const max = options.maxInboundStreams ?? MAX_PROTOCOL_STREAMS
  /** Over all connections of a device: it may have several. */
  const open = new Map<DeviceId, number>()

  return async (stream, connection) => {
    const device = connection.remotePeer.toString() as DeviceId
    const link = init.links()?.find(connection)
    const state = init.standing(device)
    // An unconfirmed device may be in the middle of the hello that makes it a paired one.
    if (link === undefined || !(maySpeak(protocol, state) || state === 'unconfirmed')) {
      stream.abort(wireError('REFUSED', 'not for this peer'))
      return
    }
    const count = (open.get(device) ?? 0) + 1
    if (count > max) {
      stream.abort(wireError('REFUSED', `more than ${max} streams of ${protocol}`))
      return
    }
    open.set(device, count)
    const limit = deadline(HELLO_TIMEOUT_MS, 'the hello', link.closed)
    try {
      const session = await sessionOf(link, limit.signal)
      if (!maySpeak(protocol, init.standing(device))) throw wireError('REFUSED', 'not for this peer')
      await handler(stream, session)
      if (stream.status === 'open') await stream.close()
    } catch (err) {
      stream.abort(toError(err))
      if (!link.closed.aborted) log.warn('a stream failed', { protocol, device, err })
    } finally {
      limit.clear()
      const left = open.get(device)! - 1
      if (left === 0) open.delete(device)
      else open.set(device, left)
    }
  }
}
