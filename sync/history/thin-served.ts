/** Versions at an end that another device drives: the end that holds them thins them itself (SYNC.md 8). */
import type { AbortOptions, AbsPath } from '../../storage/base/index.js'
import { lockRoot } from '../session/index.js'
import type { ThinReport, VersionPolicy } from '../versions/index.js'
import type { HistoryInit } from './history.js'
import { openStoreAt } from './store-at.js'

/** A folder of this device that others drive. */
export interface ServedFolder {
  readonly path: AbsPath
  /** Of one of the syncs that write there: what it left staged stays. */
  readonly uuid: string
  /** It is still the folder that was accepted. */
  readonly inode: string
  readonly birthNs: string
  /** Of all syncs that write there: what one of them keeps stays. */
  readonly policies: readonly VersionPolicy[]
  /** When the least recent of them was last compared whole and left nothing over; undefined: one of them is not. */
  readonly settledAtMs: number | undefined
}

/** Hourly looks at everything, a fifth of it at random; a sync that was not compared for longer may hold what is not here. */
export const SETTLED_MS = 2 * 3_600_000

/**
 * Thins while both ends are known to be the same, so that nothing goes that the driver still holds and this end does not. What it
 * says of that only ever holds back: how long versions are kept is judged here.
 * @returns undefined: not now, or there are none
 */
export async function thinServed(
  { open, openEnd, clock, syncs }: HistoryInit,
  folder: ServedFolder,
  options: AbortOptions
): Promise<ThinReport | undefined> {
  const { path, uuid, policies, settledAtMs } = folder
  if (settledAtMs === undefined || clock.nowMs() - settledAtMs > SETTLED_MS) return undefined
  const endTurn = await syncs.turn(path, options)
  try {
    const there = await openStoreAt(open, path, options)
    if (there === undefined) return undefined
    await there.close()
    const endpoint = await open(path, options)
    try {
      const { root: now } = await endpoint.about(options)
      if (String(now.inode) !== folder.inode || String(now.birthNs) !== folder.birthNs) return undefined
      const { root, store, close } = await openEnd(endpoint, uuid, clock, { ...options, keepStaged: true })
      const unlock = await lockRoot(root, clock, options)
      try {
        return await store.thin({ policies, mustStay: async () => new Set(), ...options })
      } finally {
        unlock()
        await close(false)
      }
    } finally {
      await endpoint.close()
    }
  } finally {
    endTurn()
  }
}
