import {
  type AbortOptions,
  type AbsPath,
  type DeviceId,
  displayPath,
  SpacedriveError,
  typed
} from '../../../storage/base/index.js'
import type { Watcher } from '../../../storage/watcher/index.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import { markerFor, type ServedSync, type ServedSyncs, watchedPages } from '../../../sync/serving/index.js'
import type { SyncPort } from './served-sync.js'

export interface ServingPortInit {
  readonly served: Pick<ServedSyncs, 'find' | 'openEnd' | 'follow' | 'kept'>
  readonly watcher: Watcher
  isNetwork(path: AbsPath): Promise<boolean>
}

/** A sync that this device serves, for whoever opens its folder. */
export interface ServingPort extends SyncPort {
  /** @throws {SpacedriveError} ROOT_REPLACED: this is not the folder that was accepted; PAUSED */
  judge(endpoint: Endpoint, options: AbortOptions): Promise<void>
}

/** @returns undefined: the device asked for none such, or nobody has accepted it */
export function servingPort(
  { served, watcher, isNetwork }: ServingPortInit,
  device: DeviceId,
  uuid: string
): ServingPort | undefined {
  const sync = served.find(device, uuid)
  if (sync?.folder === undefined) return undefined
  return {
    sync,
    openEnd: (s, endpoint, options) => served.openEnd(s, endpoint, options),
    kept: async endpoint => served.kept(sync, endpoint),
    follow: (endpoint, options) => served.follow(sync, endpoint, options),
    watch: (endpoint, options) => watchedPages({ watcher, isNetwork }, endpoint.local!.path, options),
    judge: (endpoint, options) => ensureAccepted(sync, endpoint, options)
  }
}

/** By its inode and time of birth, or by its marker: wherever it was copied or put back to, with it it is the folder. */
async function ensureAccepted(sync: ServedSync, endpoint: Endpoint, options: AbortOptions): Promise<void> {
  if (sync.paused)
    throw new SpacedriveError('PAUSED', 'it is paused there', {
      hint: `There: \`spacedrive sync resume ${typed(displayPath(sync.name))}\` lets it go on.`
    })
  const { root } = await endpoint.about(options)
  const { inode, birthNs } = sync.folder!
  if (String(root.inode) === inode && String(root.birthNs) === birthNs) return
  const marker = await markerFor(sync, endpoint, options).catch(() => undefined)
  if (marker !== undefined && (marker.syncs[sync.uuid] ?? 0) > 0) return
  throw new SpacedriveError('ROOT_REPLACED', 'another folder is in its place', {
    hint: 'Is its disk mounted there?'
  })
}
