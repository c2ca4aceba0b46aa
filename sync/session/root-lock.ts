/**
 * One daemon at a time writes at a folder. Sessions of one daemon take turns (`turns.ts`); another daemon on this device that syncs
 * into the same folder is kept out by a lock that the kernel drops when its process ends. Scanning and planning need none: what
 * changed since is found by the last look at each file. On a file system that knows no locks, and between devices that mount the same
 * network disk, it keeps nobody out; there too every placing looks again, versions are only added to, and of two markers written
 * at once one stands, so that the other daemon's sync halts.
 */
import { join } from 'node:path'
import { type AbortOptions, type Clock, displayPath, hasCode, SpacedriveError } from '../../storage/base/index.js'
import { AREA_NAME, type FileRoot } from '../../storage/files/index.js'
import { acquireLock } from '../../storage/sql/index.js'

/** Empty, and never removed: another process may hold it. */
export const LOCK_NAME = 'lock'
/** Another one's batches are short; who waits longer tells it, and tries again later. */
export const LOCK_WAIT_MS = 30_000
/** That another process lets go has no event. */
const LOCK_TRY_MS = 250

/**
 * For as long as something is written at this root. `.spacedrive/` is there by then.
 * @returns lets go of it
 * @throws {SpacedriveError} ROOT_BUSY; `signal.reason`
 */
export async function lockRoot(
  { path }: Pick<FileRoot, 'path'>,
  clock: Clock,
  { signal }: AbortOptions = {}
): Promise<() => void> {
  const untilMs = clock.monotonicMs() + LOCK_WAIT_MS
  for (;;) {
    try {
      const lock = acquireLock(join(path, AREA_NAME, LOCK_NAME), displayPath(path))
      return () => lock.release()
    } catch (err) {
      if (!hasCode(err, 'LOCKED')) return () => {}
      if (clock.monotonicMs() >= untilMs) throw busy(path)
    }
    await clock.sleep(LOCK_TRY_MS, { ...(signal && { signal }) })
  }
}

const busy = (path: string): SpacedriveError =>
  new SpacedriveError('ROOT_BUSY', `could not write to ${displayPath(path)}: another daemon is writing there`, {
    hint: 'It is tried again. `spacedrive instance list` shows the daemons of this device.'
  })
