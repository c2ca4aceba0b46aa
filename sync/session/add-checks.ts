/** What a new sync must not be. */
import { type AbortOptions, displayPath, isWithin, SpacedriveError } from '../../storage/base/index.js'
import { AREA_NAME, isTempName } from '../../storage/files/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import type { Sync, SyncEnd } from './record.js'
import type { EndComponents } from './roots.js'

const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._ -]{0,63}$/u

/** @throws {SpacedriveError} BAD_NAME, SYNC_EXISTS */
export function ensureName(name: string, others: readonly Sync[]): void {
  if (!NAME.test(name)) {
    throw new SpacedriveError('BAD_NAME', `could not add a sync ${JSON.stringify(name)}: that is no name for one`, {
      hint: 'Use letters, digits, blanks, dots, dashes and underscores, 64 at most, beginning with a letter or digit.'
    })
  }
  if (others.some(s => s.name === name)) {
    throw new SpacedriveError('SYNC_EXISTS', `there is a sync ${name} already`, {
      hint: 'Choose another name, or `sync remove` that one: files stay.'
    })
  }
}

/** Neither in one another, nor within (or around) a folder of another sync, nor in a place of ours. @throws {SpacedriveError} ENDS_OVERLAP, OURS */
export function ensureApart(source: Place, destination: Place, others: readonly Sync[]): void {
  for (const { path } of [source, destination])
    if (path.split('/').some(name => name === AREA_NAME || isTempName(name))) {
      throw new SpacedriveError('OURS', `could not add a sync: ${displayPath(path)} belongs to this program`, {
        hint: 'Choose a folder of your own files.'
      })
    }
  if (source.device === destination.device && source.path === destination.path) {
    throw new SpacedriveError('ENDS_OVERLAP', `could not add a sync: both ends are ${displayPath(source.path)}`, {
      hint: 'Name two folders.'
    })
  }
  if (overlap(source, destination)) {
    throw new SpacedriveError(
      'ENDS_OVERLAP',
      `could not add a sync: ${displayPath(source.path)} and ${displayPath(destination.path)} lie in one another`,
      { hint: 'Name two folders of which none holds the other.' }
    )
  }
  for (const sync of others)
    for (const theirs of ENDS.map(end => sync[end]))
      for (const mine of [source, destination])
        if (theirs.path !== mine.path && overlap(theirs, mine)) {
          throw new SpacedriveError(
            'ENDS_OVERLAP',
            `could not add a sync: ${displayPath(mine.path)} overlaps ${displayPath(theirs.path)} of the sync ${sync.name}`,
            { hint: 'Two syncs may share a folder, but none may lie within that of another.' }
          )
        }
}

type Place = Pick<SyncEnd, 'device' | 'path'>

const overlap = (a: Place, b: Place): boolean =>
  a.device === b.device && (isWithin(a.path, b.path) || isWithin(b.path, a.path))

/** A folder that was copied with its `.spacedrive` would pass for the other one. @throws {SpacedriveError} SAME_ROOT */
export async function ensureNoCopy(
  { open }: Pick<EndComponents, 'open'>,
  ends: Readonly<Record<End, SyncEnd>>,
  options: AbortOptions
): Promise<void> {
  const [one, other] = await Promise.all(
    ENDS.map(async end => {
      const endpoint = await open(ends[end].path, options)
      try {
        return (await endpoint.local?.marker(options))?.root
      } finally {
        await endpoint.close()
      }
    })
  )
  if (one === undefined || one !== other) return
  const [a, b] = [displayPath(ends.source.path), displayPath(ends.destination.path)]
  throw new SpacedriveError('SAME_ROOT', `could not add a sync: ${a} and ${b} bear the same marker`, {
    hint: 'One is a copy of the other, made with its `.spacedrive`. Remove that folder from the copy (with the versions in it).'
  })
}
