/**
 * The same peer as the daemon's, inside another program:
 *
 *   const node = await createNode({ dataDir: '/path/of/its/own', network: { enabled: true } })
 *   await node.start()
 *   const status = await node.call('system.status', {})
 *   node.events.on('device:connected', event => console.log(event.name))
 *   await node.stop()
 *
 * It takes no signals, writes to no console and changes nothing of the process. One process at a time uses a data directory.
 */
import './shim.js'
import { resolve } from 'node:path'
import {
  type AbsPath,
  type AnyEvent,
  type EventBus,
  type EventMap,
  type EventName,
  type EventOf,
  type Logger,
  SpacedriveError
} from '../storage/base/index.js'
import { compose, type Host } from './compose.js'
import { type Config, flagsOf, openSettings } from './config/index.js'
import { ensureDataDir } from './instance/index.js'
import { type InputOf, type OperationName, type OutputOf, readOperation, runOperation } from './operations/index.js'

export type { AnyEvent, Config, EventBus, EventMap, EventName, EventOf, InputOf, Logger, OperationName, OutputOf }
export { SpacedriveError }

export interface NodeConfig {
  /** Its own folder; made when missing, closed to others. */
  dataDir: string
  /** Wins over `config.json` in the data directory; the environment is not looked at. */
  network?: Partial<Config['network']>
  spacedrop?: Partial<Config['spacedrop']>
  /** For a key that is sealed with a password. */
  password?: string | (() => Promise<string | undefined>)
  /** Where `instance.db` is lost from a data directory that was in use, make a new one: devices are paired and syncs added anew. */
  newDatabase?: boolean
  /** Takes the log; without it nothing is written. No secret is in it, but names of files and devices are. */
  log?: Logger
}

export interface CallOptions {
  signal?: AbortSignal
  /** What the operation tells on the way: progress. */
  onEmit?: (value: unknown) => void
}

export interface SpacedriveNode {
  /**
   * Resolves when everything has started, the network included; `call` waits for what it needs.
   * @throws {SpacedriveError} of a part that could not: `stop` gives the data directory back
   */
  start(): Promise<void>
  /** Ends everything in order; running work is checkpointed. The node cannot be started again. */
  stop(): Promise<void>
  /** @throws {SpacedriveError} by its code; BAD_INPUT for what the operation does not take; `signal.reason` */
  call<N extends OperationName>(name: N, input: InputOf<N>, options?: CallOptions): Promise<OutputOf<N>>
  readonly events: EventBus
  readonly dataDir: string
}

/**
 * Opens a peer; nothing runs before `start`.
 * @throws {SpacedriveError} LOCKED when a daemon or another program uses the data directory, DATA_DIR, DATABASE_LOST, CONFIG_BROKEN, BAD_SETTING
 */
export async function createNode(config: NodeConfig): Promise<SpacedriveNode> {
  const dataDir = ensureDataDir(resolve(config.dataDir) as AbsPath)
  const { network, spacedrop, password, newDatabase, log } = config
  const host: Host = {
    kind: 'library',
    startedAtMs: Date.now(),
    stop: () => peer.stop(),
    loopDelay: () => undefined
  }
  const peer = await compose({
    dataDir,
    host,
    settings: async () => openSettings({ dataDir, flags: flagsOf({ network, spacedrop }) }),
    password: typeof password === 'function' ? password : async () => password,
    newDatabase,
    ...(log === undefined ? {} : { log })
  })
  return {
    dataDir,
    events: peer.events,
    start: () => peer.start(),
    stop: () => peer.stop(),
    async call(name, input, { signal, onEmit } = {}) {
      await peer.whole
      return (await runOperation(peer, readOperation(name), input, { signal, emit: onEmit })) as never
    }
  }
}
