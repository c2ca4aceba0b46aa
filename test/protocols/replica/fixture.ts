import { mkdirSync, realpathSync } from 'node:fs'
import type { Pacing } from '../../../protocols/pace/index.js'
import {
  type Access,
  type Grants,
  grants,
  type ReplicaAccess,
  type Replicas,
  replicas
} from '../../../protocols/replica/index.js'
import { type AbsPath, systemRandom } from '../../../storage/base/index.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import { connectPeers, pairDirectly, type TestPeer, testPeer } from '../../peers.js'
import type { EndpointFixture } from '../../sync/endpoints/endpoint-suite.js'
import { folder } from '../../sync/endpoints/folder.js'
import { type LocalParts, localParts } from '../../sync/endpoints/local-fixture.js'
import { tempDir } from '../../temp.js'

/** A device that serves folders and opens those of others. */
export interface ReplicaDevice {
  readonly peer: TestPeer
  readonly grants: Grants
  readonly replicas: Replicas
  readonly seen: ReplicaAccess[]
}

export interface ReplicaPair {
  readonly driver: ReplicaDevice
  readonly server: ReplicaDevice
  readonly parts: LocalParts
  stop(): Promise<void>
}

/** Two devices on loopback, paired and connected. */
export async function replicaPair(pacing?: Pacing): Promise<ReplicaPair> {
  const parts = await localParts()
  const [a, b] = [await testPeer({ name: 'ada' }), await testPeer({ name: 'bob' })]
  await pairDirectly(a, b)
  await connectPeers(a, b)
  const device = async (peer: TestPeer): Promise<ReplicaDevice> => {
    const granted = grants(peer.instance, peer.clock)
    const seen: ReplicaAccess[] = []
    const service = replicas({
      ...{ network: peer.network, grants: granted, clock: peer.clock, random: systemRandom, log: peer.log },
      ...(pacing !== undefined && { pacing }),
      nameOf: () => 'the other device',
      open: path => parts.open(path),
      ours: () => parts.ours,
      onAccess: async access => void seen.push(access)
    })
    await service.start()
    return { peer, grants: granted, replicas: service, seen }
  }
  const [driver, server] = [await device(a), await device(b)]
  return {
    ...{ driver, server, parts },
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
