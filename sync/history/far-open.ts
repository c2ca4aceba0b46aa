/** Ends on other devices that a way back writes to: open from before they are looked at until all of it is done. */
import { type AbortOptions, SpacedriveError, typed } from '../../storage/base/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import { type Loan, openSessionEnd, type SessionEnd, type Sync, settleIntents, writableEnds } from '../session/index.js'
import type { HistoryInit } from './history.js'
import { namedDevice } from './kept-at.js'

export type FarOpen = Readonly<Partial<Record<End, SessionEnd>>>

/** @throws {SpacedriveError} NOT_WRITTEN: that device lets this one only read there */
export function ensureWritable({ nameOf }: Pick<HistoryInit, 'nameOf'>, sync: Sync, end: End): void {
  const { device } = sync[end]
  if (device === null || writableEnds(sync.mode).includes(end)) return
  const name = namedDevice(nameOf, device)
  throw new SpacedriveError('NOT_WRITTEN', `the ${end} of ${sync.name} lies on ${name}, which lets it only be read`, {
    hint: `\`spacedrive sync restore ${typed(sync.name)} PATH --to DIR\` brings it back here; copy it from there to ${name}.`
  })
}

/**
 * Completes or takes back what a crash left at these ends, as a session does, and writes down what came of it. Ends of this device are
 * left to others, and so are those that are only read.
 * @throws what opening them throws: BUSY, READ_ONLY
 */
export async function withFarOpen<T>(
  { db, clock }: Pick<HistoryInit, 'db' | 'clock'>,
  { sync, loan, which }: { readonly sync: Sync; readonly loan: Loan; readonly which: readonly End[] },
  options: AbortOptions,
  use: (far: FarOpen) => Promise<T>
): Promise<T> {
  const far: Partial<Record<End, SessionEnd>> = {}
  /** What was only looked at is no run of it. */
  const announced = new Set<End>()
  let through = false
  try {
    for (const end of ENDS) {
      const endpoint = loan.ends[end]
      if (!which.includes(end) || endpoint?.sync === undefined || !writableEnds(sync.mode).includes(end)) continue
      const opened = await openSessionEnd({ endpoint, sync: sync.uuid, clock, resumes: true }, options)
      far[end] = {
        ...opened,
        announce(run, more) {
          announced.add(end)
          return opened.announce(run, more)
        }
      }
      await settleIntents({ db, sync: sync.id, end, endpoint }, options)
    }
    const result = await use(far)
    through = true
    return result
  } finally {
    for (const end of ENDS) await far[end]?.close(through && announced.has(end))
  }
}
