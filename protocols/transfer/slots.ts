import { type AbortOptions, type DeviceId, SpacedriveError } from '../../storage/base/index.js'
import { MAX_TRANSFERS, MAX_TRANSFERS_PER_DEVICE } from './limits.js'

/** How many transfers run at once, with each device and in all. Who waits gets a place in the order of asking. */
export class Slots {
  readonly #perDevice: number
  readonly #inAll: number
  readonly #running = new Map<DeviceId, number>()
  readonly #waiting: { device: DeviceId; go(): void }[] = []
  #total = 0

  constructor(perDevice = MAX_TRANSFERS_PER_DEVICE, inAll = MAX_TRANSFERS) {
    this.#perDevice = perDevice
    this.#inAll = inAll
  }

  /** @returns what gives the place back (once) */
  async acquire(device: DeviceId, { signal }: AbortOptions = {}): Promise<() => void> {
    signal?.throwIfAborted()
    if (!this.#isFree(device)) {
      await new Promise<void>((resolve, reject) => {
        const waiting = {
          device,
          go: () => {
            signal?.removeEventListener('abort', onAbort)
            resolve()
          }
        }
        const onAbort = (): void => {
          this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
          reject(signal!.reason)
        }
        this.#waiting.push(waiting)
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    } else this.#take(device)
    return this.#giveBack(device)
  }

  /** @throws {SpacedriveError} TOO_MANY instead of waiting */
  take(device: DeviceId): () => void {
    if (!this.#isFree(device)) {
      throw new SpacedriveError('TOO_MANY', 'as many transfers as may run at once are running already')
    }
    this.#take(device)
    return this.#giveBack(device)
  }

  #isFree(device: DeviceId): boolean {
    return this.#total < this.#inAll && (this.#running.get(device) ?? 0) < this.#perDevice
  }

  #take(device: DeviceId): void {
    this.#total++
    this.#running.set(device, (this.#running.get(device) ?? 0) + 1)
  }

  #giveBack(device: DeviceId): () => void {
    let given = false
    return () => {
      if (given) return
      given = true
      this.#total--
      const left = this.#running.get(device)! - 1
      if (left === 0) this.#running.delete(device)
      else this.#running.set(device, left)
      const next = this.#waiting.findIndex(w => this.#isFree(w.device))
      if (next < 0) return
      const [waiting] = this.#waiting.splice(next, 1)
      this.#take(waiting!.device)
      waiting!.go()
    }
  }
}
