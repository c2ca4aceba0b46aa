/**
 * The composition root: builds every part in order, hands each what it needs, and is the one file that shows what exists.
 * Nothing below node/ knows of it.
 *
 * In three steps, each of which loads the code of its parts when it comes to them, since loading is most of what a start
 * costs: the *ground* (lock, database, settings), with which the socket answers; what works on this device alone; what
 * speaks with others. Operations are run when all of it is there (node/daemon/api.ts), the network itself aside, which comes
 * up after that.
 *
 * To add a part: a field on `LocalParts` or `RemoteParts` (peer.ts), its import and one statement where it is built (after
 * what it needs), and, if it has a beginning and an end, one line in `first` or `rest`. Parts start in that order and stop
 * in the mirrored one. Above these functions nothing of a part is imported but types: test/node/daemon/light.spec.ts.
 */

import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename } from 'node:path'
import {
  type AbortOptions,
  type AbsPath,
  type Clock,
  type DeviceId,
  displayPath,
  eventBus,
  type Logger,
  type Random,
  type Startable,
  silentLog,
  systemClock,
  systemRandom,
  toPlainError,
  workerPool
} from '../storage/base/index.js'
import type { Disk } from '../storage/files/index.js'
import { type InstanceDatabase, openInstance } from '../storage/instance/index.js'
import type { VolumeId } from '../storage/volumes/index.js'
import type { FarEnds } from '../sync/session/index.js'
import type { Settings } from './config/index.js'
import { growingPeer, type LocalStep, type RemoteStep } from './growing-peer.js'
import type { Network } from './network/index.js'
import type { Ground, Host, LocalParts, Peer } from './peer.js'
import { VERSION } from './version.js'

export type { Host, LoopDelay, Peer } from './peer.js'

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

/** A peer that stands on its ground; `start` brings the rest. @throws what `openInstance` and `settings` throw */
export async function compose(init: PeerInit): Promise<Peer> {
  const { dataDir, host, log = silentLog, clock = systemClock, random = systemRandom } = init
  const instance = await (init.instance ?? openInstance(dataDir))
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
    pool: workerPool()
  }
  return growingPeer(ground, {
    local: () => composeLocal(ground, init.disk),
    remote: local => composeRemote(ground, local)
  })
}

