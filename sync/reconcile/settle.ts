import type { RelPath } from '../../storage/base/index.js'
import type { Arrangement } from './arrange.js'
import { ENDS, type End, type Trace } from './entry.js'
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
  const split = new Set(
    c.forest.nodes.filter(n => n.one !== n && ENDS.some(e => n.want[e] !== undefined)).map(n => n.one)
  )
  for (const node of c.forest.nodes) {
    if (node === c.forest.root || node.unlisted) continue
    if (node.formerBase !== undefined) yield forget(node.formerBase, removalsOf(node, arranged))
    if (node.one !== node) continue
    if (split.has(node)) {
      // A directory that moved, and at one end stays under its old name as well: it is agreed on when that is cleared up.
      for (const path of new Set([node.base?.path ?? node.path, node.path]))
        yield { row: 'unsettled', path, why: 'conflict' }
      continue
    }
    if (node.held !== undefined) yield* heldRow(c, node)
    else for (const settle of settlesOf(c, node, arranged, setBy)) yield { row: 'settle', settle }
  }
}

/** What is held stays agreed on at its path, although the directory it was in has another by now. */
function* stayInArchive({ base }: Node): Generator<PlanRow> {
  if (base?.entry === undefined) return
  const { path, entry } = base
  yield forget(path, [])
  const shown = { source: { now: entry.source }, destination: { now: entry.destination } }
  const kept = entry.keptAt === undefined ? {} : { keptAt: entry.keptAt }
  yield { row: 'settle', settle: { kind: 'put', path, what: entry, ...shown, ...kept, needs: [] } }
}

function hasMovedAbove(c: Case, node: Node): boolean {
  if (node.base?.entry === undefined) return false
  // Two directories that became one may stand above one another in the archive.
  const seen = new Set<Node>([c.forest.root])
  for (let at = c.forest.baseParent(node); !seen.has(at); at = c.forest.baseParent(at)) {
    seen.add(at)
    if (at.base === undefined) return false
    if (ENDS.some(e => at.want[e] !== undefined && wantedPath(c, at, e) !== at.base!.path)) return true
  }
  return false
}

function* heldRow(c: Case, node: Node): Generator<PlanRow> {
  const held = node.held!
  const { path } = node
  if (held.why === 'unknown' && isIgnored(c, node)) {
    // What becomes ignored leaves the archive; should it be looked at again, it is new.
    if (node.base !== undefined) yield forget(node.base.path, [])
    return
  }
  if (hasMovedAbove(c, node)) yield* stayInArchive(node)
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
  setBy: Readonly<Record<End, ReadonlyMap<Node, number>>>
): Settle[] {
  const { base } = node
  const wanted = ENDS.filter(e => node.want[e] !== undefined)
  const basePath = base?.entry === undefined ? undefined : base.path
  if (node.apart || node.dropped || wanted.length < 2) {
    const [kept] = wanted
    if (
      kept !== undefined &&
      !node.dropped &&
      node.isDirectory &&
      (c.options.mode === 'bidirectional' || c.options.mode === 'mirror')
    ) {
      return keptSettle(c, node, kept)
    }
    return basePath === undefined ? [] : [{ kind: 'forget', path: basePath, needs: removalsOf(node, arranged) }]
  }
  const path = wantedPath(c, node, 'destination')
  const needs = [...new Set(ENDS.flatMap(e => arranged[e]?.needsOf(node) ?? []))]
  const settles: Settle[] = []
  if (basePath !== undefined && basePath !== path) settles.push({ kind: 'move', path: basePath, to: path, needs })
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
