import type { AbsPath, EventBus } from '../base/index.js'
import type { Volume } from './volume.js'
import type { Volumes } from './volume-service.js'

/** Paths of which it is known. */
const MAX_REMEMBERED = 1_000

/**
 * `volumeOf` for those who ask about the same few folders again and again: asking the system takes several milliseconds, now and
 * then a program of its own. What was told holds until something is mounted or unmounted, which is noticed within two seconds: not
 * for those to whom it matters whether a disk is still the one it was.
 */
export function remembered(volumes: Pick<Volumes, 'volumeOf'>, events: EventBus): Pick<Volumes, 'volumeOf'> {
  const known = new Map<AbsPath, Promise<Volume | undefined>>()
  const forget = (): void => known.clear()
  for (const type of ['volume:added', 'volume:removed', 'volume:changed'] as const) events.on(type, forget)
  return {
    volumeOf(path) {
      const found = known.get(path) ?? volumes.volumeOf(path)
      if (known.size >= MAX_REMEMBERED) forget()
      known.set(path, found)
      found.catch(() => known.delete(path))
      return found
    }
  }
}
