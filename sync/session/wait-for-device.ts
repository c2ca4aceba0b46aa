import { type AbortOptions, deadline, type EventBus, raceSignal } from '../../storage/base/index.js'
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
