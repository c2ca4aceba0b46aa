import { hostname } from 'node:os'
import { cleanName, MAX_NAME_GRAPHEMES, SpacedriveError } from '../../storage/base/index.js'

/** A name a person gives: refused rather than changed. @throws {SpacedriveError} BAD_NAME */
export function parseName(text: string): string {
  const clean = cleanName(text)
  if (clean !== '' && clean === text.normalize('NFC').trim()) return clean
  throw new SpacedriveError(
    'BAD_NAME',
    `a device name has 1 to ${MAX_NAME_GRAPHEMES} characters that can be shown, on one line`,
    clean === '' ? {} : { hint: `For example: ${clean}` }
  )
}

/** The host's name without its domain. */
export function hostName(): string {
  return cleanName(hostname().split('.')[0] ?? '') || 'device'
}

/** The name of an instance, from that of its data directory (`instance-NAME`). */
export function instanceNameOf(directory: string): string | undefined {
  return /^instance-([a-z0-9][a-z0-9_-]{0,31})$/.exec(directory)?.[1]
}
