import type { RelPath } from '../../storage/base/index.js'
import { joinRel, nameOf, parentOf } from '../../storage/base/paths.js'
import { agreedPaths } from './agreed.js'
import { isConflictCopy } from './conflict-name.js'
import {
  ENDS,
  type End,
  type Entry,
  identityKey,
  isLeaf,
  isPresent,
  otherEnd,
  type Present,
  type Row,
  sameIdentity,
  versionOf
} from './entry.js'
import { nameKey } from './names.js'
import { Forest, type Node } from './node.js'
import type { ReconcileOptions } from './options.js'
import { compareVersions, isTold } from './version.js'

/**
 * Finds out which thing of the archive became which thing at each end: by proof; then a directory all of whose content is
 * proven to have moved to one place; then by standing where it stood, in the directory it stood in wherever that is now. What is
 * left is new, and new things of one name in one directory at both ends are one.
 */
export function match(entangled: ReadonlyMap<RelPath, Row>, options: ReconcileOptions): Forest {
  const forest = new Forest()
  for (const { path, base } of entangled.values()) {
    if (base === undefined) continue
    setHolders(forest, entangled, path)
    forest.setBase(forest.newNode(), path, base)
  }
  const agreed = agreedPaths(entangled)
  for (const end of ENDS) {
    const proven = matchProven(forest, entangled, agreed, end)
    matchEmptied(forest, entangled, end, proven)
    const elsewhere = new Set(proven.values())
    for (const row of entangled.values()) matchStanding(forest, row, end, proven, elsewhere)
  }
  forest.placeUnlisted()
  joinNew(forest, options)
  noteGone(forest, entangled)
  return forest
}

/**
 * What is agreed on lay in directories, though of a run that was cut short the archive may know it and not them. They are not
 * the same everywhere, for then they would not be listed.
 */
function setHolders(forest: Forest, entangled: ReadonlyMap<RelPath, Row>, path: RelPath): void {
  const holder = parentOf(path)
  if (holder === '' || forest.findBase(holder) !== undefined) return
  setHolders(forest, entangled, holder)
  if (entangled.has(holder)) forest.setBase(forest.newNode(), holder, undefined)
}

/** path at the end -> the thing of the archive that it is */
function matchProven(
  forest: Forest,
  entangled: ReadonlyMap<RelPath, Row>,
  agreed: ReadonlySet<RelPath>,
  end: End
): Map<RelPath, Node> {
  const known = new Map<string, Node[]>()
  for (const row of entangled.values()) {
    const { path, base } = row
    const identity = base?.[end].identity
    if (identity === undefined || agreed.has(path)) continue
    const key = identityKey(identity)
    known.set(key, [...(known.get(key) ?? []), forest.findBase(path)!])
  }
  const proven = new Map<RelPath, Node>()
  if (known.size === 0) return proven
  const taken = new Set<Node>()
  // What stands where it stood goes first: two names of one file are one inode.
  for (const arrived of [false, true]) {
    for (const row of entangled.values()) {
      const entry = row[end]
      if (!isPresent(entry) || entry.identity === undefined || proven.has(row.path) || agreed.has(row.path)) continue
      const standing = sameIdentity(row.base?.[end].identity, entry.identity)
      if (standing === arrived) continue
      const node = standing
        ? forest.findBase(row.path)!
        : known.get(identityKey(entry.identity))?.find(n => !taken.has(n))
      if (node === undefined || taken.has(node) || node.base!.entry!.kind !== entry.kind) continue
      if (isCopyOf(node, row.path) && entry.kind !== 'directory') continue
      proven.set(row.path, node)
      taken.add(node)
    }
  }
  return proven
}

/**
 * A session that was cut off gave a file the name of a conflict copy and wrote down nothing of it: what stands there is a copy by
 * now and no longer what was agreed on. Followed, the copy would be one side of the same conflict once more.
 */
const isCopyOf = (node: Node, path: RelPath): boolean =>
  isConflictCopy(nameOf(path)) && !isConflictCopy(nameOf(node.base!.path))

/**
 * A directory that is gone, and all it held is proven to be in one new directory: it moved there. What was not looked at, since a
 * directory above it cannot be read, is not gone.
 */
function matchEmptied(
  forest: Forest,
  entangled: ReadonlyMap<RelPath, Row>,
  end: End,
  proven: Map<RelPath, Node>
): void {
  const placeOf = new Map<Node, RelPath>()
  for (const [path, node] of proven) placeOf.set(node, path)
  const held = new Map<RelPath, Node[]>()
  for (const { path, base } of entangled.values()) {
    if (base === undefined) continue
    const parent = parentOf(path)
    held.set(parent, [...(held.get(parent) ?? []), forest.findBase(path)!])
  }
  // Bottom-up, so that a directory in it may have been told the same way.
  for (const [path, row] of [...entangled].reverse()) {
    const node = row.base?.kind === 'directory' ? forest.findBase(path)! : undefined
    if (node === undefined || placeOf.has(node) || (row[end] !== undefined && row[end].kind !== 'gone')) continue
    if (placeNow(forest, entangled, end, placeOf, parentOf(path)) === 'unseen') continue
    const children = held.get(path) ?? []
    const targets = new Set(children.map(c => (placeOf.has(c) ? parentOf(placeOf.get(c)!) : undefined)))
    const [to] = targets
    if (targets.size !== 1 || to === undefined) continue
    const target = entangled.get(to)
    if (target?.[end]?.kind !== 'directory' || target.base !== undefined || proven.has(to)) continue
    proven.set(to, node)
    placeOf.set(node, to)
  }
}

