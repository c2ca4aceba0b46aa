import { SpacedriveError } from '../base/index.js'
import type { IndexRules } from '../indexer/index.js'
import { MAX_EXTENSIONS, MAX_IGNORE_PATTERNS } from './limits.js'
import type { LocationChanges } from './location.js'

/** Rules with changes taken in: what is null goes. @throws {SpacedriveError} LOCATION_RULES, naming the rule */
export function changeRules(rules: IndexRules, changes: NonNullable<LocationChanges['rules']>): IndexRules {
  const merged: Record<string, unknown> = { ...rules }
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) continue
    if (value === null) delete merged[name]
    else merged[name] = value
  }
  const { maxSizeBytes, extensions, ignore } = merged as unknown as IndexRules
  if (maxSizeBytes !== undefined && !(Number.isSafeInteger(maxSizeBytes) && maxSizeBytes > 0)) {
    throw refused('the largest size', 'it is not a whole number of bytes above 0')
  }
  if (extensions !== undefined) merged.extensions = extensions.map(cleanExtension)
  if ((extensions?.length ?? 0) > MAX_EXTENSIONS) throw refused('extensions', `there are more than ${MAX_EXTENSIONS}`)
  if (ignore.length > MAX_IGNORE_PATTERNS) throw refused('patterns', `there are more than ${MAX_IGNORE_PATTERNS}`)
  for (const pattern of ignore) {
    if (pattern.trim() === '' || pattern.includes('\n') || pattern.includes('\0'))
      throw refused('patterns', 'one is empty or has a line break')
  }
  return merged as unknown as IndexRules
}

/** `JPG`, `.jpg` and `*.jpg` are what people type. */
function cleanExtension(text: string): string {
  const clean = text
    .trim()
    .replace(/^\*?\./, '')
    .toLowerCase()
  if (clean === '' || /[/\s*?\0]/.test(clean)) throw refused('extensions', `"${text}" is none`)
  return clean
}

function refused(what: string, why: string): SpacedriveError {
  return new SpacedriveError('LOCATION_RULES', `could not take the rules for ${what}: ${why}`)
}
