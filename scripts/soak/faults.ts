import { setTimeout as sleep } from 'node:timers/promises'
import type { Device } from './device.js'

const LONGEST_AWAY_MS = 8_000
const LONGEST_SLEEP_MS = 12_000

export type Fault = 'kill' | 'both' | 'restart' | 'sleep' | 'cut'

/** What happens to devices while they work. Each waits a random time before it makes good again what it did. */
export class Faults {
  readonly #devices: readonly Device[]
  readonly #random: () => number
  readonly #counts: Record<Fault, number> = { kill: 0, both: 0, restart: 0, sleep: 0, cut: 0 }

  constructor(devices: readonly Device[], random: () => number) {
    this.#devices = devices
    this.#random = random
  }

  get counts(): Readonly<Record<Fault, number>> {
    return this.#counts
  }

  /** @param calm - processes go on: what they hold can be compared afterwards */
  async one(calm: boolean): Promise<void> {
    const [first, second] = this.#two()
    const at = calm ? 1 : this.#random()
    if (at < 0.4) {
      this.#counts.kill++
      await first.kill()
      await this.#while(LONGEST_AWAY_MS)
      await first.start()
    } else if (at < 0.5) {
      this.#counts.both++
      await Promise.all([first.kill(), second.kill()])
      await this.#while(LONGEST_AWAY_MS)
      await Promise.all([first.start(), second.start()])
    } else if (at < 0.65) {
      this.#counts.restart++
      await first.stop()
      await this.#while(LONGEST_AWAY_MS)
      await first.start()
    } else if (at < 0.75) {
      this.#counts.sleep++
      first.sleep()
      await this.#while(LONGEST_SLEEP_MS)
      first.wake()
    } else if (first.cut()) this.#counts.cut++
  }

  #while(longestMs: number): Promise<void> {
    return sleep(this.#random() ** 2 * longestMs)
  }

  #two(): [Device, Device] {
    const at = Math.floor(this.#random() * this.#devices.length)
    return [this.#devices[at]!, this.#devices[(at + 1) % this.#devices.length]!]
  }
}
