/**
 * The composition root: builds every part in order, hands each what it needs, and is the one file that shows what exists.
 * Nothing below node/ knows of it.
 */
import {
  type AbsPath,
  type Clock,
  type EventBus,
  eventBus,
  type Logger,
  type Random,
  type Startable,
  silentLog,
  systemClock,
  systemRandom,
  type WorkerPool,
  workerPool
} from '../storage/base/index.js'
import { type InstanceDatabase, openInstance } from '../storage/instance/index.js'
import type { Config } from './config/schema.js'

export interface PeerInit {
  dataDir: AbsPath
  config: Config
  log?: Logger
  clock?: Clock
  random?: Random
}

/** A running peer: every part by name. Operations reach everything through it. */
export interface Peer extends Startable {
  readonly dataDir: AbsPath
  readonly config: Config
  readonly log: Logger
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  readonly pool: WorkerPool
  readonly instance: InstanceDatabase
}

export async function compose(init: PeerInit): Promise<Peer> {
  const { dataDir, config, log = silentLog, clock = systemClock, random = systemRandom } = init
  const events = eventBus(() => clock.nowMs(), log)
  const instance = await openInstance(dataDir)
  const pool = workerPool()
  return {
    dataDir,
    config,
    log,
    clock,
    random,
    events,
    pool,
    instance,
    async start() {},
    async stop() {
      await pool.close()
      await instance.close()
    }
  }
}