/** What works without a network. @returns also what starts before `ready`, and what starts when all is there */
async function composeLocal(ground: Ground, disk: Disk | undefined): Promise<LocalStep> {
  const { dataDir, settings, log, clock, random, events, pool, instance } = ground

  const { openFiles, ownerTag, removeLeftovers } = await import('../storage/files/index.js')
  await removeLeftovers(dataDir).catch(err => log.warn('the data directory could not be tidied', { err }))
  // By its real path: the same daemon finds its staging places again, whichever way it was started.
  const owner = ownerTag(realpathSync(dataDir))
  const files = openFiles({ pool, owner, clock, ...(disk !== undefined && { disk }) })

  const { openIdentityStore } = await import('./identity/index.js')
  const identity = await openIdentityStore({ dataDir, clock, random })

  const { instanceNameOf, openDeviceRegistry, openLocalDevice } = await import('./devices/index.js')
  const devices = await openDeviceRegistry({
    ...{ database: instance, clock, events, log: log.child('devices') },
    identity: () => identity.identity
  })
  const named = instanceNameOf(basename(dataDir))
  const self = await openLocalDevice({ database: instance, random, version: VERSION, instance: named })

  const { libraries } = await import('../storage/libraries/index.js')
  const library = libraries({
    ...{ database: instance, pool, clock, events, log: log.child('libraries') },
    device: () => ({ name: self.name, id: identity.device ?? null })
  })

  const { remembered, volumes } = await import('../storage/volumes/index.js')
  const disks = volumes({ database: instance, events, clock, pool, log: log.child('volumes') })

  const { indexer } = await import('../storage/indexer/index.js')
  const index = indexer({
    ...{ pool, clock, events, log: log.child('indexer') },
    ours: () => [dataDir, ...library.opened().map(l => l.path)]
  })

  const { search } = await import('../storage/search/index.js')

  const { jobManager } = await import('../storage/jobs/index.js')
  const jobs = jobManager({ db: instance, clock, random, events, log: log.child('jobs') })

  const { audit } = await import('../storage/audit/index.js')
  const audits = audit({ db: instance, jobs, clock, events, log: log.child('audit') })

  const { trash } = await import('../storage/trash/index.js')
  const bin = trash({
    ...{ db: instance, files, volumes: disks, pool, clock, random, events, dataDir, owner, log: log.child('trash') },
    keepFor: () => settings.config.trash
  })

  const { watcher } = await import('../storage/watcher/index.js')
  const watching = watcher({ pool, clock, log: log.child('watcher') })
  const { locationsService } = await import('../storage/locations/index.js')
  const locations = locationsService({
    ...{ libraries: library, indexer: index, volumes: disks, jobs, pool, clock, random, events, ours: [dataDir] },
    watcher: watching,
    log: log.child('locations')
  })
  library.beforeClose(closing => index.closing(closing)) // after the locations have let go of it

  const { indexPlaces } = await import('../sync/analysis/index.js')
  const { copies } = await import('../sync/copy/index.js')
  const copying = copies(
    {
      ...{ db: instance, files, pool, clock, random, trash: bin, volumes: disks },
      index: indexPlaces({ pool, libraries: library, locations }),
      ours: () => [dataDir, ...library.opened().map(l => l.path)],
      pause: (job, because) => jobs.pause(job, { because })
    },
    jobs
  )

  const { openLocalEndpoint } = await import('../sync/endpoints/index.js')
  const { syncs } = await import('../sync/session/index.js')
  const ours = (): AbsPath[] => [dataDir, ...library.opened().map(l => l.path)]
  const mounted = remembered(disks, events) // a session opens its ends each time
  const openFolder = async (path: AbsPath, { create = false, signal }: { create?: boolean } & AbortOptions = {}) => {
    if (create) await (await files.openRoot(path, { create, ...(signal && { signal }) })).close()
    return openLocalEndpoint({ path, pool, files, volumes: mounted, trash: bin, ours }, { signal })
  }
  let far: FarEnds | undefined // there once there are other devices to speak with
  const synced = syncs({
    ...{ db: instance, dataDir, pool, clock, random, events, jobs, log: log.child('syncs') },
    watcher: watching,
    deviceName: () => self.name,
    placementOf: path => disks.placementOf(path),
    pathOf: (volume, within) => disks.pathOf(volume as VolumeId, within),
    open: openFolder,
    far: () => far
  })
  const { servedSyncs } = await import('../sync/serving/index.js')
  const served = servedSyncs({
    ...{ db: instance, clock, events, open: openFolder },
    nameOf: device => devices.nameOf(device),
    turn: (path, options) => synced.turn(path, options)
  })
  const { syncHistory } = await import('../sync/history/index.js')
  const history = syncHistory({
    db: instance,
    dataDir,
    pool,
    clock,
    random,
    syncs: synced,
    isServed: path => served.list().some(s => s.folder?.path === path),
    open: openFolder,
    jobs,
    log: log.child('history')
  })

  const { damage } = await import('../storage/entries/index.js')
  const { fileOperations } = await import('../sync/operations/index.js')
  const operations = fileOperations({
    ...{ jobs, dataDir, clock, pool, files, trash: bin },
    libraries: () => library.opened().map(l => ({ id: l.id, databaseFile: l.database.file, host: l.host })),
    noteDamage: async (id, found) => {
      const open = library.opened().find(l => l.id === id)
      await open?.database.write(damage.note, { nowMs: clock.nowMs(), ...found })
    },
    ours: () => [dataDir, ...library.opened().map(l => l.path)],
    protect: async () => ({
      ours: [dataDir, ...library.opened().map(l => l.path)],
      roots: (await locations.list()).map(({ path, name }) => ({ path, name })),
      mountPoints: (await disks.list({ all: true })).flatMap(v => v.mountPoints),
      home: homedir() as AbsPath
    })
  })

  return {
    parts: {
      ...{
        watcher: watching,
        files,
        volumes: disks,
        libraries: library,
        indexer: index,
        jobs,
        locations,
        trash: bin,
        audit: audits
      },
      search: search({ pool, own: () => library.own, networkMounts: () => disks.networkMounts() }),
      ...{ operations, copies: copying, syncs: synced, served, history, identity, devices, self },
      reachFar: way => {
        far = way
      }
    },
    first: [
      ['volumes', disks],
      ['libraries', library]
    ],
    // Jobs start when all they work on is there: what was running goes on at once. Locations have jobs.
    rest: [
      ['trash', bin],
      ['audit', audits],
      ['operations', operations],
      ['syncs', synced],
      ['history', history],
      ['jobs', jobs],
      ['locations', locations],
      ['syncs by themselves', synced.background]
    ],
    close: () => files.close()
  }
}

