import {
  type ArchiveEntry,
  type End,
  type Entry,
  isPresent,
  otherEnd,
  type Present,
  sameContent,
  versionOf
} from './entry.js'
import type { ReconcileOptions } from './options.js'
import { compareVersions, isTold } from './version.js'

/**
 * What should become of one thing, wherever it lies.
 * - `same`: both hold the same content. `source`, `destination`: what that end holds is right for both. `neither`: it goes.
 * - `apart`: each end keeps what it has, and nobody follows it. `conflict`: two edits, neither of which saw the other.
 * - `leave`: something about it is unknown; nothing is done.
 */
export type Verdict = 'same' | 'source' | 'destination' | 'neither' | 'apart' | 'conflict' | 'leave'

export interface Thing {
  readonly base?: ArchiveEntry | undefined
  readonly source?: Entry | undefined
  readonly destination?: Entry | undefined
}

/** The first table of SYNC.md 2 for one thing. `moved`: it has another path at that end than when both agreed. */
export function decide(
  thing: Thing,
  options: ReconcileOptions,
  moved: Readonly<Record<End, boolean>> = UNMOVED
): Verdict {
  if (thing.source?.kind === 'unknown' || thing.destination?.kind === 'unknown') return 'leave'
  const { base, source, destination } = thing
  if (isPresent(source) && isPresent(destination) && sameContent(source, destination)) return 'same'
  // It stays there for what is unknown in it, which need not have been listed.
  if (base?.keptAt !== undefined && isPresent(thing[base.keptAt]) && !isPresent(thing[otherEnd(base.keptAt)]))
    return 'apart'
  if (options.mode !== 'bidirectional') return oneWay(thing, options, moved.destination)
  if (!isPresent(source)) {
    return isPresent(destination) ? survivor(thing, 'destination', options, moved.destination) : 'neither'
  }
  if (!isPresent(destination)) return survivor(thing, 'source', options, moved.source)
  // Without an archive nothing says that a version was not made by a disk put back to yesterday.
  const order = options.archive ? compareVersions(source.version, destination.version) : 'apart'
  if (order === 'newer') return 'source'
  if (order === 'older') return 'destination'
  // Two pairs of a ring decided otherwise: the archives contradict one another, and would do so for ever.
  if (order === 'equal') return 'conflict'
  if (base !== undefined && sameContent(source, base)) return 'destination'
  if (base !== undefined && sameContent(destination, base)) return 'source'
  return 'conflict'
}

function oneWay({ base, source, destination }: Thing, options: ReconcileOptions, moved: boolean): Verdict {
  if (isPresent(source)) return 'source'
  if (!isPresent(destination)) return 'neither'
  switch (options.mode) {
    case 'mirror':
      return (!options.archive && options.sourceEmpty === true) || (base === undefined && options.union === true)
        ? 'apart'
        : 'neither'
    case 'backup':
      return base !== undefined && !moved ? 'neither' : 'apart'
    default:
      return 'apart'
  }
}

/**
 * Both ways: only one end has it. Where both versions are known, a deletion takes away what it has seen, and nothing else: no archive
 * is asked, for that of another pair might tell otherwise, and the two would contradict one another for ever.
 */
function survivor(thing: Thing, end: End, options: ReconcileOptions, moved: boolean): Verdict {
  const there = thing[end] as Present
  const deletion = versionOf(thing[otherEnd(end)])
  if (options.archive && isTold(there.version) && isTold(deletion)) {
    const order = compareVersions(there.version, deletion)
    return order === 'newer' || order === 'apart' ? end : 'neither'
  }
  const edited = thing.base === undefined || moved || !sameContent(there, thing.base)
  return edited ? end : 'neither'
}

const UNMOVED = { source: false, destination: false } as const
