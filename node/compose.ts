/**
 * The composition root: builds every part in order, hands each what it needs, and is the one file that shows what exists.
 * Nothing below node/ knows of it.
 *
 * To add a part: a field on `Peer`, one statement where it is built (after what it needs), and, if it has a beginning and an
 * end, one line in `local` or `remote`. Parts start in that order and stop in the mirrored one. `local` is what works
 * without a network and starts within milliseconds: operations are answered once all of it has started. `remote` comes up
 * after that, in the background of a daemon; heavy packages (libp2p) are imported there, in `start`, not at the top of a file.
 */

import { setMaxListeners } from 'node:events'
import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename } from 'node:path'
import { type Messaging, messaging } from '../protocols/messaging/index.js'
import { pairing as createPairing, type Pairing } from '../protocols/pairing/index.js'
import { downloadsFolder, type SpacedropService, spacedrop } from '../protocols/spacedrop/index.js'
import { type TransferService, transferService } from '../protocols/transfer/index.js'
import { type Audit, audit } from '../storage/audit/index.js'
import {
  type AbsPath,
  type Clock,
  deadline,
  type EventBus,
  eventBus,
  type Logger,
  type Random,
  raceSignal,
  SpacedriveError,
  type Startable,
  silentLog,
  systemClock,
  systemRandom,
  type WorkerPool,
  workerPool
} from '../storage/base/index.js'
import { type Disk, type Files, openFiles, ownerTag, removeLeftovers } from '../storage/files/index.js'
import { type Indexer, indexer } from '../storage/indexer/index.js'
import { type InstanceDatabase, openInstance } from '../storage/instance/index.js'
import { type JobManager, jobManager } from '../storage/jobs/index.js'
import { type LibraryManager, libraries } from '../storage/libraries/index.js'
import { type Locations, locationsService } from '../storage/locations/index.js'
import { type Search, search } from '../storage/search/index.js'
import { type Trash, trash } from '../storage/trash/index.js'
import { type Volumes, volumes } from '../storage/volumes/index.js'
import { watcher } from '../storage/watcher/index.js'
import { type Copies, copies } from '../sync/copy/index.js'
import { type FileOperations, fileOperations } from '../sync/operations/index.js'
import type { Config, Settings } from './config/index.js'
import {
  type DeviceRegistry,
  instanceNameOf,
  type LocalDevice,
  openDeviceRegistry,
  openLocalDevice
} from './devices/index.js'
import { type IdentityStore, openIdentityStore } from './identity/index.js'
import { spoolDirOf } from './instance/index.js'
import { createNetwork, type Network } from './network/index.js'
import { VERSION } from './version.js'

/** Who runs the peer: the daemon, or a program that uses it as a library. */
export interface Host {
  readonly kind: 'daemon' | 'library'
  readonly startedAtMs: number
  /** Stops everything; resolves when the peer has stopped. */
  stop(reason: string): Promise<void>
  /** How long turns of the event loop took since the start, in milliseconds. */
  loopDelay(): LoopDelay | undefined
}

