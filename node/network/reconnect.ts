import { TokenBucket } from '../../protocols/wire/index.js'
import type { Clock, DeviceId, Random } from '../../storage/base/index.js'
import { DISCOVERY_DIALS_PER_MINUTE, RECONNECT_FIRST_MS, RECONNECT_LAST_MS } from './limits.js'

export interface ReconnectInit {
  readonly clock: Clock
  readonly random: Random
  /** One attempt: true when the device is connected. Must not throw. */
  attempt(device: DeviceId): Promise<boolean>
}

/**
 * The loop for each device that should be connected and is not: an attempt, then a wait of 1 s that doubles up to 60 s,
 * each shortened at random by up to half so that two devices do not keep meeting. `wake` begins anew at once.
 */
export interface Reconnect {
  /** Begins to try, at once or after `delayMs`; does nothing when it already does. */
  want(device: DeviceId, delayMs?: number): void
  /** It is connected, revoked or the network stops. */
  release(device: DeviceId): void
  /**
   * @param reason - `discovered` is caused by somebody on the LAN and so is limited to 4 in a minute; `network` and `asked`
   *   are ours
   */
  wake(device: DeviceId, reason: 'discovered' | 'network' | 'asked'): void
  wakeAll(): void
  stop(): void
}

interface Loop {
  delayMs: number
  running: boolean
  again: boolean
  timer: { clear(): void } | undefined
}

export function reconnect({ clock, random, attempt }: ReconnectInit): Reconnect {
  const loops = new Map<DeviceId, Loop>()
  const discovered = new Map<DeviceId, TokenBucket>()

  async function run(device: DeviceId, loop: Loop): Promise<void> {
    loop.timer?.clear()
    if (loop.running) {
      loop.again = true
      return
    }
    loop.running = true
    loop.again = false
    const connected = await attempt(device)
    loop.running = false
    if (loops.get(device) !== loop) return
    if (connected) {
      loops.delete(device)
      return
    }
    if (loop.again) {
      void run(device, loop)
      return
    }
    const waitMs = loop.delayMs * (1 - random.float() / 2)
    loop.delayMs = Math.min(RECONNECT_LAST_MS, loop.delayMs * 2)
    loop.timer = clock.timer(() => void run(device, loop), waitMs)
  }

  function wakeNow(device: DeviceId, loop: Loop): void {
    loop.delayMs = RECONNECT_FIRST_MS
    void run(device, loop)
  }

  return {
    want(device, delayMs = 0) {
      if (loops.has(device)) return
      const loop: Loop = { delayMs: RECONNECT_FIRST_MS, running: false, again: false, timer: undefined }
      loops.set(device, loop)
      if (delayMs === 0) void run(device, loop)
      else loop.timer = clock.timer(() => void run(device, loop), delayMs)
    },
    release(device) {
      loops.get(device)?.timer?.clear()
      loops.delete(device)
    },
    wake(device, reason) {
      const loop = loops.get(device)
      if (loop === undefined) return
      if (reason === 'discovered') {
        const perSecond = DISCOVERY_DIALS_PER_MINUTE / 60
        const bucket =
          discovered.get(device) ?? new TokenBucket(perSecond, DISCOVERY_DIALS_PER_MINUTE, () => clock.monotonicMs())
        discovered.set(device, bucket)
        if (!bucket.take()) return
      }
      wakeNow(device, loop)
    },
    wakeAll() {
      for (const [device, loop] of loops) wakeNow(device, loop)
    },
    stop() {
      for (const loop of loops.values()) loop.timer?.clear()
      loops.clear()
    }
  }
}
