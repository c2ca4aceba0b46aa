import type { DeviceId } from '../../storage/base/index.js'
import type { KindHandlers } from './handlers.js'

export const PRESENCE = 'presence'

/** What a device last said of itself; `stopping` tells an orderly end from a lost connection. */
export interface Presence {
  readonly state: 'available' | 'stopping'
  /** Our clock, when it said so. */
  readonly atMs: number
}

/** What connected devices said of themselves, in memory only. */
export class PresenceTable {
  readonly #nowMs: () => number
  readonly #byDevice = new Map<DeviceId, Presence>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  of(device: DeviceId): Presence | undefined {
    return this.#byDevice.get(device)
  }

  forget(device: DeviceId): void {
    this.#byDevice.delete(device)
  }

  readonly handlers: KindHandlers = {
    notification: (body, device) => {
      const state = (body as { state?: unknown } | null)?.state
      if (state === 'available' || state === 'stopping') this.#byDevice.set(device, { state, atMs: this.#nowMs() })
    }
  }
}
