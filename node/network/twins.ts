/**
 * One identity that runs twice: a copied data directory, a cloned machine. Two peers with one key would each undo what the
 * other agreed with us, so the second is refused and both are told.
 */
import type { HelloInfo } from '../../protocols/hello/index.js'
import { type DeviceId, type Logger, SpacedriveError } from '../../storage/base/index.js'
import type { DeviceRegistry } from '../devices/index.js'
import { PROBE_TIMEOUT_MS } from './limits.js'
import type { Session } from './session.js'

/** Runs of one device that are remembered: a restart makes a new one, a twin brings an old one back. */
const REMEMBERED_RUNS = 8

export interface Twins {
  /**
   * @param live - the sessions there are with this device
   * @throws {SpacedriveError} RUNS_TWICE when one of them is another run and answers
   */
  check(device: DeviceId, info: HelloInfo, live: readonly Session[]): Promise<void>
  /** Another device told us that our own identity runs twice. */
  told(by: DeviceId): void
  /** Who told us. */
  readonly toldBy: DeviceId | undefined
}

export function twins({ devices, log }: { devices: DeviceRegistry; log: Logger }): Twins {
  const runs = new Map<DeviceId, string[]>()
  let toldBy: DeviceId | undefined

  function report(device: DeviceId, starts: number): void {
    if (devices.setProblem(device, 'runs-twice')) log.warn('this identity runs twice', { device, starts })
  }

  return {
    get toldBy() {
      return toldBy
    },
    told(by) {
      if (toldBy === undefined) log.warn('this identity runs twice: a copy of this device is running', { toldBy: by })
      toldBy = by
    },
    async check(device, info, live) {
      const run = Buffer.from(info.run).toString('hex')
      const seen = runs.get(device) ?? []
      for (const session of live.filter(s => s.run !== run)) {
        // After a crash the old connection may be dead and not yet noticed: only an answer proves a twin.
        if (await session.probe(PROBE_TIMEOUT_MS, true)) {
          session.send({ t: 'twice' })
          report(device, info.starts)
          throw new SpacedriveError('RUNS_TWICE', `the identity ${device} runs twice`)
        }
        session.end(new SpacedriveError('STREAM_CLOSED', 'the device was started anew'))
      }
      // A run that comes back after another one was here: the two take turns.
      if (seen.includes(run) && seen.at(-1) !== run) report(device, info.starts)
      else if (devices.find(device)?.problem === 'runs-twice') devices.setProblem(device, undefined)
      runs.set(device, [...seen.filter(r => r !== run), run].slice(-REMEMBERED_RUNS))
    }
  }
}
