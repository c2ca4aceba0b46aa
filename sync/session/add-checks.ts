/** What a new sync must not be. */
import { type AbortOptions, displayPath, isWithin, SpacedriveError, typed } from '../../storage/base/index.js'
import { AREA_NAME, isTempName } from '../../storage/files/index.js'
import { ENDS, type End, type Mode } from '../reconcile/index.js'
import type { FarEnds } from './far-ends.js'
import type { Sync, SyncEnd, SyncSpec } from './record.js'
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
export function ensureApart(source: Place, destination: Place, mode: Mode, others: readonly Sync[]): void {
  for (const { path } of [source, destination])
    if (path.split('/').some(name => name === AREA_NAME || isTempName(name))) {
      throw new SpacedriveError('OURS', `could not add a sync: ${displayPath(path)} belongs to this program`, {
        hint: 'Choose a folder of your own files.'
      })
    }
  if (isSame(source, destination)) {
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
  const against = others.find(sync => isAgainst(sync, { source, destination, mode }))
  if (against !== undefined) {
    const [a, b] = [displayPath(source.path), displayPath(destination.path)]
    throw new SpacedriveError(
      'ENDS_OVERLAP',
      `could not add a sync: ${a} and ${b} are the ends of the ${against.mode} ${against.name} already`,
      { hint: `One would take back what the other does. \`sync remove ${typed(against.name)}\` first: files stay.` }
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

/** Between the same folders the other way round, or in another mode. */
function isAgainst(sync: Sync, { source, destination, mode }: Pick<Sync, 'mode'> & Record<End, Place>): boolean {
  if (isSame(sync.source, source) && isSame(sync.destination, destination)) return sync.mode !== mode
  if (!isSame(sync.source, destination) || !isSame(sync.destination, source)) return false
  return sync.mode !== 'bidirectional' || mode !== 'bidirectional'
}

const isSame = (a: Place, b: Place): boolean => a.device === b.device && a.path === b.path

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

export const placeOf = (at: SyncSpec['source']): Pick<SyncEnd, 'device' | 'path'> =>
  typeof at === 'string' ? { device: null, path: at } : { device: at.device, path: at.path }

/** @returns the way to the other device, where an end lies there @throws {SpacedriveError} BOTH_AWAY, DEVICE_AWAY */
export function ensureReachable({ source, destination }: SyncSpec, far: FarEnds | undefined): FarEnds | undefined {
  const both = [source, destination].filter(at => typeof at !== 'string')
  if (both.length === 0) return undefined
  if (both.length === 2)
    throw new SpacedriveError('BOTH_AWAY', 'could not add a sync: one of the folders must lie on this device', {
      hint: 'Add it on one of the two devices.'
    })
  if (far !== undefined) return far
  throw new SpacedriveError('NETWORK_OFF', 'could not add a sync with another device: the network is not there')
}
