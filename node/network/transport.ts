/**
 * The one place that makes a libp2p node for this device: TCP, Noise, Yamux and nothing else. No identify, no ping, no
 * discovery, no connection monitor of libp2p's: what they do is done here under our own limits. Loaded on first use.
 */
import { createHash } from 'node:crypto'
import type { Connection, ConnectionGater, MessageStream, Stream } from '@libp2p/interface'
import type { AbortOptions, DeviceId } from '../../storage/base/index.js'
import type { Identity } from '../identity/index.js'
import { encrypterInPlace } from './encrypter.js'
import {
  ANSWERING_TIMEOUT_MS,
  MAX_CONNECTIONS,
  MAX_READ_BUFFER_BYTES,
  MAX_STREAM_WINDOW_BYTES,
  MAX_STREAMS,
  MAX_WRITE_BUFFER_BYTES,
  NEGOTIATION_TIMEOUT_MS,
  UPGRADE_TIMEOUT_MS
} from './limits.js'
import { packetMemory } from './packet-memory.js'
import { type GuardLimits, guarded } from './yamux-guard.js'

export interface TransportInit {
  identity: Identity
  listen: readonly string[]
  gater: ConnectionGater
  upgradeTimeoutMs?: number | undefined
  guard: (connection: MessageStream) => GuardLimits
}

export type StreamHandler = (stream: Stream, connection: Connection) => Promise<void>

export interface Transport {
  /** One address, no queue, no address book. @param device - who must answer; undefined: whoever does */
  dial(address: string, device: DeviceId | undefined, options: AbortOptions): Promise<Connection>
  handle(protocol: string, handler: StreamHandler, maxInboundStreams: number): Promise<void>
  unhandle(protocol: string): Promise<void>
  onConnection(listener: (connection: Connection) => unknown): void
  /** Every address it listens on, wildcards resolved to those of the interfaces as they are now; without `/p2p/...`. */
  listening(): string[]
  stop(): Promise<void>
}

/** Foreign libp2p nodes already fail in the Noise handshake. */
const NETWORK_ID = new Uint8Array(createHash('sha256').update('spacedrive/net/1').digest())

/** @throws what libp2p throws when an address cannot be listened on (EADDRINUSE, EADDRNOTAVAIL, EACCES) */
export async function startTransport({
  identity,
  listen,
  gater,
  guard,
  upgradeTimeoutMs = UPGRADE_TIMEOUT_MS
}: TransportInit): Promise<Transport> {
  const [{ createLibp2p }, { tcp }, { noise }, { yamux }, { multiaddr }] = await Promise.all([
    import('libp2p'),
    import('@libp2p/tcp'),
    import('@chainsafe/libp2p-noise'),
    import('@chainsafe/libp2p-yamux'),
    import('@multiformats/multiaddr')
  ])
  const packets = packetMemory()
  const secure = noise({ prologueBytes: NETWORK_ID })
  const muxer = yamux({
    maxInboundStreams: MAX_STREAMS,
    maxOutboundStreams: MAX_STREAMS,
    streamOptions: {
      maxStreamWindowSize: MAX_STREAM_WINDOW_BYTES,
      maxReadBufferLength: MAX_READ_BUFFER_BYTES,
      maxWriteBufferLength: MAX_WRITE_BUFFER_BYTES
    }
  })
  interface Internals {
    transportManager: {
      dial(address: unknown, options: AbortOptions): Promise<Connection>
      getAddrs(): { toString(): string }[]
    }
  }
  let internals: Internals | undefined
  const libp2p = await createLibp2p({
    start: false,
    privateKey: identity.privateKey,
    addresses: { listen: [...listen] },
    transports: [tcp()],
    connectionEncrypters: [components => encrypterInPlace(secure(components), packets)],
    streamMuxers: [() => guarded(muxer(), guard)],
    connectionGater: gater,
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      // Pending connections and their rate are bounded by our own gater, which knows the addresses of paired devices.
      maxIncomingPendingConnections: MAX_CONNECTIONS,
      inboundConnectionThreshold: Number.MAX_SAFE_INTEGER,
      inboundUpgradeTimeout: upgradeTimeoutMs,
      inboundStreamProtocolNegotiationTimeout: ANSWERING_TIMEOUT_MS,
      outboundStreamProtocolNegotiationTimeout: NEGOTIATION_TIMEOUT_MS,
      reconnectRetries: 0
    },
    services: {
      // A service is handed libp2p's parts: node.dial() would join all dials of one peer into one that tries its
      // addresses one after another.
      parts: (components: unknown) => {
        internals = components as Internals
        return {}
      }
    }
  })
  await libp2p.start()
  const { transportManager } = internals!

  return {
    dial: (address, device, options) =>
      transportManager.dial(multiaddr(device === undefined ? address : `${address}/p2p/${device}`), options),
    handle: (protocol, handler, maxInboundStreams) =>
      libp2p.handle(protocol, handler, { maxInboundStreams, maxOutboundStreams: MAX_STREAMS }),
    unhandle: protocol => libp2p.unhandle(protocol),
    onConnection(listener) {
      libp2p.addEventListener('connection:open', event => listener(event.detail))
    },
    listening: () => [...new Set(transportManager.getAddrs().map(String))],
    stop: async () => {
      await libp2p.stop()
    }
  }
}
