import { lstat } from 'node:fs/promises'
import { type Clock, fsPath, resolveRel } from '../../storage/base/index.js'
import type { Pending } from './pending.js'
import type { Sync } from './record.js'

/** A file of this size or more is taken when it was not written to for `REST_MS`: reading it takes longer than writing a piece. */
export const RESTING_BYTES = 4 * 1024 * 1024
export const REST_MS = 1_000
/** Of so many hints files are looked at for being written to; more are a burst of small ones. */
const RESTING_LOOKS = 64

/** Large files that are being written to wait. */
export async function letRest(pending: Pending, { source, destination }: Sync, clock: Clock): Promise<void> {
  const ends = { source, destination }
  // At the other device a file that is written to is noticed when it moves under the reader.
  const files = pending.files(RESTING_LOOKS).filter(({ end }) => ends[end].device === null)
  await Promise.all(
    files.map(async ({ end, path }) => {
      const found = await lstat(fsPath(resolveRel(ends[end].path, path))).catch(() => undefined)
      if (found === undefined || !found.isFile() || found.size < RESTING_BYTES) return
      const restedMs = clock.nowMs() - found.mtimeMs
      if (restedMs >= 0 && restedMs < REST_MS) pending.rest(end, path, REST_MS - restedMs)
    })
  )
}
