/** What a look at a tree in memory tells: of one path, of a directory, of all below it. */
import {
  comparePaths,
  displayPath,
  errorCode,
  joinRel,
  nameOf,
  type Problem,
  type RelPath,
  ROOT,
  SpacedriveError,
  toError
} from '../../../../storage/base/index.js'
import { AREA_NAME, isTempName, MARKER_NAME } from '../../../../storage/files/index.js'
import { type Looked, PAGE_ENTRIES, type TreeEntry, type WalkOptions } from '../../../../sync/endpoints/index.js'
import { directoryAt, failed, type MemoryNode, nodeAt, statOf } from './disk.js'

export interface MemoryView {
  readonly root: MemoryNode
  /** Paths that are the program's own. */
  readonly ours: readonly string[]
  /** Entries of a page; as the real ends unless given. */
  readonly pageEntries?: number | undefined
}

/** What is there, with why it is unknown; undefined: nothing. @throws LINK_IN_PATH, NO_PERMISSION */
export function entryAt({ root, ours }: MemoryView, path: RelPath): TreeEntry | undefined {
  const node = nodeAt(root, path)
  if (node === undefined) return undefined
  const stat = statOf(node)
  if (node.kind === 'symlink') return { path, stat, target: node.target }
  if (node.kind === 'other') return { path, stat, unknown: 'special' }
  const isOurs = path !== ROOT && (ours.includes(path) || isArea(path, node))
  return isOurs && node.kind === 'directory' ? { path, stat, unknown: 'ours' } : { path, stat }
}

const isArea = (path: RelPath, node: MemoryNode): boolean =>
  nameOf(path) === AREA_NAME && (node.locked || node.children.has(MARKER_NAME))

export function lookedAt(view: MemoryView, path: RelPath): Looked {
  if (isTempName(nameOf(path))) return { path }
  try {
    const entry = entryAt(view, path)
    return entry === undefined ? { path } : { path, entry }
  } catch (err) {
    return { path, problem: problemOf(path, err) }
  }
}

/** One directory. @throws MISSING, NOT_A_DIRECTORY, LINK_IN_PATH, NO_PERMISSION */
export function* listed(view: MemoryView, path: RelPath): Generator<TreeEntry> {
  const { stat } = ensureThere(view, path)
  if (stat.kind !== 'directory') throw failed('NOT_A_DIRECTORY', path, 'it is not a directory')
  for (const name of namesIn(directoryAt(view.root, path))) {
    const entry = vanishing(() => entryAt(view, joinRel(path, name)))
    if (entry !== undefined) yield entry
  }
}

/** All below a path, it first. @throws MISSING, LINK_IN_PATH, NO_PERMISSION */
export function* walked(view: MemoryView, path: RelPath, { except = [], depth }: WalkOptions): Generator<TreeEntry> {
  ensureThere(view, path)
  yield* below(view, path, new Set(except), depth ?? Number.POSITIVE_INFINITY)
}

function* below(view: MemoryView, path: RelPath, except: ReadonlySet<RelPath>, depth: number): Generator<TreeEntry> {
  const entry = vanishing(() => entryAt(view, path))
  if (entry === undefined) return
  const enters = entry.stat.kind === 'directory' && entry.unknown === undefined && depth > 0 && !except.has(path)
  if (!enters) return yield entry
  let names: string[]
  try {
    names = namesIn(directoryAt(view.root, path))
  } catch (err) {
    // Of the root itself nobody would be told.
    if (path === ROOT) throw err
    return yield { ...entry, unknown: 'unreadable', problem: problemOf(path, err) }
  }
  yield entry
  for (const name of names) yield* below(view, joinRel(path, name), except, depth - 1)
}

/** In pages, each looked at when it is asked for. */
export function* paged(entries: Iterable<TreeEntry>, size = PAGE_ENTRIES): Generator<{ entries: TreeEntry[] }> {
  let page: TreeEntry[] = []
  for (const entry of entries) {
    if (page.push(entry) < size) continue
    yield { entries: page }
    page = []
  }
  if (page.length > 0) yield { entries: page }
}

export function problemOf(path: RelPath, err: unknown): Problem {
  return { path: displayPath(path), code: errorCode(err), message: toError(err).message }
}

function ensureThere(view: MemoryView, path: RelPath): TreeEntry {
  const entry = entryAt(view, path)
  if (entry === undefined) throw failed('MISSING', path, 'it is not there')
  return entry
}

const namesIn = (dir: MemoryNode): string[] =>
  [...dir.children.keys()].filter(name => !isTempName(name)).sort(comparePaths)

/** What its directory showed a moment ago may be gone with that. */
function vanishing(look: () => TreeEntry | undefined): TreeEntry | undefined {
  try {
    return look()
  } catch (err) {
    if (err instanceof SpacedriveError && err.code === 'LINK_IN_PATH') return undefined
    throw err
  }
}
