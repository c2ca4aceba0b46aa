/** Real devices on loopback, paired and connected, each with messages, transfers and Spacedrop, as node/compose.ts builds them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Messaging, messaging } from '../../../protocols/messaging/index.js'
import { type Offer, type SpacedropService, spacedrop } from '../../../protocols/spacedrop/index.js'
import { type AbsPath, type Clock, silentLog, systemRandom } from '../../../storage/base/index.js'
import { connectPeers, pairDirectly, type TestPeer, testPeer } from '../../peers.js'
import { tempDir } from '../../temp.js'
import { WAIT_MS } from '../../waits.js'
import { type TransferDevice, transferDevice } from '../transfer/devices.js'

export interface DropDevice {
  readonly peer: TestPeer
  readonly transfer: TransferDevice
  readonly messages: Messaging
  readonly drops: SpacedropService
  readonly downloads: AbsPath
  stop(): Promise<void>
  /** The same device, as after a restart of its daemon. */
  restart(): Promise<DropDevice>
}

export async function dropDevice(peer: TestPeer, options: { clock?: Clock } = {}): Promise<DropDevice> {
  const transfer = await transferDevice(peer)
  const { events, network, devices, dir } = peer
  const clock = options.clock ?? peer.clock
  const parts = { db: peer.instance, network, trust: devices, events, clock, random: systemRandom, log: silentLog }
  const messages = messaging(parts)
  await messages.start()
  const downloads = join(dir, '..', `${dir.split('/').at(-1)}-downloads`) as AbsPath
  const drops = spacedrop({
    ...parts,
    transfers: transfer.transfers,
    messages,
    pool: transfer.pool,
    dataDir: dir,
    spoolDir: join(dir, 'spool') as AbsPath,
    downloads: () => downloads
  })
  await drops.start()
  const device: DropDevice = {
    ...{ peer, transfer, messages, drops, downloads },
    async stop() {
      await drops.stop()
      await messages.stop()
      await transfer.stop()
    },
    async restart() {
      await device.stop()
      return dropDevice(await peer.restart(), options)
    }
  }
  return device
}

export interface DropPair {
  ada: DropDevice
  bob: DropDevice
  /** A folder for what is sent. */
  readonly sources: AbsPath
  clean(): Promise<void>
}

export async function dropPair(options: { clock?: Clock } = {}): Promise<DropPair> {
  const root = tempDir('sd-drop-')
  const peers: TestPeer[] = []
  for (const name of ['ada', 'bob']) {
    const path = join(root.path, name) as AbsPath
    mkdirSync(path, { mode: 0o700 })
    peers.push(await testPeer({ name, dir: { path, clean: () => {} } }))
  }
  const [a, b] = peers as [TestPeer, TestPeer]
  await pairDirectly(a, b)
  await connectPeers(a, b)
  const sources = join(root.path, 'sources') as AbsPath
  mkdirSync(sources)
  const pair: DropPair = {
    ada: await dropDevice(a, options),
    bob: await dropDevice(b, options),
    sources,
    async clean() {
      await Promise.all([pair.ada.stop(), pair.bob.stop()])
      root.clean()
    }
  }
  return pair
}

/** The offer as the other device has it, once it has it. */
export async function arrived(at: DropDevice, offer: Offer): Promise<Offer> {
  const there = (): Offer | undefined => at.drops.list({ all: true }).find(o => o.offer.id === offer.id)?.offer
  const found = there()
  if (found !== undefined) return found
  await new Promise<void>(resolve => {
    const off = at.peer.events.on('offer:received', event => {
      if (event.offer !== offer.id) return
      off()
      resolve()
    })
  })
  return there()!
}

/** Waits for the end of an offer at a device. */
export function ended(at: DropDevice, offer: Offer): Promise<Offer> {
  return at.drops.wait(offer, () => {}, { signal: AbortSignal.timeout(WAIT_MS) })
}