/** What speaks with other devices; libp2p itself is loaded by the network's start. */
async function composeRemote(ground: Ground, local: LocalParts): Promise<RemoteStep> {
  const {
    files,
    identity,
    devices,
    self,
    libraries,
    locations,
    volumes,
    trash,
    audit,
    jobs,
    syncs,
    served,
    watcher,
    reachFar
  } = local
  const { dataDir, settings, log, clock, random, events, pool, instance, password } = ground

  const { createNetwork } = await import('./network/index.js')
  const network = createNetwork({
    config: () => settings.config.network,
    ...{ identity, password, devices, self, database: instance, clock, random, events },
    log: log.child('network')
  })

  const { pairing: createPairing } = await import('../protocols/pairing/index.js')
  const pairing = createPairing({
    ...{ network: network.pairing, devices: devices.paired, database: instance, clock, random, events },
    log: log.child('pairing'),
    info: () => ({ name: self.name, os: self.os, model: self.model })
  })
  network.setPairingGate(pairing)

  const { messaging } = await import('../protocols/messaging/index.js')
  const messages = messaging({ db: instance, network, trust: devices, events, clock, random, log })
  devices.onRevoke({ clean: device => messages.forget(device) })

  const { rateLimits } = await import('../protocols/pace/index.js')
  const limits = rateLimits(instance, clock)
  devices.onRevoke({ clean: device => limits.set({ device, up: undefined, down: undefined, schedule: undefined }) })

  const { transferService } = await import('../protocols/transfer/index.js')
  const transfers = transferService({
    ...{ network, database: instance, pool, files, events, clock, random, dataDir, pacing: limits.pacing },
    log: log.child('transfers'),
    nameOf: device => devices.nameOf(device)
  })
  devices.onRevoke({ clean: device => transfers.forget(device) })

  const { downloadsFolder, spacedrop } = await import('../protocols/spacedrop/index.js')
  const { spoolDirOf } = await import('./instance/index.js')
  const drops = spacedrop({
    ...{ db: instance, trust: devices, network, transfers, messages, events, clock, random, pool, log, dataDir },
    spoolDir: spoolDirOf(dataDir),
    downloads: () => (settings.config.spacedrop.downloads ?? downloadsFolder()) as AbsPath
  })
  devices.onRevoke({ cut: device => drops.cut(device), clean: device => drops.forget(device) })
  devices.addTrustHolder({ has: device => drops.hasRule(device), drop: device => drops.dropRule(device) })

  const {
    farEnds,
    grants: openGrants,
    replicas: openReplicas,
    servingPort
  } = await import('../protocols/replica/index.js')
  const { openLocalEndpoint } = await import('../sync/endpoints/index.js')
  const ours = (): AbsPath[] => [dataDir, ...libraries.opened().map(l => l.path)]
  const isNetwork = async (path: AbsPath) => (await volumes.placementOf(path))?.volume.network ?? false
  const grants = openGrants(instance, clock)
  const { indexPlaces } = await import('../sync/analysis/index.js')
  const index = indexPlaces({ pool, libraries, locations })
  const nameOf = (device: DeviceId): string => devices.nameOf(device)
  const open = (path: AbsPath, options?: AbortOptions) =>
    openLocalEndpoint({ path, pool, files, volumes, trash, ours }, options)
  const replicas = openReplicas({
    ...{
      network,
      grants,
      clock,
      random,
      ours,
      log: log.child('replicas'),
      nameOf,
      open,
      known: index,
      pacing: limits.pacing
    },
    syncs: (device, uuid) => servingPort({ served, watcher, isNetwork }, device, uuid),
    async onAccess({ device, path, access, refused }) {
      const id = await audit.begin({ command: `remote.${access}`, origin: device, paths: [displayPath(path)] })
      await audit.end(id, {
        outcome: refused === undefined ? 'done' : 'refused',
        error: refused && toPlainError(refused)
      })
    }
  })
  devices.onRevoke({
    cut: device => void replicas.cut(device),
    async clean(device) {
      await served.forget(device)
      await syncs.forget(device)
    }
  })

  const { agreements: openAgreements } = await import('../protocols/agreements/index.js')
  const agreements = openAgreements({
    ...{ messages, network, replicas, grants, syncs, served },
    nameOf: device => devices.nameOf(device)
  })
  reachFar(agreements.far)

  const { remoteCopies: openRemoteCopies } = await import('../sync/copy/index.js')
  const ends = farEnds({ network, replicas, nameOf, open, isPaired: device => devices.isPaired(device) })
  const remoteCopies = openRemoteCopies(
    {
      ...{ db: instance, clock, events, log: log.child('copies'), ends, index },
      devices: () => devices.list().flatMap(d => (devices.isPaired(d.id) ? [d.id] : [])),
      pause: (job, because) => jobs.pause(job, { because })
    },
    jobs
  )
  const { farOperations } = await import('../sync/operations/index.js')
  const far = farOperations({ ends, jobs, waits: remoteCopies.waits })

  return {
    parts: { network, pairing, messages, transfers, drops, limits, grants, replicas, remoteCopies, far, agreements },
    first: [
      ['pairing', pairing],
      ['messages', messages],
      ['transfers', transfers],
      ['drops', drops],
      ['replicas', replicas]
    ],
    last: [
      ['copies between devices', remoteCopies],
      ['network', whenEnabled(network, () => settings.config.network.enabled, log)]
    ]
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
