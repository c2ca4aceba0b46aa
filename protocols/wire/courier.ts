import { type Clock, type DeviceId, type Logger, linkSignals, SpacedriveError } from '../../storage/base/index.js'
import type { PeerNetwork } from './peers.js'

/** After a failure on a connection that stands: 1 s, doubled up to a minute. */
const RETRY_MIN_MS = 1_000
const RETRY_MAX_MS = 60_000

/** `done`: nothing is due. `again`: there is more. `later`: it failed, try again after a pause. */
export type CourierOutcome = 'done' | 'again' | 'later'

export interface CourierInit {
  network: Pick<PeerNetwork, 'session'>
  clock: Clock
  log: Logger
  /** Does the next thing that is due for a device. A throw counts as `later`; `signal` ends with the connection. */
  work(device: DeviceId, signal: AbortSignal): Promise<CourierOutcome>
}

/** Does what is due for each device, one thing at a time, whenever the device is connected. */
export class Courier {
  readonly #init: CourierInit
  readonly #runs = new Map<DeviceId, { again: boolean; done: Promise<void> }>()
  readonly #stopping = new AbortController()

  constructor(init: CourierInit) {
    this.#init = init
  }

  /** Something is due for this device, or it has just been connected. */
  wake(device: DeviceId): void {
    if (this.#stopping.signal.aborted) return
    const running = this.#runs.get(device)
    if (running !== undefined) {
      running.again = true
      return
    }
    const run = { again: false, done: Promise.resolve() }
    this.#runs.set(device, run)
    run.done = this.#serve(device).finally(() => {
      this.#runs.delete(device)
      if (run.again) this.wake(device)
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new SpacedriveError('STOPPED', 'the program is stopping'))
    await Promise.all([...this.#runs.values()].map(r => r.done))
  }

  async #serve(device: DeviceId): Promise<void> {
    const { network, clock, work, log } = this.#init
    for (let failures = 0; ; ) {
      const session = network.session(device)
      if (session === undefined || this.#stopping.signal.aborted) return
      const link = linkSignals(session.signal, this.#stopping.signal)
      try {
        const outcome = await work(device, link.signal).catch((err: unknown): CourierOutcome => {
          if (!link.signal.aborted) log.debug('what is due for a device failed', { device, err })
          return 'later'
        })
        if (outcome === 'done') return
        if (outcome === 'again') failures = 0
        else await clock.sleep(Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** failures++), { signal: link.signal })
      } catch {
        // The connection ended: the next one wakes us.
      } finally {
        link.clear()
      }
    }
  }
}
