import type { FileName } from '../base/index.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import { freeNames } from './free-name.js'
import { TEMP_PREFIX } from './ours.js'

/** The source of a move between its two looks: its name so far follows, so that after a crash it can get that back. */
const AWAY_PREFIX = `${TEMP_PREFIX}away-`

/** A free name for it in its directory; the end of a very long one is cut off. */
export function freeAwayName(disk: Disk, dir: DirHandle, name: string): string {
  for (const away of freeNames(awayName(name), true)) if (findStat(disk, dir, away) === undefined) return away
  throw new Error('unreachable: free names do not end')
}

/** The one that it has unless that was taken. */
export function awayName(name: string): FileName {
  const characters = Array.from(name)
  while (Buffer.byteLength(characters.join('')) > MAX_PLAIN_BYTES) characters.pop()
  return `${AWAY_PREFIX}${characters.join('')}` as FileName
}

/** Undefined for a name that is none of these. */
export function nameBeforeAway(away: string): FileName | undefined {
  return away.startsWith(AWAY_PREFIX) && away.length > AWAY_PREFIX.length
    ? (away.slice(AWAY_PREFIX.length) as FileName)
    : undefined
}

/** A name that is not UTF-8 takes two more bytes for each odd one here than on the disk: nothing to be exact about. */
const MAX_PLAIN_BYTES = 255 - Buffer.byteLength(AWAY_PREFIX)
