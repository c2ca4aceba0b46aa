import type { RelPath } from '../../storage/base/index.js'
import { parentOf } from '../../storage/base/paths.js'
import type { Arrangement } from './arrange.js'
import { type ArchiveEntry, ENDS, type End, type Present, type Trace } from './entry.js'
import { CARRIED_BITS } from './metadata.js'
import type { Node } from './node.js'
import type { PlanRow, Settle, Shown } from './operation.js'
import { type Case, wantedEntry, wantedPath } from './target.js'

type Arranged = Readonly<Partial<Record<End, Arrangement>>>

/** What the archive is to learn about the entangled part, and what is left for the next session. */
export function* settleNodes(
  c: Case,
  arranged: Arranged,
  setBy: Readonly<Record<End, ReadonlyMap<Node, number>>>
): Generator<PlanRow> {
  const behind = new Set<RelPath>()
  for (const node of c.forest.nodes) for (const { path } of staysBehind(c, node)) behind.add(path)
  const cleared = clearedFor(c, arranged)
  for (const node of c.forest.nodes) {
    if (node === c.forest.root || node.unlisted) continue
    // While nothing is done about either of two, both are what they were.
    const isHeld = node.held !== undefined && node.twin?.one.held !== undefined
    if (node.formerBase !== undefined && !isHeld) yield forget(node.formerBase, removalsOf(node, arranged))
    if (node.one !== node) {
      yield* stayedBehind(c, node, arranged)
      continue
    }
    if (node.held !== undefined) yield* heldRow(c, node, behind)
    else if (!isAtOnePath(c, node)) {
      // The directories that hold it are undecided.
      if (node.base?.entry !== undefined && !staysAgreed(c, node)) yield forget(node.base.path, [])
      yield { row: 'unsettled', path: node.path, why: 'conflict' }
    } else
      for (const settle of settlesOf(c, node, arranged, setBy, cleared.get(node) ?? [])) yield { row: 'settle', settle }
  }
}

/**
 * Where two became one, what is cleared away of the other: while it lies there, the archive knows neither of them by another name. By
 * its inode it would be the thing that was agreed on, and the next run would take it for moved back.
 */
function clearedFor(c: Case, arranged: Arranged): ReadonlyMap<Node, readonly number[]> {
  const cleared = new Map<Node, number[]>()
  for (const node of c.forest.nodes) {
    const removals = node.one === node ? [] : removalsOf(node, arranged)
    if (removals.length > 0) cleared.set(node.one, [...(cleared.get(node.one) ?? []), ...removals])
  }
  return cleared
}

interface Behind {
  readonly path: RelPath
  readonly end: End
  readonly now: Present
}

/** A directory became another, and what is left of it on the disk stays for what is unknown or undecided in it. */
function staysBehind(c: Case, node: Node): Behind[] {
  if (node.one === node || !node.isDirectory || !keepsAtOneEnd(c)) return []
  return ENDS.flatMap(end => {
    const now = node.present(end)
    return node.want[end] === undefined || now === undefined ? [] : [{ path: wantedPath(c, node, end), end, now }]
  })
}

function* stayedBehind(c: Case, node: Node, arranged: Arranged): Generator<PlanRow> {
  const needs = ENDS.flatMap(e => arranged[e]?.needsOf(node.one) ?? [])
  for (const { path, end, now } of staysBehind(c, node)) {
    yield { row: 'settle', settle: { kind: 'put', path, what: now, [end]: { now }, keptAt: end, needs } }
  }
}

const keepsAtOneEnd = ({ options: { mode } }: Case): boolean => mode === 'bidirectional' || mode === 'mirror'

/** What is undecided in a directory that stayed behind stays agreed on there. */
function* stayAgreed({ path, entry }: { path: RelPath; entry: ArchiveEntry }): Generator<PlanRow> {
  yield forget(path, [])
  const shown = { source: { now: entry.source }, destination: { now: entry.destination } }
  const kept = entry.keptAt === undefined ? {} : { keptAt: entry.keptAt }
  yield { row: 'settle', settle: { kind: 'put', path, what: entry, ...shown, ...kept, needs: [] } }
}

/**
 * Whether the archive knows it still, below the directory that it knew it in, whatever that is called by now. Not so when that
 * is no longer agreed on, or at an end goes elsewhere without it: then it is new when it is known again, and never deleted.
 */
function staysAgreed(c: Case, node: Node): boolean {
  if (node === c.forest.root) return true
  if (node.base === undefined) return false
  const parent = c.forest.baseParent(node)
  const isThere = parent === c.forest.root || parent.base?.path === parentOf(node.base.path)
  if (!isThere || !staysAgreed(c, parent)) return false
  const holders = ENDS.map(end => (node.at[end] === undefined ? parent : c.forest.holderAt(node, end)))
  if (holders.some(h => h !== parent && h.one === parent)) return false
  if (node.unlisted || node.held !== undefined) return true
  const wanted = ENDS.filter(end => node.want[end] !== undefined)
  if (wanted.length === 2) return !node.apart && !node.dropped
  return wanted.length === 1 && keepsAtOneEnd(c) && !node.dropped && node.isDirectory
}

const isAtOnePath = (c: Case, node: Node): boolean =>
  ENDS.some(end => node.want[end] === undefined) ||
  node.apart ||
  node.dropped ||
  wantedPath(c, node, 'source') === wantedPath(c, node, 'destination')

