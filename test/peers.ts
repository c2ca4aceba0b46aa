/**
 * Real peers in this process: each with its own data directory, instance database, identity, registry and libp2p node on
 * 127.0.0.1 (port chosen by the system, no discovery). Paired directly, the secret stored on both sides, and connected.
 *
 *   const [a, b] = await testPeers(2)
 *   await a.network.handle('/test/1.0.0', async (stream, peer) => { ... })
 *   const { stream, peer } = await b.network.open(a.id, '/test/1.0.0')
 *   await stopPeers([a, b])
 */
import { randomBytes } from 'node:crypto'
import { defaultConfig } from '../node/config/schema.js'
import { type DeviceRegistry, type LocalDevice, openDeviceRegistry, openLocalDevice } from '../node/devices/index.js'
import { type IdentityStore, openIdentityStore } from '../node/identity/index.js'
import { createNetwork, type Network, type NetworkInit } from '../node/network/index.js'
import type { PeerSession } from '../protocols/wire/index.js'
import {
  type AbsPath,
  type Clock,
  type DeviceId,
  type EventBus,
  type EventName,
  type EventOf,
  eventBus,
  type Logger,
  silentLog,
  systemClock,
  systemRandom
} from '../storage/base/index.js'
import { type InstanceDatabase, openInstance } from '../storage/instance/index.js'
import { tempDir } from './temp.js'
import { WAIT_MS } from './waits.js'

export interface TestPeer {
  readonly name: string
  readonly id: DeviceId
  /** Its data directory. */
  readonly dir: AbsPath
  readonly instance: InstanceDatabase
  readonly identity: IdentityStore
  readonly devices: DeviceRegistry
  readonly self: LocalDevice
  readonly events: EventBus
  readonly clock: Clock
  readonly log: Logger
  readonly network: Network
  /** Stops the network and closes the database; the directory stays until `stopPeers`. */
  stop(): Promise<void>
  /** Stops, and gives a new peer on the same data, like a daemon that was started again. */
  restart(): Promise<TestPeer>
  clean(): void
}

export interface TestPeerOptions {
  readonly name?: string
  readonly clock?: Clock
  readonly log?: Logger
  readonly dir?: { path: AbsPath; clean(): void }
  readonly config?: Partial<ReturnType<NetworkInit['config']>>
  readonly upgradeTimeoutMs?: number
  /** As `start --new-database`. */
  readonly newDatabase?: boolean
  /** Leave the network off; `peer.network.start()` does it. */
  readonly off?: boolean
}

/** One peer that knows nobody. */
export async function testPeer(options: TestPeerOptions = {}): Promise<TestPeer> {
  const { name = 'peer', clock = systemClock, log = silentLog, dir = tempDir() } = options
  const random = systemRandom
  const events = eventBus(() => clock.nowMs(), log)
  const instance = await openInstance(dir.path, { newDatabase: options.newDatabase })
  const identity = await openIdentityStore({ dataDir: dir.path, clock, random })
  const devices = await openDeviceRegistry({
    database: instance,
    identity: () => identity.identity,
    clock,
    events,
    log
  })
  const self = await openLocalDevice({ database: instance, random, version: '0.0.0-test', instance: name })
  const config = { ...defaultConfig.network, loopback: true, ...options.config }
  const network = createNetwork({
    config: () => config,
    identity,
    devices,
    self,
    database: instance,
    clock,
    random,
    events,
    log,
    // A handshake takes as long as a busy machine needs, unless that is what is tested.
    upgradeTimeoutMs: options.upgradeTimeoutMs ?? WAIT_MS
  })
  if (options.off !== true) await network.start()
  let stopped = false
  const peer: TestPeer = {
    name,
    get id() {
      return network.localDevice
    },
    dir: dir.path,
    instance,
    identity,
    devices,
    self,
    events,
    clock,
    log,
    network,
    async stop() {
      if (stopped) return
      stopped = true
      await network.stop()
      await instance.close()
    },
    async restart() {
      await peer.stop()
      return testPeer({ ...options, name, dir })
    },
    clean: () => dir.clean()
  }
  return peer
}

/** `count` peers, each paired and connected with each other. */
export async function testPeers(count = 2, options: TestPeerOptions = {}): Promise<TestPeer[]> {
  const names = ['ada', 'bob', 'cleo', 'dora', 'emil']
  const peers: TestPeer[] = []
  for (let i = 0; i < count; i++) peers.push(await testPeer({ ...options, name: names[i] ?? `peer${i}` }))
  for (const [i, a] of peers.entries()) {
    for (const b of peers.slice(i + 1)) {
      await pairDirectly(a, b)
      await connectPeers(a, b)
    }
  }
  return peers
}

/** Stores a fresh pair secret on both sides, as a pairing would; unconfirmed until they connect. */
export async function pairDirectly(a: TestPeer, b: TestPeer, { epoch = 1 } = {}): Promise<void> {
  const pairRoot = new Uint8Array(randomBytes(32))
  for (const [here, there] of [
    [a, b],
    [b, a]
  ] as const) {
    await here.devices.paired.savePaired({
      device: there.id,
      name: there.self.name,
      os: there.self.os,
      model: there.self.model,
      pairRoot,
      epoch,
      unconfirmed: true,
      keepGrants: true
    })
  }
}

/** `a` dials `b`; resolves when both have the session. */
export async function connectPeers(a: TestPeer, b: TestPeer): Promise<[PeerSession, PeerSession]> {
  const listening = b.network.status().listening
  const both = Promise.all([a.network.whenConnected(b.id), b.network.whenConnected(a.id)])
  a.network.hint(b.id, listening)
  return both
}

export async function stopPeers(peers: readonly TestPeer[]): Promise<void> {
  await Promise.all(peers.map(p => p.stop()))
  for (const peer of peers) peer.clean()
}

/** The next event of that name (that fits). Call before what causes it. */
export function nextEvent<K extends EventName>(
  peer: { events: EventBus },
  name: K,
  fits: (event: EventOf<K>) => boolean = () => true
): Promise<EventOf<K>> {
  return new Promise(resolve => {
    const off = peer.events.on(name, event => {
      if (!fits(event)) return
      off()
      resolve(event)
    })
  })
}
