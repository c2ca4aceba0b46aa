import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AbsPath, DeviceId } from '../storage/base/index.js'
import { type TestInstance, testInstance } from './cli.js'
import { connectPeers, pairDirectly, type TestPeer, testPeer } from './peers.js'
import { tempDir } from './temp.js'

export interface PairedDaemon extends TestInstance {
  readonly name: string
  readonly id: DeviceId
  /** Its downloads folder: below the home that it was given. */
  readonly downloads: AbsPath
  /** Starts (again) with the network on; resolves when each of `others` is connected. */
  up(...others: readonly PairedDaemon[]): Promise<void>
}

/**
 * Daemons as processes of their own, driven by the command line, that know each other already: the pairing is stored in
 * their data directories (with the addresses of a first connection) before they start. For tests of what paired devices do.
 */
export async function pairedDaemons(...names: string[]): Promise<{ daemons: PairedDaemon[]; clean(): Promise<void> }> {
  const root = tempDir('sd-daemons-')
  const peers: TestPeer[] = []
  for (const name of names) {
    // The folder tells the instance's name, and that is the device's.
    const path = join(root.path, `instance-${name}`) as AbsPath
    mkdirSync(path, { mode: 0o700 })
    peers.push(await testPeer({ name, dir: { path, clean: () => {} } }))
  }
  for (const [i, a] of peers.entries()) {
    for (const b of peers.slice(i + 1)) {
      await pairDirectly(a, b)
      await connectPeers(a, b)
    }
  }
  const daemons = peers.map((peer): PairedDaemon => {
    const home = join(root.path, `${peer.name}-home`)
    mkdirSync(home)
    const { id } = peer
    const instance = testInstance(peer.name, {
      dataDir: peer.dir,
      env: { HOME: home, XDG_CONFIG_HOME: join(home, '.config') }
    })
    return Object.assign(instance, {
      name: peer.name,
      id,
      downloads: join(home, 'Downloads') as AbsPath,
      async up(...others: readonly PairedDaemon[]) {
        await instance.ok('start', '--enable-networking', '--loopback')
        const events = await instance.listen('device:connected')
        try {
          for (const other of others) {
            const { devices } = await instance.ask<{ devices: { id: string; connected: boolean }[] }>('network.devices')
            if (devices.find(d => d.id === other.id)?.connected !== true) await events.next(e => e.device === other.id)
          }
        } finally {
          events.close()
        }
      }
    })
  })
  await Promise.all(peers.map(p => p.stop()))
  return {
    daemons,
    async clean() {
      await Promise.all(daemons.map(d => d.clean()))
      root.clean()
    }
  }
}

/** Two of them, up and connected, for the tests of one `describe`. */
export function runningPair(name: string, other: string, have: (a: PairedDaemon, b: PairedDaemon) => void): void {
  let clean = async (): Promise<void> => {}
  before(async () => {
    const made = await pairedDaemons(name, other)
    clean = made.clean
    const [a, b] = made.daemons as [PairedDaemon, PairedDaemon]
    have(a, b)
    await a.up()
    await b.up(a)
  })
  after(() => clean())
}

export interface SharingPair {
  readonly ada: PairedDaemon
  readonly bob: PairedDaemon
  /** A folder of ada's. */
  readonly here: string
  /** A folder of bob's that ada may write to. */
  readonly there: string
}

/** Likewise, with a folder granted. */
export function sharingPair(have: (pair: SharingPair) => void): void {
  let pair: SharingPair
  runningPair('ada', 'bob', (ada, bob) => {
    pair = { ada, bob, here: join(ada.downloads, '..', 'work'), there: join(bob.downloads, '..', 'Shared') }
    have(pair)
  })
  before(async () => {
    mkdirSync(pair.here, { recursive: true })
    mkdirSync(pair.there, { recursive: true })
    await pair.bob.ok('network', 'grant', 'ada', pair.there, '--write')
  })
}