/** The archive will know its directory by another path. */
function hasMovedAbove(c: Case, node: Node): boolean {
  for (let at = node; at !== c.forest.root && at.base !== undefined; ) {
    at = c.forest.baseParent(at)
    if (at.held !== undefined) continue
    const end = ENDS.find(e => at.want[e] !== undefined)
    return end !== undefined && at !== c.forest.root && wantedPath(c, at, end) !== at.base?.path
  }
  return false
}

function* heldRow(c: Case, node: Node, behind: ReadonlySet<RelPath>): Generator<PlanRow> {
  const held = node.held!
  const { path } = node
  if (held.why === 'unknown' && isIgnored(c, node)) {
    // What becomes ignored leaves the archive; should it be looked at again, it is new.
    if (node.base !== undefined) yield forget(node.base.path, [])
    return
  }
  // A question that a moved directory raised must not be answered by the move being agreed on.
  const isAgreed = staysAgreed(c, node) && !(held.why === 'conflict' && hasMovedAbove(c, node))
  if (node.base?.entry !== undefined && !isAgreed) {
    const { path, entry } = node.base
    if (behind.has(parentOf(path))) yield* stayAgreed({ path, entry })
    else yield forget(path, [])
  }
  if (held.why === 'problem') {
    yield { row: 'problem', path, end: held.end!, code: held.code!, message: held.message! }
  } else yield { row: 'unsettled', path, why: held.why }
  if (node.base !== undefined && node.base.path !== path)
    yield { row: 'unsettled', path: node.base.path, why: held.why }
}

function isIgnored(c: Case, node: Node): boolean {
  for (const end of ENDS) {
    const entry = node.at[end]?.entry
    if (entry?.kind === 'unknown' && entry.reason === 'ignored') return true
    if (node.hidden[end] && node.base !== undefined && isIgnored(c, c.forest.baseParent(node))) return true
  }
  return false
}

function settlesOf(
  c: Case,
  node: Node,
  arranged: Arranged,
  setBy: Readonly<Record<End, ReadonlyMap<Node, number>>>,
  cleared: readonly number[]
): Settle[] {
  const { base } = node
  const wanted = ENDS.filter(e => node.want[e] !== undefined)
  const basePath = base?.entry === undefined ? undefined : base.path
  if (node.apart || node.dropped || wanted.length < 2) {
    const [kept] = wanted
    if (kept !== undefined && !node.dropped && node.isDirectory && keepsAtOneEnd(c)) {
      return keptSettle(c, node, kept)
    }
    return basePath === undefined ? [] : [{ kind: 'forget', path: basePath, needs: removalsOf(node, arranged) }]
  }
  const path = wantedPath(c, node, 'destination')
  const needs = [...new Set([...ENDS.flatMap(e => arranged[e]?.needsOf(node) ?? []), ...cleared])]
  const settles: Settle[] = []
  // What keeps its path while its directory goes elsewhere does not go with it.
  if (basePath !== undefined && (basePath !== path || hasMovedAbove(c, node)))
    settles.push({ kind: 'move', path: basePath, to: path, needs })
  const source = shownAt(node, 'source', arranged, setBy)
  const destination = shownAt(node, 'destination', arranged, setBy)
  const what = wantedEntry(c, node, 'destination')
  if (what === undefined || source === undefined || destination === undefined) return settles
  if (
    base?.entry !== undefined &&
    isUnchanged(base.entry.source, source) &&
    isUnchanged(base.entry.destination, destination)
  ) {
    return settles
  }
  const set = ENDS.map(e => setBy[e].get(node)).filter(id => id !== undefined)
  settles.push({ kind: 'put', path, what, source, destination, needs: [...needs, ...set] })
  return settles
}

function keptSettle(c: Case, node: Node, kept: End): Settle[] {
  const now = node.present(kept)
  if (now === undefined || node.base?.entry === undefined || node.base.entry.keptAt === kept) return []
  const path = wantedPath(c, node, kept)
  const moved: Settle[] = node.base.path === path ? [] : [{ kind: 'move', path: node.base.path, to: path, needs: [] }]
  return [...moved, { kind: 'put', path, what: now, [kept]: { now }, keptAt: kept, needs: [] }]
}

function shownAt(
  node: Node,
  end: End,
  arranged: Arranged,
  setBy: Readonly<Record<End, ReadonlyMap<Node, number>>>
): Shown | undefined {
  const by = setBy[end].get(node) ?? arranged[end]?.done.get(node)?.shownBy
  if (by !== undefined) return { by }
  const now = node.present(end)
  return now === undefined ? undefined : { now }
}

function removalsOf(node: Node, arranged: Arranged): number[] {
  return ENDS.map(e => arranged[e]?.done.get(node)?.id).filter(id => id !== undefined)
}

function isUnchanged(then: Trace, shown: Shown): boolean {
  if ('by' in shown) return false
  const { now } = shown
  const same =
    then.identity === undefined ||
    now.identity === undefined ||
    (then.identity.inode === now.identity.inode && then.identity.birthNs === now.identity.birthNs)
  const proves = (then.identity === undefined) === (now.identity === undefined)
  return then.mtimeNs === now.mtimeNs && (then.mode & CARRIED_BITS) === (now.mode & CARRIED_BITS) && same && proves
}

const forget = (path: RelPath, needs: readonly number[]): PlanRow => ({
  row: 'settle',
  settle: { kind: 'forget', path, needs }
})