export interface LoopDelay {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export interface PeerInit {
  dataDir: AbsPath
  host: Host
  /** Called once the data directory is locked: a start that fails since another daemon runs changes nothing. */
  settings: () => Promise<Settings>
  /** Opened already, or being opened: the daemon does that while it loads the code of the rest. Closed by the peer. */
  instance?: Promise<InstanceDatabase>
  log?: Logger
  clock?: Clock
  random?: Random
  /** In place of the real disk, for a simulation: everything that gets a name in people's folders goes there. */
  disk?: Disk
  /** For a key file that is sealed: asked at most once, when the key is opened; undefined: there is none. */
  password?: () => Promise<string | undefined>
}

/** A running peer: every part by name. Operations reach everything through it. */
export interface Peer extends Startable {
  readonly dataDir: AbsPath
  readonly host: Host
  /** What holds now; a getter, since `config set` changes it. */
  readonly config: Config
  readonly settings: Settings
  readonly log: Logger
  readonly clock: Clock
  readonly random: Random
  readonly password: () => Promise<string | undefined>
  readonly events: EventBus
  readonly pool: WorkerPool
  readonly instance: InstanceDatabase
  /** Where files get and lose their names. */
  readonly files: Files
  readonly volumes: Volumes
  readonly libraries: LibraryManager
  readonly indexer: Indexer
  readonly search: Search
  readonly jobs: JobManager
  readonly locations: Locations
  /** What was deleted or replaced, for as long as it is kept. */
  readonly trash: Trash
  /** What changed files here. */
  readonly audit: Audit
  /** Deleting, duplicates, validation. */
  readonly operations: FileOperations
  /** Copying and moving files. */
  readonly copies: Copies
  /** The key of this device; may be locked, or not there yet. */
  readonly identity: IdentityStore
  readonly devices: DeviceRegistry
  /** What this device tells of itself. */
  readonly self: LocalDevice
  /** The own node; off, locked or failed where it cannot be on: nothing else depends on it. */
  readonly network: Network
  /** Twelve words: codes shown here, codes typed here. */
  readonly pairing: Pairing
  /** Small messages and their outbox; other protocols register their kinds here before the start. */
  readonly messages: Messaging
  /** Moves content between devices; what is to move, other protocols say. */
  readonly transfers: TransferService
  /** Files, folders and texts offered by and to paired devices. */
  readonly drops: SpacedropService
  /** Resolves when every local part has started; rejects when one could not. */
  readonly ready: Promise<void>
  /** Aborted at the first step of stopping: what waits for something gives up. */
  readonly stopping: AbortSignal
}

/** A part that has not stopped by then is left behind, said in the log: the others still get to stop in order. */
const PART_STOP_MS = 10_000

type Part = readonly [name: string, part: Startable]

export async function compose(init: PeerInit): Promise<Peer> {
  const { dataDir, host, log = silentLog, clock = systemClock, random = systemRandom } = init
  const password = init.password ?? (async () => undefined)
  const events = eventBus(() => clock.nowMs(), log)
  const instance = await (init.instance ?? openInstance(dataDir))
  const settings = await init.settings().catch(async err => {
    await instance.close()
    throw err
  })
  await removeLeftovers(dataDir).catch(err => log.warn('the data directory could not be tidied', { err }))
  const pool = workerPool()
  // By its real path: the same daemon finds its staging places again, whichever way it was started.
  const owner = ownerTag(realpathSync(dataDir))
  const files = openFiles({ pool, owner, clock, ...(init.disk !== undefined && { disk: init.disk }) })
  const { identity, devices, self } = await openSelf().catch(async err => {
    await instance.close()
    throw err
  })
  const network = createNetwork({
    config: () => settings.config.network,
    identity,
    password,
    devices,
    self,
    database: instance,
    clock,
    random,
    events,
    log: log.child('network')
  })

  const pairing = createPairing({
    network: network.pairing,
    devices: devices.paired,
    database: instance,
    clock,
    random,
    events,
    log: log.child('pairing'),
    info: () => ({ name: self.name, os: self.os, model: self.model })
  })
  network.setPairingGate(pairing)

  const messages = messaging({
    db: instance,
    network,
    trust: devices,
    events,
    clock,
    random,
    log
  })
  devices.onRevoke({ clean: device => messages.forget(device) })

  const transfers = transferService({
    network,
    database: instance,
    pool,
    files,
    events,
    clock,
    random,
    log: log.child('transfers'),
    dataDir,
    nameOf: device => devices.nameOf(device)
  })
  devices.onRevoke({ clean: device => transfers.forget(device) })

  const drops = spacedrop({
    db: instance,
    trust: devices,
    ...{ network, transfers, messages, events, clock, random, pool, log, dataDir },
    spoolDir: spoolDirOf(dataDir),
    downloads: () => (settings.config.spacedrop.downloads ?? downloadsFolder()) as AbsPath
  })
  devices.onRevoke({ cut: device => drops.cut(device), clean: device => drops.forget(device) })
  devices.addTrustHolder({ has: device => drops.hasRule(device), drop: device => drops.dropRule(device) })

  const disks = volumes({ database: instance, events, clock, pool, log: log.child('volumes') })

  const library = libraries({
    ...{ database: instance, pool, clock, events, log: log.child('libraries') },
    device: () => ({ name: self.name, id: identity.device ?? null })
  })
  const index = indexer({
    ...{ pool, clock, events, log: log.child('indexer') },
    ours: () => [dataDir, ...library.opened().map(l => l.path)]
  })

  const jobs = jobManager({ db: instance, clock, random, events, log: log.child('jobs') })

  const audits = audit({ db: instance, jobs, clock, events, log: log.child('audit') })

  const bin = trash({
    ...{ db: instance, files, volumes: disks, pool, clock, random, events, dataDir, owner, log: log.child('trash') },
    keepFor: () => settings.config.trash
  })

  const copying = copies(
    {
      ...{ db: instance, files, pool, clock, trash: bin },
      ours: () => [dataDir, ...library.opened().map(l => l.path)],
      pause: (job, because) => jobs.pause(job, { because })
    },
    jobs
  )

  const locations = locationsService({
    ...{ libraries: library, indexer: index, volumes: disks, jobs, pool, clock, random, events, ours: [dataDir] },
    watcher: watcher({ pool, clock, log: log.child('watcher') }),
    log: log.child('locations')
  })
  const operations = fileOperations({
    ...{ jobs, dataDir, clock, pool, files, trash: bin },
    libraries: () => library.opened().map(l => ({ databaseFile: l.database.file, host: l.host })),
    ours: () => [dataDir, ...library.opened().map(l => l.path)],
    protect: async () => ({
      ours: [dataDir, ...library.opened().map(l => l.path)],
      roots: (await locations.list()).map(({ path, name }) => ({ path, name })),
      mountPoints: (await disks.list({ all: true })).flatMap(v => v.mountPoints),
      home: homedir() as AbsPath
    })
  })
  library.beforeClose(closing => index.closing(closing)) // after the locations have let go of it

  // Jobs start when all they work on is there: what was running goes on at once. Locations have jobs.
  const local: readonly Part[] = [
    ['volumes', disks],
    ['libraries', library],
    ['pairing', pairing],
    ['messages', messages],
    ['transfers', transfers],
    ['drops', drops],
    ['trash', bin],
    ['audit', audits],
    ['operations', operations],
    ['jobs', jobs],
    ['locations', locations]
  ]
  // The network comes last, when every protocol has its handler, and stops first.
  const remote: readonly Part[] = [['network', whenEnabled(network, () => settings.config.network.enabled, log)]]

  async function openSelf() {
    const identity = await openIdentityStore({ dataDir, clock, random })
    const devices = await openDeviceRegistry({
      database: instance,
      identity: () => identity.identity,
      clock,
      events,
      log: log.child('devices')
    })
    const named = instanceNameOf(basename(dataDir))
    const self = await openLocalDevice({ database: instance, random, version: VERSION, instance: named })
    return { identity, devices, self }
  }

  const started: Part[] = []
  const stopping = new AbortController()
  setMaxListeners(0, stopping.signal) // one for each call that runs
  let ready = { resolve(): void {}, reject(_reason: unknown): void {} }
  const whenReady = new Promise<void>((resolve, reject) => {
    ready = { resolve, reject }
  })
  whenReady.catch(() => {}) // told to whoever waits for it, and by `start`

  async function startAll(parts: readonly Part[]): Promise<void> {
    for (const part of parts) {
      stopping.signal.throwIfAborted()
      started.push(part)
      await part[1].start()
    }
  }

  async function stopAll(): Promise<void> {
    const reason = new SpacedriveError('STOPPED', 'the daemon is stopping')
    ready.reject(reason)
    stopping.abort(reason)
    for (const [name, part] of started.splice(0).reverse()) {
      const limit = deadline(PART_STOP_MS, `stopping ${name}`)
      try {
        await raceSignal(part.stop(), limit.signal)
      } catch (err) {
        log.error('a part could not stop', { part: name, err })
      } finally {
        limit.clear()
      }
    }
    await files.close().catch(err => log.error('a folder could not be closed', { err }))
    await pool.close()
    await instance.close()
  }

  let stopped: Promise<void> | undefined
  return {
    dataDir,
    host,
    get config() {
      return settings.config
    },
    settings,
    log,
    clock,
    random,
    password,
    events,
    pool,
    instance,
    files,
    volumes: disks,
    libraries: library,
    indexer: index,
    search: search({ pool, own: () => library.own }),
    jobs,
    locations,
    trash: bin,
    audit: audits,
    operations,
    copies: copying,
    identity,
    devices,
    self,
    network,
    pairing,
    messages,
    transfers,
    drops,
    ready: whenReady,
    stopping: stopping.signal,
    async start() {
      try {
        await startAll(local)
      } catch (err) {
        ready.reject(err)
        throw err
      }
      ready.resolve()
      await startAll(remote)
    },
    stop() {
      stopped ??= stopAll()
      return stopped
    }
  }
}

/** A network that cannot start (locked key, no port) is said and left off: local work goes on. */
function whenEnabled(network: Network, enabled: () => boolean, log: Logger): Startable {
  return {
    async start() {
      if (!enabled()) return
      try {
        await network.start()
      } catch (err) {
        log.warn('networking did not start', { err })
      }
    },
    stop: () => network.stop()
  }
}
