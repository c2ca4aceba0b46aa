import { existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Stream } from '@libp2p/interface'
import type { Pacing } from '../../../protocols/pace/index.js'
import {
  type Access,
  type Grants,
  grants,
  type ReplicaAccess,
  type Replicas,
  replicas,
  servingPort
} from '../../../protocols/replica/index.js'
import type { PeerNetwork } from '../../../protocols/wire/index.js'
import { type AbsPath, systemRandom } from '../../../storage/base/index.js'
import { type Watcher, watcher } from '../../../storage/watcher/index.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import type { End, Mode } from '../../../sync/reconcile/index.js'
import { isWritten, madeBySync, ServedScans, type ServedSyncs, servedSyncs } from '../../../sync/serving/index.js'
import { Turns } from '../../../sync/session/turns.js'
import { connectPeers, pairDirectly, type TestPeer, testPeer } from '../../peers.js'
import type { EndpointFixture } from '../../sync/endpoints/endpoint-suite.js'
import { folder } from '../../sync/endpoints/folder.js'
import { type LocalParts, localParts } from '../../sync/endpoints/local-fixture.js'
import { tempDir } from '../../temp.js'

/** A device that serves folders and opens those of others. */
export interface ReplicaDevice {
  readonly served: ServedSyncs
  readonly scans: ServedScans
  readonly peer: TestPeer
  readonly grants: Grants
  readonly replicas: Replicas
  readonly seen: ReplicaAccess[]
  /** Syncs of which it is kept what their driver was told. */
  told(): string[]
  clean(): Promise<void>
}

export interface ReplicaPair {
  readonly driver: ReplicaDevice
  readonly server: ReplicaDevice
  readonly parts: LocalParts
  readonly watcher: Watcher
  /** What went over the streams of replicas, both ways, since it was set to nothing. */
  readonly wire: { bytes: number; sends: number }
  stop(): Promise<void>
}

export interface PairInit {
  readonly pacing?: Pacing
  /** Is told what goes out on the streams of replicas. */
  readonly onSent?: (from: 'driver' | 'server', bytes: number) => void
  /** Contents of versions that one session is told of. */
  readonly mostTold?: number
}

/** Two devices on loopback, paired and connected. */
export async function replicaPair({ pacing, mostTold, onSent }: PairInit = {}): Promise<ReplicaPair> {
  const parts = await localParts()
  const [a, b] = [await testPeer({ name: 'ada' }), await testPeer({ name: 'bob' })]
  const watching = watcher({ pool: parts.init.pool, clock: a.clock, log: a.log })
  const turns = new Turns()
  const wire = { bytes: 0, sends: 0 }
  await pairDirectly(a, b)
  await connectPeers(a, b)
  const device = async (peer: TestPeer): Promise<ReplicaDevice> => {
    const granted = grants(peer.instance, peer.clock)
    const seen: ReplicaAccess[] = []
    const data = tempDir()
    const scanned = { dataDir: data.path as AbsPath, clock: peer.clock, random: systemRandom, pool: parts.init.pool }
    const scans = new ServedScans(scanned)
    const served = servedSyncs({
      ...{
        scans,
        pool: parts.init.pool,
        db: peer.instance,
        clock: peer.clock,
        events: peer.events,
        nameOf: () => 'ada'
      },
      ...(mostTold !== undefined && { mostTold }),
      open: path => parts.open(path),
      turn: (path, options) => turns.take([path], options)
    })
    const service = replicas({
      syncs: (from, uuid) => servingPort({ served, watcher: watching, isNetwork: async () => false }, from, uuid),
      ...{
        network: counted(peer.network, wire, bytes => onSent?.(peer === a ? 'driver' : 'server', bytes)),
        grants: granted,
        clock: peer.clock,
        random: systemRandom,
        log: peer.log
      },
      ...(pacing !== undefined && { pacing }),
      nameOf: () => 'the other device',
      open: path => parts.open(path),
      ours: () => parts.ours,
      onAccess: async access => void seen.push(access)
    })
    await service.start()
    const clean = async (): Promise<void> => {
      await scans.close()
      data.clean()
    }
    const told = (): string[] => (existsSync(join(data.path, 'served')) ? readdirSync(join(data.path, 'served')) : [])
    return { peer, served, scans, told, clean, grants: granted, replicas: service, seen }
  }
  const [driver, server] = [await device(a), await device(b)]
  return {
    ...{ driver, server, parts, wire, watcher: watching },
    async stop() {
      for (const one of [driver, server]) await one.replicas.stop()
      for (const one of [driver, server]) await one.clean()
      for (const one of [a, b]) await one.stop()
      await parts.close()
      for (const one of [a, b]) one.clean()
    }
  }
}

