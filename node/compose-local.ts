import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type AbortOptions, type AbsPath, collectGarbage, letGoOfMemory } from '../storage/base/index.js'
import type { Disk } from '../storage/files/index.js'
import { restWriters } from '../storage/sql/index.js'
import type { VolumeId } from '../storage/volumes/index.js'
import type { FarEnds } from '../sync/session/index.js'
import type { LocalStep } from './growing-peer.js'
import type { Ground } from './peer.js'
import { VERSION } from './version.js'

/** Builds what works without a network. @returns also what starts before `ready`, and what starts when all is there */
export async function composeLocal(ground: Ground, disk: Disk | undefined): Promise<LocalStep> {
  const { dataDir, settings, log, clock, random, events, pool, instance } = ground

  const { memory, openFiles, ownerTag, removeLeftovers } = await import('../storage/files/index.js')
  pool.whenAtRest(memory.release, {
    async first() {
      await restWriters()
      letGoOfMemory()
      // In two turns of the event loop, some 50 ms each; the second gives back what the first has emptied.
      for (let turn = 0; turn < 2; turn++) {
        collectGarbage()
        await setImmediate()
      }
    }
  })
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
  const known = indexPlaces({ pool, libraries: library, locations })
  const { copies } = await import('../sync/copy/index.js')
  const copying = copies(
    {
      ...{ db: instance, files, pool, clock, random, trash: bin, volumes: disks },
      index: known,
      ours: () => [dataDir, ...library.opened().map(l => l.path)],
      pause: (job, because) => jobs.pause(job, { because })
    },
    jobs
  )

  const { openLocalEndpoint } = await import('../sync/endpoints/index.js')
  const { syncs, vectors } = await import('../sync/session/index.js')
  const ours = (): AbsPath[] => [dataDir, ...library.opened().map(l => l.path)]
  const mounted = remembered(disks, events) // a session opens its ends each time
  const openFolder = async (path: AbsPath, { create = false, signal }: { create?: boolean } & AbortOptions = {}) => {
    if (create) await (await files.openRoot(path, { create, ...(signal && { signal }) })).close()
    return openLocalEndpoint({ path, pool, files, volumes: mounted, trash: bin, ours }, { signal })
  }
  let far: FarEnds | undefined // there once there are other devices to speak with
  const versions = vectors({ dataDir, clock, random, deviceName: () => self.name })
  const synced = syncs({
    ...{ vectors: versions, db: instance, dataDir, pool, clock, random, events, jobs, log: log.child('syncs') },
    watcher: watching,
    deviceName: () => self.name,
    placementOf: path => disks.placementOf(path),
    pathOf: (volume, within) => disks.pathOf(volume as VolumeId, within),
    open: openFolder,
    far: () => far
  })
  const { ServedScans, servedSyncs } = await import('../sync/serving/index.js')
  const scans = new ServedScans({ dataDir, clock, random, pool })
  const served = servedSyncs({
    ...{ db: instance, clock, events, pool, open: openFolder, vectors: versions, scans },
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
    nameOf: device => devices.nameOf(device),
    servedFolders: () => served.folders(),
    vectors: versions,
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
        ...{ locations, known },
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
    async close() {
      await scans.close()
      await versions.close()
      await files.close()
    }
  }
}
