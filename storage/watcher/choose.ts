import { CHOKIDAR_MAX_ENTRIES } from './limits.js'
import type { WatchBackend } from './watcher.js'

export interface WatchSituation {
  readonly platform: NodeJS.Platform
  /** The volume is served by another machine, whose changes raise no events here. */
  readonly network: boolean
  /** Entries of the tree as far as known. */
  readonly entries: number
}

/** Which back end suits a tree (docs/decisions/003). */
export function chooseBackend({ platform, network, entries }: WatchSituation): WatchBackend {
  if (network) return entries <= CHOKIDAR_MAX_ENTRIES ? 'polling' : 'walk'
  if (platform === 'linux') return 'folders'
  return entries <= CHOKIDAR_MAX_ENTRIES ? 'chokidar' : 'parcel'
}