/** The network, with what goes out on its streams counted. */
function counted(network: PeerNetwork, wire: ReplicaPair['wire'], onSent: (bytes: number) => void): PeerNetwork {
  const counting = (stream: Stream): Stream => {
    const send = stream.send.bind(stream)
    stream.send = data => {
      wire.bytes += data.byteLength
      wire.sends++
      onSent(data.byteLength)
      return send(data)
    }
    return stream
  }
  return {
    localDevice: network.localDevice,
    handle: (protocol, handler, options) =>
      network.handle(protocol, (stream, peer) => handler(counting(stream), peer), options),
    unhandle: protocol => network.unhandle(protocol),
    async open(device, protocol, options) {
      const { stream, peer } = await network.open(device, protocol, options)
      return { stream: counting(stream), peer }
    },
    session: device => network.session(device),
    whenConnected: (device, options) => network.whenConnected(device, options),
    connected: () => network.connected(),
    onConnected: listener => network.onConnected(listener),
    onDisconnected: listener => network.onDisconnected(listener)
  }
}

/** A fresh folder of the server, granted to the driver. */
export async function remoteFolder({ driver, server }: ReplicaPair, access: Access = 'write') {
  const temp = tempDir()
  const root = `${realpathSync(temp.path)}/root` as AbsPath
  mkdirSync(root)
  await server.grants.add(driver.peer.id, root, access)
  const endpoints: Endpoint[] = []
  return {
    root,
    async open(path: string = root, as: Access = access): Promise<Endpoint> {
      const endpoint = await driver.replicas.connect(server.peer.id, path, as)
      endpoints.push(endpoint)
      return endpoint
    },
    async close(): Promise<void> {
      for (const endpoint of endpoints) await endpoint.close()
      await server.grants.remove(driver.peer.id, root)
      temp.clean()
    }
  }
}

/** The same folder behind an endpoint of the other device, for the suite. */
export async function remoteFixture(pair: ReplicaPair): Promise<EndpointFixture> {
  const remote = await remoteFolder(pair)
  return {
    endpoint: await remote.open(),
    tree: folder(remote.root),
    reopen: () => remote.open(),
    ours: path => void pair.parts.ours.push(`${remote.root}/${path}`),
    async close() {
      await remote.close()
      pair.parts.ours.length = 0
    }
  }
}

export interface AcceptedSync {
  readonly uuid: string
  readonly mode: Mode
  /** Which end the server has. */
  readonly side: End
}

/** A folder of the server that the driver has for a sync; accepted there the first time. */
export async function openForSync(
  { driver, server }: ReplicaPair,
  path: AbsPath,
  { uuid, mode, side }: AcceptedSync
): Promise<Endpoint> {
  const { served } = server
  const device = driver.peer.id
  if (served.find(device, uuid) === undefined) {
    await served.ask(device, { uuid, name: 'test', mode, side, theirs: '/theirs', path })
    const { folder } = await served.accept(served.find(device, uuid)!, path)
    const access = isWritten({ mode, side }) ? 'write' : 'read'
    await server.grants.add(device, folder!.path, access, madeBySync(uuid))
  }
  const { folder } = served.find(device, uuid)!
  const access = isWritten({ mode, side }) ? 'write' : 'read'
  return driver.replicas.connect(server.peer.id, folder!.path, access, { sync: uuid })
}
