/** The version stores of both ends of a sync, to be looked through. */
import { type AbortOptions, displayPath, SpacedriveError, toError } from '../../storage/base/index.js'
import type { Endpoint } from '../endpoints/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import { writableEnds } from '../session/index.js'
import type { HistoryInit } from './history.js'
import { type EndsOfSync, keptElsewhere, namedDevice, storeOf, withCure } from './kept-at.js'
import { openStoreAt, type StoreAt, type StoreRead } from './store-at.js'

export interface EndStore extends StoreRead {
  readonly end: End
  readonly root: Endpoint
}

/** What could not be asked: its versions are not among what is told. */
export interface Unheard {
  readonly end: End
  readonly device: string
  /** In words. */
  readonly why: string
}

interface Stores {
  readonly stores: readonly EndStore[]
  readonly unheard: Unheard | undefined
}

/**
 * The stores of a sync that there are. Where both ends keep what they lose and one of them cannot be asked, those of the other.
 * @throws {SpacedriveError} ROOT_AWAY: an end that must have one; KEPT_ELSEWHERE, DEVICE_AWAY: all of it lies on another device
 */
export async function withStores<T>(
  init: HistoryInit,
  sync: EndsOfSync,
  options: AbortOptions,
  use: (stores: Stores) => Promise<T>
): Promise<T> {
  const writable = writableEnds(sync.mode)
  let unheard: Unheard | undefined
  const openAt = async (end: End, rooted: (root: Endpoint) => void): Promise<StoreRead | undefined> => {
    const { device } = sync[end]
    if (device !== null && !writable.includes(end)) return undefined
    try {
      const root = await openEndOf(init, sync, end, options)
      if (root === undefined) return undefined
      rooted(root)
      return await storeOf(init, sync, { end, endpoint: root }, { contents: false, ...options })
    } catch (err) {
      if (device === null) throw err
      options.signal?.throwIfAborted()
      if (writable.length === 1) throw withCure(err, init, sync)
      unheard = { end, device: namedDevice(init.nameOf, device), why: toError(err).message }
      return undefined
    }
  }
  return withOpened(openAt, stores => use({ stores, unheard }))
}

/** Both ends in turn; what was opened is closed whatever comes of it. @param openAt - tells of the folder as soon as that is open */
async function withOpened<S extends StoreRead, T>(
  openAt: (end: End, rooted: (root: Endpoint) => void) => Promise<S | undefined>,
  use: (stores: readonly (S & Pick<EndStore, 'end' | 'root'>)[]) => Promise<T>
): Promise<T> {
  const stores: (S & Pick<EndStore, 'end' | 'root'>)[] = []
  const roots: Endpoint[] = []
  try {
    for (const end of ENDS) {
      const store = await openAt(end, root => void roots.push(root))
      if (store !== undefined) stores.push({ ...store, end, root: roots.at(-1)! })
    }
    return await use(stores)
  } finally {
    for (const store of stores) await store.close()
    for (const root of roots) await root.close()
  }
}

/** The end as it lies now; undefined: one that need not be there. */
async function openEndOf(
  init: HistoryInit,
  sync: EndsOfSync,
  end: End,
  options: AbortOptions
): Promise<Endpoint | undefined> {
  if (sync[end].device !== null) {
    const driven = init.syncs.list().find(one => one.uuid === sync.uuid)
    if (driven === undefined) throw keptElsewhere(init, sync, end)
    return init.syncs.reach(driven, end, { kept: true, ...options })
  }
  return init.open(sync[end].path, options).catch(err => {
    if (!writableEnds(sync.mode).includes(end)) return undefined
    const shown = displayPath(sync[end].path)
    throw new SpacedriveError('ROOT_AWAY', `could not read the versions of ${sync.name}: ${shown} is not there`, {
      ...{ cause: err, hint: 'They lie in that folder. Is its disk mounted?' }
    })
  })
}

/** Those that lie here, to be read whole. @throws {SpacedriveError} KEPT_ELSEWHERE: all of it lies on another device; ROOT_AWAY */
export async function withStoresHere<T>(
  init: HistoryInit,
  sync: EndsOfSync,
  options: AbortOptions,
  use: (stores: readonly (EndStore & StoreAt)[]) => Promise<T>
): Promise<T> {
  return withOpened<StoreAt, T>(async (end, rooted) => {
    if (sync[end].device !== null) return undefined
    const root = await openEndOf(init, sync, end, options)
    if (root === undefined) return undefined
    rooted(root)
    return openStoreAt(init.open, root.local?.path ?? sync[end].path, options)
  }, use)
}
