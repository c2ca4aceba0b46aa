/** How syncs stand that other devices drive, in the words of those devices. */
import { z } from 'zod'
import { type DeviceId, linkSignals, SpacedriveError } from '../../storage/base/index.js'
import type { ServedSync } from '../../sync/serving/index.js'
import type { Peer } from '../compose.js'
import { askDriver } from './ask-driver.js'

/** A status is not waited for longer than that: without the word of the driver it says what is known here. */
const WORD_WITHIN_MS = 3_000

const word = z.object({ state: z.string(), text: z.string(), advice: z.string().nullable() })
export type DriversWord = z.output<typeof word>

/**
 * Of those whose driver is connected. Each device is asked about one after the other, for it answers few questions at once.
 * @returns by the sync's id; what is not there was not told: the device is away, busy, or of an earlier release
 */
export async function driversWords(
  peer: Peer,
  syncs: readonly ServedSync[],
  signal: AbortSignal
): Promise<ReadonlyMap<number, DriversWord>> {
  const words = new Map<number, DriversWord>()
  const late = new AbortController()
  const linked = linkSignals(signal, late.signal)
  const timer = peer.clock.timer(
    () => late.abort(new SpacedriveError('TIMEOUT', 'how a sync stands was not told in time')),
    WORD_WITHIN_MS
  )
  const ask = async (device: DeviceId): Promise<void> => {
    for (const sync of syncs) {
      if (sync.device !== device || sync.folder === undefined) continue
      const told = word.safeParse(await askDriver(peer, sync, { what: 'status' }, linked.signal))
      if (told.success) words.set(sync.id, told.data)
    }
  }
  try {
    const devices = [...new Set(syncs.map(sync => sync.device))].filter(d => peer.network.session(d) !== undefined)
    await Promise.all(devices.map(device => ask(device).catch(() => {})))
    signal.throwIfAborted()
    return words
  } finally {
    timer.clear()
    linked.clear()
  }
}
