import { type DeviceId, errorCode, SpacedriveError, toError } from '../../../storage/base/index.js'
import type { PhaseContext } from '../../../storage/jobs/index.js'
import { isAway } from './away.js'
import type { Ends } from './ports.js'
import type { Waits } from './waits.js'

/** Lost connections in a row, with nothing that came over between, after which it is no longer the connection's fault. */
export const MAX_FRUITLESS = 5

export interface ReachingInit {
  readonly ends: Pick<Ends, 'isConnected'>
  readonly waits: Waits
  /** Those that the work needs. */
  readonly devices: readonly DeviceId[]
}

/** Runs a part of a job that needs other devices; where one is away the job rests until it is there, and begins the part anew. */
export async function reaching<S extends { fruitless: number }>(
  { ends, waits, devices }: ReachingInit,
  ctx: PhaseContext<S>,
  work: () => Promise<void>
): Promise<void> {
  await waits.begun(ctx.job)
  const { state } = ctx
  try {
    await work()
    state.fruitless = 0
  } catch (err) {
    ctx.signal.throwIfAborted()
    if (!isAway(err)) throw err
    const lost = errorCode(err) === 'UNREACHABLE' || devices.every(d => ends.isConnected(d))
    if (lost) state.fruitless++
    if (state.fruitless > MAX_FRUITLESS) {
      const message = `the connection broke ${state.fruitless} times in a row: ${toError(err).message}`
      throw new SpacedriveError('UNREACHABLE', message, {
        cause: err,
        hint: 'Look at the other device, then `job resume` it: what was done is not done again.'
      })
    }
    ctx.log(toError(err).message)
    await waits.rest(ctx as PhaseContext, devices, state.fruitless)
  }
}
