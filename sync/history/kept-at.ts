/** The version stores of the ends of a sync, wherever they lie. */
import {
  type AbortOptions,
  type DeviceId,
  displayPath,
  hasCode,
  SpacedriveError,
  typed
} from '../../storage/base/index.js'
import type { Endpoint } from '../endpoints/index.js'
import type { End } from '../reconcile/index.js'
import type { Sync } from '../session/index.js'
import { farStore } from './far-store.js'
import type { HistoryInit } from './history.js'
import { openStoreAt, type StoreRead } from './store-at.js'

/** What is needed of a sync to read what its ends keep. With its uuid it is one that this device drives; else only the end here is read. */
export type EndsOfSync = Pick<Sync, 'name' | 'mode' | 'source' | 'destination'> & Partial<Pick<Sync, 'uuid'>>

/**
 * What an end keeps, of which the endpoint is open for writing if it lies on another device.
 * @param options.contents - they will be asked for
 * @returns undefined while nothing was ever kept there
 * @throws {SpacedriveError} KEPT_ELSEWHERE: a device of a release that does not tell of it
 */
export async function storeOf(
  init: HistoryInit,
  sync: EndsOfSync,
  { end, endpoint }: { readonly end: End; readonly endpoint: Endpoint },
  { contents, ...options }: { readonly contents: boolean } & AbortOptions
): Promise<StoreRead | undefined> {
  const { open, clock, db } = init
  if (endpoint.local !== undefined) return openStoreAt(open, endpoint.local.path, options)
  const kept = endpoint.sync?.kept
  if (kept === undefined) throw keptElsewhere(init, sync, end)
  return farStore({ kept, contents, clock, db }, options)
}

/** That device has to be asked itself. */
export function keptElsewhere({ nameOf }: Pick<HistoryInit, 'nameOf'>, sync: EndsOfSync, end: End): SpacedriveError {
  const { device, path } = sync[end]
  const name = namedDevice(nameOf, device)
  return new SpacedriveError('KEPT_ELSEWHERE', `the ${end} of ${sync.name} lies on ${name}, with its versions`, {
    hint: `Ask ${name}: \`spacedrive sync versions ${typed(sync.name)}\` there shows them, \`spacedrive sync restore ${typed(sync.name)} --at TIME --to DIR\` brings them back (${displayPath(path)}). A newer release there tells of them here.`
  })
}

/** Says what to do while the device at the other end cannot be asked. */
export function withCure(
  err: unknown,
  { nameOf }: Pick<HistoryInit, 'nameOf'>,
  sync: EndsOfSync,
  otherwise = ''
): unknown {
  const far = sync.source.device ?? sync.destination.device
  if (far === null || !(err instanceof SpacedriveError) || err.hint !== undefined) return err
  if (!hasCode(err, 'DEVICE_AWAY', 'UNREACHABLE', 'BUSY')) return err
  const name = namedDevice(nameOf, far)
  const again = hasCode(err, 'BUSY') ? 'Ask again when that is done.' : `Ask again when ${name} is there.`
  return new SpacedriveError(err.code, err.message, {
    cause: err,
    hint: `${again} What ${name} keeps can be had on ${name} itself as well.${otherwise}`
  })
}

export const namedDevice = (nameOf: HistoryInit['nameOf'], device: DeviceId | null): string =>
  (device && nameOf?.(device)) ?? 'another device'
