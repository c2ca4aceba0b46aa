/**
 * The composition root: builds every part in order and hands each what it needs; with `compose-local.ts` and `compose-remote.ts` it
 * shows what exists. Nothing below node/ knows of it.
 *
 * In three steps, each of which loads the code of its parts when it comes to them, since loading is most of what a start
 * costs: the *ground* (lock, database, settings), with which the socket answers; what works on this device alone; what
 * speaks with others. Operations are run when all of it is there (node/daemon/api.ts), the network itself aside, which comes
 * up after that.
 *
 * To add a part: a field on `LocalParts` or `RemoteParts` (peer.ts), its import and one statement where it is built (after
 * what it needs), and, if it has a beginning and an end, one line in `first` or `rest`. Parts start in that order and stop
 * in the mirrored one. Outside these functions nothing of a part is imported but types: test/node/daemon/light.spec.ts.
 */

import {
  type AbsPath,
  type Clock,
  eventBus,
  type Logger,
  type Random,
  silentLog,
  systemClock,
  systemRandom,
  type WorkerPool,
  workerPool
} from '../storage/base/index.js'
import type { Disk } from '../storage/files/index.js'
import { type InstanceDatabase, openInstance } from '../storage/instance/index.js'
import type { Settings } from './config/index.js'
import { growingPeer } from './growing-peer.js'
import type { Ground, Host, Peer } from './peer.js'

export type { Host, LoopDelay, Peer } from './peer.js'

export interface PeerInit {
  dataDir: AbsPath
  host: Host
  /** Called once the data directory is locked: a start that fails since another daemon runs changes nothing. */
  settings: () => Promise<Settings>
  /** Opened already, or being opened: the daemon does that while it loads the code of the rest. Closed by the peer. */
  instance?: Promise<InstanceDatabase>
  /** A lost database is made anew (storage/instance). */
  newDatabase?: boolean | undefined
  log?: Logger
  clock?: Clock
  random?: Random
  /** In place of threads of its own; closed with the peer. */
  pool?: WorkerPool
  /** In place of the real disk, for a simulation: everything that gets a name in people's folders goes there. */
  disk?: Disk
  /** For a key file that is sealed: asked at most once, when the key is opened; undefined: there is none. */
  password?: () => Promise<string | undefined>
}

/** A peer that stands on its ground; `start` brings the rest. @throws what `openInstance` and `settings` throw */
export async function compose(init: PeerInit): Promise<Peer> {
  const { dataDir, host, log = silentLog, clock = systemClock, random = systemRandom } = init
  const instance = await (init.instance ?? openInstance(dataDir, { newDatabase: init.newDatabase }))
  const settings = await init.settings().catch(async err => {
    await instance.close()
    throw err
  })
  const ground: Ground = {
    ...{ dataDir, host, settings, log, clock, random, instance },
    get config() {
      return settings.config
    },
    password: init.password ?? (async () => undefined),
    events: eventBus(() => clock.nowMs(), log),
    pool: init.pool ?? workerPool()
  }
  const peer: Peer = growingPeer(ground, {
    local: async () => (await import('./compose-local.js')).composeLocal(ground, init.disk),
    remote: async local => (await import('./compose-remote.js')).composeRemote(ground, local, () => peer)
  })
  return peer
}
