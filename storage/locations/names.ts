import { type AbsPath, displayPath, nameOf, type RelPath, SpacedriveError } from '../base/index.js'
import { MAX_NAME_LENGTH } from './limits.js'
import type { Location } from './location.js'

export function alreadyThere(path: AbsPath, { id, name }: Location): SpacedriveError {
  return new SpacedriveError(
    'LOCATION_EXISTS',
    `could not add ${displayPath(path)}: it is the location ${name} already`,
    {
      hint: '`location rescan` looks at it again, `location update` changes how it is indexed.',
      details: { location: id }
    }
  )
}

export function defaultName(path: AbsPath): string {
  return displayPath(nameOf(path as string as RelPath)) || '/'
}

export function checkName(name: string): string {
  const clean = displayPath(name.trim()).replaceAll('\\\\', '\\')
  if (clean === '' || clean.length > MAX_NAME_LENGTH) {
    throw new SpacedriveError('USAGE', `a location's name has 1 to ${MAX_NAME_LENGTH} letters`)
  }
  return clean
}

export function isIdPart(which: string, id: string): boolean {
  return which.length >= 8 && (id.startsWith(which) || id.endsWith(which))
}

export function offline({ name }: Location, why: string): SpacedriveError {
  return new SpacedriveError('LOCATION_OFFLINE', `the location ${name} is offline: ${why}`, {
    hint: 'Its entries are kept. It goes on by itself when the folder is back; `location remove` takes it out for good.'
  })
}
