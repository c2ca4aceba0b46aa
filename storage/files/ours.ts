import { createHash, randomUUID } from 'node:crypto'
import { isUuid } from '../base/index.js'

/** What the program puts into people's folders, and how it is told from theirs (SYNC.md 9). */

/** The area at a root: marker, staging, journal, versions. Ours only where it holds the marker. */
export const AREA_NAME = '.spacedrive'
export const MARKER_NAME = 'root.json'
/** Staging beside its target, and temporary files. Always ours, at any depth: every scan skips them. */
export const TEMP_PREFIX = '.spacedrive-tmp-'

/** True for names that are ours whatever they hold. `.spacedrive` is ours only with a marker in it: see `AREA_NAME`. */
export function isTempName(name: string): boolean {
  return name.startsWith(TEMP_PREFIX)
}

/** True for a path in a staging place or of a temporary file: nobody but this program puts anything there. */
export function isInOurs(path: string): boolean {
  return path.split('/').some(isTempName)
}

/** Whose staging it is: daemons that share a folder must not clean one another's. From the data directory's real path. */
export function ownerTag(dataDir: string): string {
  return createHash('sha256').update(dataDir).digest('hex').slice(0, OWNER_TAG_LENGTH)
}

const OWNER_TAG_LENGTH = 12
const OWNER_TAG = /^[0-9a-f]{12}$/

export function stagingName(owner: string, id: string): string {
  return `${TEMP_PREFIX}${owner}-${id}`
}

/** Takes apart what `stagingName` made; undefined for any other name. */
export function parseStagingName(name: string): { owner: string; id: string } | undefined {
  if (!isTempName(name)) return undefined
  const owner = name.slice(TEMP_PREFIX.length, TEMP_PREFIX.length + OWNER_TAG_LENGTH)
  const id = name.slice(TEMP_PREFIX.length + OWNER_TAG_LENGTH + 1)
  return OWNER_TAG.test(owner) && name[TEMP_PREFIX.length + OWNER_TAG_LENGTH] === '-' && isUuid(id)
    ? { owner, id }
    : undefined
}

const GROUP_ID = /^[0-9a-f]{8}-0001-8000-8000-[0-9a-f]{12}$/

/** A staging place for one group of steps (`FileRoot.placeGroup`) bears such an id: after a crash nobody comes back for it. */
export function newGroupId(): string {
  const random = randomUUID()
  return `${random.slice(0, 8)}-0001-8000-8000-${random.slice(-12)}`
}

export const isGroupId = (id: string): boolean => GROUP_ID.test(id)
