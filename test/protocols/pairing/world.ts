/** Real libp2p nodes on loopback, with a local network and a DHT that the test holds in its hands. */
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import {
  type Candidate,
  type LocalInfo,
  type NewPair,
  PAIRING_PROTOCOL,
  type Pairing,
  type PairingHandler,
  type PairingNetwork,
  type PairingPeer,
  pairing
} from '../../../protocols/pairing/index.js'
import {
  type AbortOptions,
  type AnyEvent,
  type DeviceId,
  eventBus,
  type Random,
  SpacedriveError,
  silentLog,
  systemRandom
} from '../../../storage/base/index.js'
import { openInstance } from '../../../storage/instance/index.js'
import { type JumpClock, jumpClock } from '../../jump-clock.js'
import { tempDir } from '../../temp.js'
import { WAIT_MS } from '../../waits.js'

export interface World {
  readonly lan: Map<string, Set<Candidate>>
  readonly dht: Map<string, Uint8Array[]>
}

export const world = (): World => ({ lan: new Map(), dht: new Map() })

/** A bare libp2p node. */
export async function node(seed: number): Promise<Libp2p> {
  return createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed)),
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: {
      inboundConnectionThreshold: 1_000,
      // A handshake is cut by what a test does, and not because the machine is busy.
      addressDialTimeout: WAIT_MS,
      dialTimeout: WAIT_MS,
      inboundUpgradeTimeout: WAIT_MS,
      inboundStreamProtocolNegotiationTimeout: WAIT_MS,
      outboundStreamProtocolNegotiationTimeout: WAIT_MS
    },
    connectionMonitor: { enabled: false },
    connectionGater: { denyDialMultiaddr: () => false }
  })
}

export const addressOf = (peer: Libp2p): string =>
  peer
    .getMultiaddrs()[0]!
    .toString()
    .replace(/\/p2p\/.*/, '')

const abort = (connection: Connection): void => connection.abort(new Error('released'))

export interface Peer {
  readonly device: DeviceId
  readonly libp2p: Libp2p
  readonly service: Pairing
  readonly network: PairingNetwork & { ways: ('lan' | 'dht')[]; stages: string[]; dialled: string[] }
  readonly clock: JumpClock
  readonly saved: NewPair[]
  readonly events: AnyEvent[]
  readonly info: LocalInfo & { name: string }
  known: { device: DeviceId; name: string; epoch: number; revoked: boolean; hasGrants: boolean }[]
  /** Called instead of saving, to make it fail. */
  failSave: (() => void) | undefined
  readonly dataDir: string
  /** Resolves with the first event of that type that satisfies, also one that was before. */
  event<K extends AnyEvent['type']>(type: K, when?: (e: never) => boolean): Promise<Extract<AnyEvent, { type: K }>>
  stop(): Promise<void>
}

export interface PeerOptions {
  world?: World
  ways?: ('lan' | 'dht')[]
  dir?: { path: ReturnType<typeof tempDir>['path']; clean(): void }
  clock?: JumpClock
  random?: Random
  /** As if connections came from there. */
  source?: (device: string) => string
}

