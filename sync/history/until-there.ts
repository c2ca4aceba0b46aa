import { errorCode } from '../../storage/base/index.js'
import type { Sync } from '../session/index.js'
import type { Attempt } from './course.js'
import type { HistoryInit } from './history.js'
import { namedDevice, withCure } from './kept-at.js'

/** The device at the other end went away, or does something else just now. */
const COMES_BACK = new Set(['DEVICE_AWAY', 'UNREACHABLE', 'BUSY'])

/**
 * A way back that has changed something already goes on when the device at the other end is there again, as one that a crash cut off does:
 * both ends are looked at anew. One that has not begun says that it is away.
 * @param of.otherwise - what can be done without that device
 * @throws what `work` throws; SYNC_NOT_FOUND: it was removed, or the device revoked, meanwhile
 */
export async function untilThere<T>(
  init: HistoryInit,
  sync: Sync,
  { attempt, otherwise }: { readonly attempt: Attempt | undefined; readonly otherwise?: string | undefined },
  work: () => Promise<T>
): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (err) {
      if (attempt?.course.begun !== true || !COMES_BACK.has(errorCode(err)) || attempt.signal.aborted)
        throw withCure(err, init, sync, otherwise)
      const name = namedDevice(init.nameOf, sync.source.device ?? sync.destination.device)
      await attempt.waiting(init.syncs.whenThere(sync, { signal: attempt.signal }), `waits for ${name}`)
    }
  }
}
