/**
 * Locations: the folders that a library indexes, and everything that keeps their index true.
 *
 *   const locations = locationsService({ libraries, indexer, watcher, volumes, jobs, pool, events, clock, random, log, ours: [dataDir] })
 *   // before jobs.start(): it registers the kind of job that indexes a location
 *   await locations.start()
 *   const { location, job } = await locations.add(library, { path })
 *   await jobs.outcome(job)
 *
 * Each location of an open library has a runtime. It looks whether the root is there and is the folder it was (inode, time of
 * birth, volume), watches it, and has it scanned: always the watch first and the scan then, so that nothing falls between.
 * After the program was off, when the root comes back, when a watch lost something, and every hour all of it is looked at
 * again. A root that is away keeps its entries; one whose disk is mounted elsewhere is followed; the empty folder under a
 * mount point, or another disk at the place, is never taken for "everything was deleted".
 *
 * A location inside another one shares its rows, and its watch while that one is watched.
 */
import type { Locations } from './location.js'
import { LocationService, type LocationsInit } from './location-service.js'

export type { IndexJob, IndexJobInput, IndexPartInput } from './index-job.js'
export type {
  Activity,
  Freshness,
  Location,
  LocationChanges,
  LocationInfo,
  LocationState,
  Locations,
  LookOptions,
  NewLocation,
  RescanOptions,
  RootIdentity
} from './location.js'
export type { LocationsInit } from './location-service.js'

export function locationsService(init: LocationsInit): Locations {
  return new LocationService(init)
}
