import type { RelPath } from '../../storage/base/index.js'
import { parentOf } from '../../storage/base/paths.js'
import { ENDS, type End, isDirectory, isLeaf, isPresent, type Row, sameContent, sameIdentity } from './entry.js'

type Entangled = ReadonlyMap<RelPath, Row>

/**
 * Where both ends show the same under one name, that is agreed whatever the inodes say: so a session leaves things that was cut off
 * before its archive was written. The inodes may say that one came from elsewhere; followed, they would bring back what was settled,
 * or let two files or two folders of one content change places round a ring of devices for ever.
 *
 * A directory is agreed with all that it holds. A file whose content was agreed on there already is so only where its directories
 * are where they were, or are agreed: else it may be what left a directory that goes elsewhere.
 */
export function agreedPaths(entangled: Entangled): ReadonlySet<RelPath> {
  const agreed = new Set<RelPath>()
  const different = differentBelow(entangled)
  for (const [path, row] of entangled) {
    if (isDirectory(row.source) && isDirectory(row.destination)) {
      if (!different.has(path)) agreed.add(path)
    } else if (isSameLeaf(row) && (isNew(row) || standsIn(entangled, agreed, path))) agreed.add(path)
  }
  return agreed
}

/** Directories in which something is not alike at both ends. */
function differentBelow(entangled: Entangled): ReadonlySet<RelPath> {
  const different = new Set<RelPath>()
  for (const [path, row] of entangled) {
    if (isAlike(row)) continue
    for (let at = parentOf(path); at !== '' && !different.has(at); at = parentOf(at)) different.add(at)
  }
  return different
}

function isAlike({ source, destination }: Row): boolean {
  if (source?.kind === 'unknown' || destination?.kind === 'unknown') return false
  if (!isPresent(source) || !isPresent(destination)) return isPresent(source) === isPresent(destination)
  return sameContent(source, destination)
}

const isSameLeaf = ({ source, destination }: Row): boolean =>
  isLeaf(source) && isLeaf(destination) && sameContent(source, destination)

const isNew = ({ base, source }: Row): boolean => base === undefined || !isLeaf(source) || !sameContent(base, source)

function standsIn(entangled: Entangled, agreed: ReadonlySet<RelPath>, path: RelPath): boolean {
  for (let at = parentOf(path); at !== ''; at = parentOf(at)) {
    const row = entangled.get(at)
    if (row !== undefined && !agreed.has(at) && ENDS.some(end => !isWhereItWas(row, end))) return false
  }
  return true
}

function isWhereItWas({ base, ...row }: Row, end: End): boolean {
  const entry = row[end]
  if (base?.kind !== 'directory' || entry?.kind !== 'directory') return false
  const then = base[end].identity
  return then === undefined || entry.identity === undefined || sameIdentity(then, entry.identity)
}