export async function peer(seed: number, name: string, options: PeerOptions = {}): Promise<Peer> {
  const {
    world: w = world(),
    ways = [],
    dir = tempDir('sd-pair-'),
    clock = jumpClock(),
    random = systemRandom,
    source
  } = options
  const libp2p = await node(seed)
  const network = testNetwork(libp2p, seed, w, ways, source)
  const bus = eventBus(() => clock.nowMs())
  const events: AnyEvent[] = []
  const waiting = new Set<(e: AnyEvent) => void>()
  bus.onAny(e => {
    events.push(e)
    for (const w of [...waiting]) w(e)
  })
  const database = await openInstance(dir.path)
  const saved: NewPair[] = []
  const info = { name, os: 'linux', model: 'test' }
  const self: Peer = {
    device: libp2p.peerId.toString() as DeviceId,
    libp2p,
    network,
    clock,
    saved,
    events,
    info,
    known: [],
    failSave: undefined,
    dataDir: dir.path,
    service: pairing({
      network,
      database,
      clock,
      random,
      events: bus,
      log: silentLog,
      info: () => info,
      devices: {
        find: device => self.known.find(k => k.device === device),
        list: () => self.known,
        async savePaired(pair) {
          self.failSave?.()
          saved.push(pair)
        }
      }
    }),
    event(type, when = () => true) {
      const fits = (e: AnyEvent): boolean => e.type === type && when(e as never)
      const before = events.find(fits)
      if (before !== undefined) return Promise.resolve(before as never)
      return new Promise(resolve => {
        const listener = (e: AnyEvent): void => {
          if (!fits(e)) return
          waiting.delete(listener)
          resolve(e as never)
        }
        waiting.add(listener)
      })
    },
    async stop() {
      await self.service.stop()
      await libp2p.stop()
      await database.close()
      if (options.dir === undefined) dir.clean()
    }
  }
  await self.service.start()
  return self
}

function testNetwork(
  libp2p: Libp2p,
  seed: number,
  w: World,
  ways: ('lan' | 'dht')[],
  source?: (device: string) => string
): Peer['network'] {
  const stages: string[] = []
  const dialled: string[] = []
  const device = libp2p.peerId.toString() as DeviceId
  const publicKey = libp2p.peerId.publicKey!.raw
  const peerOf = (connection: Connection): PairingPeer => {
    const gone = new AbortController()
    connection.addEventListener('close', () => gone.abort(new SpacedriveError('STREAM_CLOSED', 'the connection ended')))
    return {
      device: connection.remotePeer.toString() as DeviceId,
      publicKey: connection.remotePeer.publicKey!.raw,
      address: source?.(connection.remotePeer.toString()) ?? connection.remoteAddr.toString(),
      signal: gone.signal,
      progressed: stage => void stages.push(stage)
    }
  }
  return {
    identity: { device, publicKey, seed: new Uint8Array(32).fill(seed) },
    ways,
    stages,
    dialled,
    async handle(handler: PairingHandler) {
      await libp2p.handle(PAIRING_PROTOCOL, async (stream: Stream, connection: Connection) => {
        await handler(stream, peerOf(connection))
        abort(connection)
      })
    },
    unhandle: () => libp2p.unhandle(PAIRING_PROTOCOL),
    addresses: () => [addressOf(libp2p)],
    discovery: () => ways,
    async announce(tag) {
      const entry: Candidate = { device, addresses: [addressOf(libp2p)] }
      w.lan.set(tag, (w.lan.get(tag) ?? new Set()).add(entry))
      return {
        async close() {
          w.lan.get(tag)?.delete(entry)
        }
      }
    },
    async *browse(tag, { signal }) {
      if (!ways.includes('lan')) return
      yield* w.lan.get(tag) ?? []
      await new Promise(resolve => signal?.addEventListener('abort', resolve, { once: true }))
    },
    async put(key, value) {
      w.dht.set(key, [...(w.dht.get(key) ?? []), value])
      return true
    },
    async *lookup(key) {
      yield* w.dht.get(key) ?? []
    },
    async dial(candidate: Candidate, { signal }: AbortOptions) {
      const suffix = candidate.device === undefined ? '' : `/p2p/${candidate.device}`
      dialled.push(...candidate.addresses)
      const addresses = candidate.addresses.map(a => multiaddr(a + suffix))
      let connection: Connection
      try {
        connection = await libp2p.dial(addresses, signal === undefined ? {} : { signal })
      } catch (cause) {
        signal?.throwIfAborted()
        throw new SpacedriveError('UNREACHABLE', `could not reach ${candidate.addresses.join()}`, { cause })
      }
      const stream = await connection.newStream([PAIRING_PROTOCOL], signal === undefined ? {} : { signal })
      return { stream, peer: peerOf(connection), release: () => {} }
    }
  }
}
