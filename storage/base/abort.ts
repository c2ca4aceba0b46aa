import { setMaxListeners } from 'node:events'
import { SpacedriveError } from './errors.js'
import { patientTimer } from './patient-timer.js'

/** Last parameter of whatever may take long. Who is aborted rejects with `signal.reason` itself. */
export interface AbortOptions {
  signal?: AbortSignal | undefined
}

export interface LinkedSignals {
  readonly signal: AbortSignal
  /** Takes the listeners off the sources; always called in `finally`. */
  clear(): void
}

/**
 * A signal that follows the first of several. Instead of `AbortSignal.any`, which on Node 20 leaves an entry behind on a
 * long-lived signal for each call (30,000 calls left 30,000 entries).
 */
export function linkSignals(...sources: (AbortSignal | undefined)[]): LinkedSignals {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal) // many may follow one; Node warns of a leak at 11
  const undo: (() => void)[] = []
  const clear = (): void => {
    for (const off of undo.splice(0)) off()
  }
  for (const source of sources) {
    if (source === undefined) continue
    if (source.aborted) {
      controller.abort(source.reason)
      break
    }
    const listener = (): void => {
      clear()
      controller.abort(source.reason)
    }
    source.addEventListener('abort', listener, { once: true })
    undo.push(() => source.removeEventListener('abort', listener))
  }
  if (controller.signal.aborted) clear()
  return { signal: controller.signal, clear }
}

/** A deadline that can be cleared; on expiry (a `patientTimer`) it aborts with a SpacedriveError TIMEOUT that names `what`. */
export function deadline(timeoutMs: number, what: string, parent?: AbortSignal): LinkedSignals {
  const controller = new AbortController()
  const timer = patientTimer(() => {
    controller.abort(new SpacedriveError('TIMEOUT', `${what} took longer than ${timeoutMs} ms`))
  }, timeoutMs)
  const linked = linkSignals(controller.signal, parent)
  return {
    signal: linked.signal,
    clear() {
      timer.clear()
      linked.clear()
    }
  }
}

/** Waits for `promise`, but no longer than the signal lives. The promise itself is not stopped by it. */
export async function raceSignal<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return promise
  if (signal.aborted) {
    promise.catch(() => {}) // nobody waits for it any more: how it ends is no error that nobody caught
    throw signal.reason
  }
  let off = (): void => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    const listener = (): void => reject(signal.reason)
    signal.addEventListener('abort', listener, { once: true })
    off = () => signal.removeEventListener('abort', listener)
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    off()
  }
}
