import type { End } from './entry.js'
import type { ReconcileOptions } from './options.js'
import { aheadOf, type Version } from './version.js'

/**
 * The device that made a content: whose changes it has seen and the other content has not. Told by versions, so that every
 * device that meets the conflict names the same; without them it is the device that holds it.
 */
export function makerOf(
  mine: Version | undefined,
  other: Version | undefined,
  end: End,
  { replicas, devices }: ReconcileOptions
): string {
  for (const replica of aheadOf(mine, other)) {
    const name = replicas?.get(replica)
    if (name !== undefined) return name
  }
  return devices[end]
}
