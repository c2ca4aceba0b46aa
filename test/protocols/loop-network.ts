import { hkdfSync } from 'node:crypto'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Connection } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import type { Direction, PeerHandler, PeerNetwork, PeerSession } from '../../protocols/wire/index.js'
import { wireError } from '../../protocols/wire/index.js'
import { type DeviceId, raceSignal, toError } from '../../storage/base/index.js'
import { WAIT_MS } from '../waits.js'

/**
 * The network port over real libp2p nodes on 127.0.0.1, without pairing and hello: every device is let in, and the keys of a
 * session come from the two ids. For tests of one protocol; whole peers are in `test/peers.ts`.
 */
export interface LoopNetwork extends PeerNetwork {
  readonly node: Libp2p
  /** What handlers threw, in order. */
  readonly handlerErrors: Error[]
  connect(to: Pick<LoopNetwork, 'node' | 'whenConnected'>): Promise<PeerSession>
  /** Dials a node of another process. */
  dial(address: string): Promise<PeerSession>
  disconnect(from: LoopNetwork): Promise<void>
  stop(): Promise<void>
}

interface Live extends PeerSession {
  readonly connection: Connection
  readonly controller: AbortController
}

/** @param seed - 32 bytes that make the identity; default: a new one */
export async function loopNetwork(seed?: Uint8Array): Promise<LoopNetwork> {
  const node = await createLibp2p({
    ...(seed !== undefined && { privateKey: await generateKeyPairFromSeed('Ed25519', seed) }),
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: {
      inboundConnectionThreshold: 1000,
      // A handshake is cut by what a test does, and not because the machine is busy.
      addressDialTimeout: WAIT_MS,
      dialTimeout: WAIT_MS,
      inboundUpgradeTimeout: WAIT_MS,
      inboundStreamProtocolNegotiationTimeout: WAIT_MS,
      outboundStreamProtocolNegotiationTimeout: WAIT_MS
    },
    connectionMonitor: { enabled: false }
  })
  const localDevice = node.peerId.toString() as DeviceId
  const live = new Map<string, Live>()
  const onConnected = new Set<(peer: PeerSession) => void>()
  const onDisconnected = new Set<(peer: PeerSession, reason: unknown) => void>()
  const handlerErrors: Error[] = []

  const sessionOf = (device: DeviceId): Live | undefined => [...live.values()].find(s => s.device === device)

  function began(connection: Connection): Live {
    const known = live.get(connection.id)
    if (known !== undefined) return known
    const controller = new AbortController()
    const device = connection.remotePeer.toString() as DeviceId
    const session: Live = {
      device,
      id: connection.id,
      capabilities: new Set(),
      clockOffsetMs: 0,
      signal: controller.signal,
      connection,
      controller,
      abort(reason) {
        controller.abort(reason)
        connection.abort(reason)
      },
      deriveKey(direction: Direction, salt, info) {
        const from = direction === 'send' ? localDevice : device
        const to = direction === 'send' ? device : localDevice
        return new Uint8Array(hkdfSync('sha256', `${from}>${to}`, salt, info, 32))
      }
    }
    live.set(connection.id, session)
    for (const listener of onConnected) listener(session)
    return session
  }

  node.addEventListener('connection:open', evt => void began(evt.detail))
  node.addEventListener('connection:close', evt => {
    const session = live.get(evt.detail.id)
    if (session === undefined) return
    live.delete(evt.detail.id)
    const reason = wireError('STREAM_CLOSED', 'the connection was lost')
    session.controller.abort(reason)
    for (const listener of onDisconnected) listener(session, reason)
  })

  const network: LoopNetwork = {
    node,
    localDevice,
    handlerErrors,
    async handle(protocol, handler: PeerHandler, { maxInboundStreams = 32 } = {}) {
      await node.handle(
        protocol,
        (stream, connection) => {
          handler(stream, began(connection)).catch((err: unknown) => {
            handlerErrors.push(toError(err))
            stream.abort(toError(err))
          })
        },
        { maxInboundStreams }
      )
    },
    unhandle: protocol => node.unhandle(protocol),
    async open(device, protocol, { signal } = {}) {
      const peer = sessionOf(device)
      if (peer === undefined) throw wireError('DEVICE_AWAY', `${device} is not connected`)
      const stream = await peer.connection.newStream([protocol], signal === undefined ? {} : { signal })
      return { stream, peer }
    },
    session: sessionOf,
    async whenConnected(device, { signal } = {}) {
      const now = sessionOf(device)
      if (now !== undefined) return now
      let off = (): void => {}
      const next = new Promise<PeerSession>(resolve => {
        off = network.onConnected(peer => {
          if (peer.device === device) resolve(peer)
        })
      })
      try {
        return await raceSignal(next, signal)
      } finally {
        off()
      }
    },
    connected: () => [...live.values()],
    onConnected(listener) {
      onConnected.add(listener)
      return () => onConnected.delete(listener)
    },
    onDisconnected(listener) {
      onDisconnected.add(listener)
      return () => onDisconnected.delete(listener)
    },
    async connect(to) {
      const there = to.whenConnected(localDevice)
      const connection = await node.dial(to.node.getMultiaddrs()[0]!)
      await there
      return began(connection)
    },
    dial: async address => began(await node.dial(multiaddr(address))),
    async disconnect(from) {
      const gone = Promise.all([
        new Promise<void>(resolve => void network.onDisconnected(() => resolve())),
        new Promise<void>(resolve => void from.onDisconnected(() => resolve()))
      ])
      sessionOf(from.localDevice)?.connection.abort(new Error('the link is cut'))
      await gone
    },
    async stop() {
      await node.stop()
    }
  }
  return network
}
