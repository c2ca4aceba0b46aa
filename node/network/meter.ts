import type { MultiaddrConnection } from '@libp2p/interface'

/** Bytes that came in on one raw connection, counted before anything else sees them. */
export interface Meter {
  readonly connection: MultiaddrConnection
  receivedBytes: number
  /** Called with the count after each chunk; set by whoever has a limit. */
  onBytes: ((receivedBytes: number) => void) | undefined
}

// A libp2p Connection shares the `timeline` object of the raw connection under it, and shows nothing else of that.
const meters = new WeakMap<object, Meter>()

/** Puts a meter on a raw connection (once). */
export function meterOf(connection: MultiaddrConnection): Meter {
  const there = meters.get(connection.timeline)
  if (there !== undefined) return there
  const meter: Meter = { connection, receivedBytes: 0, onBytes: undefined }
  meters.set(connection.timeline, meter)
  // The socket's listener calls `onData` on the connection by name; a listener for `message` here would take the bytes
  // away from the handshake that is about to begin.
  const target = connection as MultiaddrConnection & { onData(data: { byteLength: number }): void }
  const onData = target.onData.bind(connection)
  target.onData = data => {
    meter.receivedBytes += data.byteLength
    meter.onBytes?.(meter.receivedBytes)
    onData(data)
  }
  return meter
}

export function findMeter(connection: { timeline: object }): Meter | undefined {
  return meters.get(connection.timeline)
}

/**
 * Last question of the gater, in and out: is the connection still there? One that was cut while Yamux was being put on it
 * (by the guard, at the first bytes) would become a libp2p connection that never closes, and count for ever. The turn of
 * the event loop lets those first bytes be looked at.
 */
export async function endedMeanwhile(_peer: unknown, connection: MultiaddrConnection): Promise<boolean> {
  await new Promise(resolve => setImmediate(resolve))
  return connection.status !== 'open'
}
