import { mkdirSync, realpathSync } from 'node:fs'
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
import { type AbsPath, systemRandom } from '../../../storage/base/index.js'
import { type Watcher, watcher } from '../../../storage/watcher/index.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import type { End, Mode } from '../../../sync/reconcile/index.js'
import { isWritten, madeBySync, type ServedSyncs, servedSyncs } from '../../../sync/serving/index.js'
import { Turns } from '../../../sync/session/turns.js'
import { connectPeers, pairDirectly, type TestPeer, testPeer } from '../../peers.js'
import type { EndpointFixture } from '../../sync/endpoints/endpoint-suite.js'
import { folder } from '../../sync/endpoints/folder.js'
import { type LocalParts, localParts } from '../../sync/endpoints/local-fixture.js'
import { tempDir } from '../../temp.js'

/** A device that serves folders and opens those of others. */
export interface ReplicaDevice {
  readonly served: ServedSyncs
  readonly peer: TestPeer
  readonly grants: Grants
  readonly replicas: Replicas
  readonly seen: ReplicaAccess[]
}

export interface ReplicaPair {
  readonly driver: ReplicaDevice
  readonly server: ReplicaDevice
  readonly parts: LocalParts
  readonly watcher: Watcher
  stop(): Promise<void>
}

/** Two devices on loopback, paired and connected. */
export async function replicaPair(pacing?: Pacing): Promise<ReplicaPair> {
  const parts = await localParts()
  const [a, b] = [await testPeer({ name: 'ada' }), await testPeer({ name: 'bob' })]
  const watching = watcher({ pool: parts.init.pool, clock: a.clock, log: a.log })
  const turns = new Turns()
  await pairDirectly(a, b)
  await connectPeers(a, b)
  const device = async (peer: TestPeer): Promise<ReplicaDevice> => {
    const granted = grants(peer.instance, peer.clock)
    const seen: ReplicaAccess[] = []
    const served = servedSyncs({
      ...{ db: peer.instance, clock: peer.clock, events: peer.events, nameOf: () => 'ada' },
      open: path => parts.open(path),
      turn: (path, options) => turns.take([path], options)
    })
    const service = replicas({
      syncs: (from, uuid) => servingPort({ served, watcher: watching, isNetwork: async () => false }, from, uuid),
      ...{ network: peer.network, grants: granted, clock: peer.clock, random: systemRandom, log: peer.log },
      ...(pacing !== undefined && { pacing }),
      nameOf: () => 'the other device',
      open: path => parts.open(path),
      ours: () => parts.ours,
      onAccess: async access => void seen.push(access)
    })
    await service.start()
    return { peer, served, grants: granted, replicas: service, seen }
  }
  const [driver, server] = [await device(a), await device(b)]
  return {
    ...{ driver, server, parts, watcher: watching },
    async stop() {
      for (const one of [driver, server]) await one.replicas.stop()
      for (const one of [a, b]) await one.stop()
      await parts.close()
      for (const one of [a, b]) one.clean()
    }
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
