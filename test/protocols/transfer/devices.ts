/** Two real devices on loopback, paired and connected, each with its transfers. */
import { join } from 'node:path'
import {
  type Manifest,
  type ReceiveInit,
  type Selection,
  type TransferComponents,
  type TransferService,
  transferService
} from '../../../protocols/transfer/index.js'
import {
  type AbsPath,
  newUuid,
  silentLog,
  systemRandom,
  type TransferId,
  type WorkerPool,
  workerPool
} from '../../../storage/base/index.js'
import { type Files, openFiles, ownerTag } from '../../../storage/files/index.js'
import { connectPeers, pairDirectly, type TestPeer, testPeer } from '../../peers.js'

export interface TransferDevice {
  readonly peer: TestPeer
  readonly pool: WorkerPool
  readonly files: Files
  readonly transfers: TransferService
  stop(): Promise<void>
}

export async function transferDevice(
  peer: TestPeer,
  overrides: Partial<TransferComponents> = {}
): Promise<TransferDevice> {
  const pool = workerPool(2)
  const files = openFiles({ pool, owner: ownerTag(peer.dir) })
  const transfers = transferService({
    network: peer.network,
    database: peer.instance,
    events: peer.events,
    clock: peer.clock,
    random: systemRandom,
    log: silentLog,
    dataDir: peer.dir,
    nameOf: () => 'the other device',
    ...{ pool, files },
    ...overrides
  })
  await transfers.start()
  return {
    ...{ peer, pool, files, transfers },
    async stop() {
      await transfers.stop()
      await files.close()
      await pool.close()
      await peer.stop()
    }
  }
}

export interface Pair {
  readonly sender: TransferDevice
  readonly receiver: TransferDevice
  stop(): Promise<void>
}

/** @param receiving - of the receiver alone */
export async function devicePair(
  overrides: Partial<TransferComponents> = {},
  receiving: Partial<TransferComponents> = {}
): Promise<Pair> {
  const [a, b] = [await testPeer({ name: 'ada' }), await testPeer({ name: 'bob' })]
  await pairDirectly(a, b)
  await connectPeers(a, b)
  const sender = await transferDevice(a, overrides)
  const receiver = await transferDevice(b, { ...overrides, ...receiving })
  return {
    ...{ sender, receiver },
    async stop() {
      await Promise.all([sender.stop(), receiver.stop()])
      a.clean()
      b.clean()
    }
  }
}

export const newId = (): TransferId => newUuid(Date.now(), systemRandom) as TransferId

export interface Prepared {
  readonly id: TransferId
  readonly manifest: Manifest
  readonly theirs: Manifest
  readonly send: { id: TransferId; device: never; manifest: Manifest; selection: Selection; owner: string }
  readonly receive: ReceiveInit
}

/** What the drop protocol would do before a transfer: the manifest goes over, and is accepted. */
export async function prepare(
  { sender, receiver }: Pair,
  paths: readonly string[],
  into: string,
  options: Partial<ReceiveInit> = {}
): Promise<Prepared> {
  const id = newId()
  const manifest = await sender.transfers.manifests.build(paths.map(path => ({ path: path as AbsPath })))
  const theirs = await receiver.transfers.manifests.take(sender.transfers.manifests.pages(manifest), {
    hash: manifest.hash
  })
  const selection = options.selection ?? 'all'
  return {
    ...{ id, manifest, theirs },
    send: { id, device: receiver.peer.id as never, manifest, selection, owner: 'test' },
    receive: {
      ...{ id, device: sender.peer.id, manifest: theirs, selection, owner: 'test' },
      into: into as AbsPath,
      keepExecutable: true,
      ...options
    }
  }
}

export const below = (dir: string, name: string): AbsPath => join(dir, name) as AbsPath