/** Where an end has the directory now that the archive has at a path, as far as it is proven; or that it was not looked at. */
function placeNow(
  forest: Forest,
  entangled: ReadonlyMap<RelPath, Row>,
  end: End,
  placeOf: ReadonlyMap<Node, RelPath>,
  path: RelPath
): { readonly path: RelPath } | 'unseen' | undefined {
  if (path === '') return { path }
  const node = forest.findBase(path)
  const proven = node === undefined ? undefined : placeOf.get(node)
  if (proven !== undefined) return { path: proven }
  const holder = placeNow(forest, entangled, end, placeOf, parentOf(path))
  if (holder === undefined || holder === 'unseen') return holder
  const at = joinRel(holder.path, nameOf(path))
  const row = entangled.get(at)
  if (row === undefined || row[end]?.kind === 'directory') return { path: at }
  return row[end]?.kind === 'unknown' ? 'unseen' : undefined
}

function matchStanding(
  forest: Forest,
  row: Row,
  end: End,
  proven: ReadonlyMap<RelPath, Node>,
  elsewhere: ReadonlySet<Node>
): void {
  const entry = row[end]
  if (entry === undefined || entry.kind === 'gone') return
  forest.directoryAt(end, parentOf(row.path))
  const known = proven.get(row.path) ?? standing(forest, row.path, entry, end, elsewhere)
  forest.setPlace(known ?? forest.newNode(), end, { path: row.path, entry })
}

function standing(
  forest: Forest,
  path: RelPath,
  entry: Entry,
  end: End,
  elsewhere: ReadonlySet<Node>
): Node | undefined {
  const parent = forest.directoryAt(end, parentOf(path))
  if (parent.base === undefined) return undefined
  const node = forest.findBase(joinRel(parent.base.path, nameOf(path)))
  if (node === undefined || node.at[end] !== undefined || elsewhere.has(node)) return undefined
  if (entry.kind === 'unknown') return node
  const base = node.base!.entry
  if (base === undefined) return entry.kind === 'directory' ? node : undefined
  return (base.kind === 'directory') === (entry.kind === 'directory') ? node : undefined
}

/** What both ends made under one name in one directory is one thing, unless it is a directory here and something else there. */
function joinNew(forest: Forest, options: ReconcileOptions): void {
  const key = nameKey(options.source, options.destination)
  const made = new Map<string, Node[]>()
  const keyOf = (node: Node, end: End): string =>
    `${forest.parentAt(node, end).number}/${key(nameOf(node.at[end]!.path))}`
  const isNew = (node: Node, end: End): boolean =>
    node !== forest.root && node.base === undefined && node.at[end] !== undefined
  const inOrder = [...forest.nodes]
  for (const node of inOrder) {
    if (isNew(node, 'source')) made.set(keyOf(node, 'source'), [...(made.get(keyOf(node, 'source')) ?? []), node])
  }
  for (const node of inOrder) {
    if (!isNew(node, 'destination') || node.at.source !== undefined) continue
    const alike = made.get(keyOf(node, 'destination')) ?? []
    const { path, entry } = node.at.destination!
    const free = alike.filter(n => n.at.destination === undefined && isAlike(n.at.source!.entry, entry))
    const twin = free.find(n => nameOf(n.at.source!.path) === nameOf(path)) ?? free[0]
    if (twin === undefined) continue
    forest.join(twin, node, () => false)
  }
}

const isAlike = (a: Entry | undefined, b: Entry | undefined): boolean =>
  a?.kind === 'unknown' || b?.kind === 'unknown' || (a?.kind === 'directory') === (b?.kind === 'directory')

/**
 * What an end remembers of a thing that it has no more: its deletion at the path of the archive, or under the name that the
 * other end has it by, if that name came here before and the thing was deleted under it. What took its name has seen what was there
 * before: a file that has seen the directory tells that the directory is gone (what was in it is asked for itself), and whatever has
 * not seen the other end's thing tells that this one was not deleted. That a file is gone, no directory tells: only the archive does.
 */
function noteGone(forest: Forest, entangled: ReadonlyMap<RelPath, Row>): void {
  for (const node of forest.nodes) {
    for (const end of ENDS) {
      if (node.at[end] !== undefined) continue
      const other = node.at[otherEnd(end)]
      for (const path of [node.base?.path, other?.path]) {
        const entry = path === undefined ? undefined : entangled.get(path)?.[end]
        const order = compareVersions(versionOf(entry), versionOf(other?.entry))
        if (entry?.kind === 'gone' && (order === 'newer' || node.gone[end] === undefined)) node.gone[end] = entry
        else if (
          isPresent(entry) &&
          isTold(entry.version) &&
          isOtherKind(node, entry) &&
          (node.isDirectory || order !== 'newer')
        )
          node.gone[end] = { kind: 'gone', version: entry.version! }
      }
    }
  }
}

const isOtherKind = (node: Node, entry: Present): boolean => node.isDirectory === isLeaf(entry)
