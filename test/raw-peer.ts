/**
 * A libp2p node that a test drives by hand: with any key, on the same Noise prologue as ours, and with the encrypted
 * connection below Yamux at hand, so that it can send whatever it likes.
 */
import { createHash } from 'node:crypto'
import type { Connection, MessageStream, PrivateKey, Stream, StreamHandler } from '@libp2p/interface'
import type { DeviceId } from '../storage/base/index.js'
import { WAIT_MS } from './waits.js'

export interface RawConnection {
  readonly connection: Connection
  /** Sends bytes as they are, inside Noise and below Yamux. */
  sendRaw(bytes: Uint8Array): void
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>
}

export interface RawPeer {
  readonly id: DeviceId
  /** How many connections got as far as Yamux. */
  readonly muxed: number
  dial(address: string): Promise<RawConnection>
  handle(protocol: string, handler: StreamHandler): Promise<void>
  stop(): Promise<void>
}

const NETWORK_ID = new Uint8Array(createHash('sha256').update('spacedrive/net/1').digest())

export async function rawPeer(key?: PrivateKey): Promise<RawPeer> {
  const [{ createLibp2p }, { tcp }, { noise }, { yamux }, { multiaddr }] = await Promise.all([
    import('libp2p'),
    import('@libp2p/tcp'),
    import('@chainsafe/libp2p-noise'),
    import('@chainsafe/libp2p-yamux'),
    import('@multiformats/multiaddr')
  ])
  let muxed = 0
  let last: MessageStream | undefined
  const node = await createLibp2p({
    ...(key === undefined ? {} : { privateKey: key }),
    addresses: { listen: [] },
    transports: [tcp()],
    connectionEncrypters: [noise({ prologueBytes: NETWORK_ID })],
    streamMuxers: [
      () => {
        const factory = yamux({ enableKeepAlive: false, maxOutboundStreams: 20_000 })()
        return {
          protocol: factory.protocol,
          createStreamMuxer(stream: MessageStream) {
            muxed++
            last = stream
            return factory.createStreamMuxer(stream)
          }
        }
      }
    ],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionManager: {
      // A handshake is cut by the other side, and not because the machine is busy.
      addressDialTimeout: WAIT_MS,
      dialTimeout: WAIT_MS,
      outboundStreamProtocolNegotiationTimeout: WAIT_MS
    },
    connectionMonitor: { enabled: false }
  })
  return {
    id: node.peerId.toString() as DeviceId,
    get muxed() {
      return muxed
    },
    async dial(address) {
      const connection = await node.dial(multiaddr(address), { force: true })
      const raw = last!
      const closed = new Promise<void>(resolve => {
        if (connection.status !== 'open') resolve()
        connection.addEventListener('close', () => resolve())
      })
      return {
        connection,
        closed,
        sendRaw(bytes) {
          try {
            raw.send(bytes)
          } catch {
            // It was cut meanwhile: that is what the test waits for.
          }
        }
      }
    },
    handle: (protocol, handler) => node.handle(protocol, handler),
    stop: async () => {
      await node.stop()
    }
  }
}

/** Ends like a stream that the other side does not want: refused, reset, or closed with the connection. */
export async function isRefused(connection: Connection, protocol: string): Promise<boolean> {
  let stream: Stream
  try {
    stream = await connection.newStream([protocol], { signal: AbortSignal.timeout(WAIT_MS) })
  } catch {
    return true
  }
  if (stream.status !== 'open') return true
  return new Promise(resolve => {
    stream.addEventListener('close', event => resolve(event.error !== undefined))
    stream.addEventListener('remoteCloseWrite', () => resolve(true))
    stream.addEventListener('message', () => resolve(false))
  })
}
