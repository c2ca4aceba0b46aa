import { type AbortOptions, type Clock, deadline, type EventBus, raceSignal } from '../../storage/base/index.js'
import { type FarEnds, WAIT_FOR_DEVICE_MS } from './far-ends.js'
import { farEnd, type Sync } from './record.js'

/** Waits a while until the device at the other end is connected, or says that it knows this one no longer. Never fails: the session says so in its words. */
export async function waitForDevice(
  { far, events }: { readonly events: EventBus; far?(): FarEnds | undefined },
  sync: Sync,
  { signal }: AbortOptions
): Promise<void> {
  const way = far?.()
  const device = farEnd(sync)?.device
  if (device === undefined || way === undefined || way.isConnected(device) || way.refuses(device)) return
  const limit = deadline(WAIT_FOR_DEVICE_MS, 'waiting for the other device', signal)
  const refused = new AbortController()
  const off = events.on('device:troubled', event => {
    if (event.device === device && way.refuses(device)) refused.abort()
  })
  const coming = way.whenConnected(device, { signal: limit.signal })
  await raceSignal(coming, refused.signal).catch(() => {})
  off()
  limit.clear()
}

/** A device that is connected and does not answer is asked again after so long. */
const ASK_AGAIN_MS = 1_000

/**
 * Waits as long as it takes until the device at the other end can be asked again, or there is nothing to wait for: it says that it knows this
 * one no longer. @throws `signal.reason`; what `find` throws: the sync is no more
 */
export async function whenThere(
  init: { readonly events: EventBus; readonly clock: Clock; far?(): FarEnds | undefined },
  find: () => Sync,
  { signal }: AbortOptions
): Promise<void> {
  await raceSignal(new Promise<void>(resolve => init.clock.timer(() => resolve(), ASK_AGAIN_MS)), signal)
  for (;;) {
    const sync = find()
    const way = init.far?.()
    const device = farEnd(sync)?.device
    if (device === undefined || way?.isConnected(device) === true || way?.refuses(device) === true) return
    await waitForDevice(init, sync, { signal })
    signal?.throwIfAborted()
  }
}
