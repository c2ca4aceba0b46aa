import { displayPath, isWithin, SpacedriveError } from '../base/index.js'
import { isIdPart } from './names.js'
import type { LocationRuntime } from './runtime.js'

/** The one that is meant by an id, part of one, name or path. @throws LOCATION_NOT_FOUND, AMBIGUOUS */
export function findRuntime(all: readonly LocationRuntime[], which: string): LocationRuntime {
  const exact = all.filter(r => r.record.id === which || r.path === which)
  const fits =
    exact.length > 0 ? exact : all.filter(r => r.record.location.name === which || isIdPart(which, r.record.id))
  const [found] = fits
  if (found !== undefined && fits.length === 1) return found
  if (found === undefined) {
    throw new SpacedriveError('LOCATION_NOT_FOUND', `there is no location ${displayPath(which)}`, {
      hint: '`location list` shows those of the open libraries.'
    })
  }
  throw new SpacedriveError('AMBIGUOUS', `several locations are called ${displayPath(which)}`, {
    hint: `Say which by its id: ${fits.map(r => `${r.record.id} (${displayPath(r.path)})`).join(', ')}.`
  })
}

/** The nearest location around one that is watched: it sees what happens there. */
export function outerOf(runtime: LocationRuntime, all: Iterable<LocationRuntime>): LocationRuntime | undefined {
  let nearest: LocationRuntime | undefined
  for (const other of all) {
    if (other === runtime || other.record.library !== runtime.record.library || !other.isWatching) continue
    if (!isWithin(runtime.path, other.path) || other.path === runtime.path) continue
    if (nearest === undefined || other.path.length > nearest.path.length) nearest = other
  }
  return nearest
}
