import { type Clock, SpacedriveError } from '../../../storage/base/index.js'
import { FAREWELL_MS } from '../limits.js'
import type { FramePipe } from './frame-pipe.js'

/** Lets the last record out and waits for the other side to end, too; but no longer than that. */
export async function farewell(pipe: FramePipe, clock: Clock): Promise<void> {
  let timer: { clear(): void } | undefined
  const late = new Promise<'late'>(resolve => {
    timer = clock.timer(() => resolve('late'), FAREWELL_MS)
  })
  const outcome = await Promise.race([pipe.close().then(() => pipe.ended), late])
  timer?.clear()
  if (outcome === 'late') pipe.abort(new SpacedriveError('TIMEOUT', 'the other device did not end the stream'))
}
