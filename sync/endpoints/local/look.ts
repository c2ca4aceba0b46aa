import {
  type AbsPath,
  displayPath,
  errorCode,
  hasCode,
  joinRel,
  nameOf,
  type Problem,
  pathBytes,
  type RelPath,
  resolveRel,
  toError
} from '../../../storage/base/index.js'
import {
  AREA_NAME,
  type EntryStat,
  isFatal,
  isTempName,
  MARKER_NAME,
  type TreeReader
} from '../../../storage/files/index.js'
import type { Looked, TreeEntry, UnknownReason } from '../entry.js'

/** How this end looks at names: what is ours, and what lies elsewhere. */
export interface LookRules {
  readonly root: AbsPath
  readonly device: bigint
  /** Absolute paths that are ours: data directories, open libraries. */
  readonly ours: readonly string[]
  /** Each `.spacedrive` is ours, also one without a marker: see `LocalEndpointInit`. */
  readonly allAreas: boolean
  /** What is mounted below the root counts like the rest. */
  readonly otherFileSystems: boolean
}

const NO_STAT: EntryStat = {
  ...{ kind: 'other', sizeBytes: 0, mtimeNs: 0n, ctimeNs: 0n, birthNs: 0n, device: 0n, inode: 0n, mount: 0n },
  ...{ mode: 0, links: 0, uid: 0 }
}

/** What is at a path whose directory shows its name. undefined: it vanished. */
export function entryAt(reader: TreeReader, path: RelPath, rules: LookRules): TreeEntry | undefined {
  try {
    const stat = reader.look(path)
    if (stat === undefined) return undefined
    if (stat.kind === 'symlink' && path !== '') return { path, stat, target: reader.link(path) }
    const unknown = reasonFor(reader, path, stat, rules)
    return unknown === undefined ? { path, stat } : { path, stat, unknown }
  } catch (err) {
    if (isFatal(err)) throw err
    if (hasCode(err, 'MISSING')) return undefined
    // A link that became something else between look and readlink.
    if (hasCode(err, 'NAME_REFUSED')) return entryAt(reader, path, rules)
    return { path, stat: NO_STAT, unknown: 'unreadable', problem: problemOf(path, err) }
  }
}

/** The same for a path that nobody has seen in a listing. */
export function lookedAt(reader: TreeReader, path: RelPath, rules: LookRules): Looked {
  try {
    if (isTempName(nameOf(path))) return { path }
    if (reader.look(path) === undefined) return { path }
    const entry = entryAt(reader, path, rules)
    return entry === undefined ? { path } : { path, entry }
  } catch (err) {
    if (isFatal(err)) throw err
    return { path, problem: problemOf(path, err) }
  }
}

function reasonFor(reader: TreeReader, path: RelPath, stat: EntryStat, rules: LookRules): UnknownReason | undefined {
  if (stat.kind === 'other') return 'special'
  if (stat.device !== rules.device && !rules.otherFileSystems) return 'other-file-system'
  if (stat.kind !== 'directory' || path === '') return undefined
  if (isLostAndFound(path, stat)) return 'file-system'
  if (rules.ours.includes(resolveRel(rules.root, path))) return 'ours'
  if (nameOf(path) !== AREA_NAME) return undefined
  return rules.allAreas || hasMarker(reader, path) ? 'ours' : undefined
}

/** The first inode of ext2, ext3 and ext4 that is not reserved. */
const LOST_AND_FOUND_INODE = 11n

/**
 * `lost+found` at the top of an ext file system, made with it and root's alone: each disk has its own, so it is no extra that a mirror
 * deletes, and nothing that every run fails to read. A folder of that name that a person made has another inode.
 */
const isLostAndFound = (path: RelPath, { inode, uid }: EntryStat): boolean =>
  inode === LOST_AND_FOUND_INODE && uid === 0 && nameOf(path) === 'lost+found'

/** `.spacedrive` is ours where it holds the marker, whoever may read it. */
function hasMarker(reader: TreeReader, path: RelPath): boolean {
  try {
    return reader.look(joinRel(path, MARKER_NAME)) !== undefined
  } catch (err) {
    if (isFatal(err)) throw err
    return true
  }
}

/** Names in byte order, without what is never shown. */
export function shownNames(names: string[]): string[] {
  const shown = names.some(isTempName) ? names.filter(name => !isTempName(name)) : names
  // Below the surrogates, UTF-16 sorts as UTF-8 does.
  if (!shown.some(name => HIGH.test(name))) return shown.sort()
  return shown
    .map(name => ({ name, bytes: pathBytes(name) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ name }) => name)
}

const HIGH = /[\ud800-\uffff]/

export function problemOf(path: RelPath, err: unknown): Problem {
  return { path: displayPath(path), code: errorCode(err), message: toError(err).message }
}
