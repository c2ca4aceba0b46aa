import { type DeviceId, displayPath, SpacedriveError, typed } from '../../storage/base/index.js'
import type { End } from '../reconcile/index.js'
import type { Sync } from '../session/index.js'

/** What is needed of a sync to read what its ends keep; also of one that another device drives. */
export type EndsOfSync = Pick<Sync, 'name' | 'mode' | 'source' | 'destination'>

export interface Needed {
  readonly ends: readonly End[]
  /** All of them, or some. */
  readonly which: 'all' | 'some'
  /** Of a device, for people. */
  readonly nameOf: ((device: DeviceId) => string) | undefined
}

/**
 * Versions lie at the end where something was replaced or deleted; those of another device are read there.
 * @throws {SpacedriveError} KEPT_ELSEWHERE
 */
export function ensureKeptHere(sync: EndsOfSync, { ends, which, nameOf }: Needed): void {
  const there = ends.filter(end => sync[end].device !== null)
  const [first] = there
  if (first === undefined || (which === 'some' && there.length < ends.length)) return
  const { device, path } = sync[first]
  const name = (device && nameOf?.(device)) ?? 'another device'
  throw new SpacedriveError('KEPT_ELSEWHERE', `the ${first} of ${sync.name} lies on ${name}, with its versions`, {
    hint: `Ask ${name}: \`spacedrive sync versions ${typed(sync.name)}\` there shows them, \`spacedrive sync restore ${typed(sync.name)} --at TIME --to DIR\` brings them back (${displayPath(path)}).`
  })
}
