import type { RelPath } from '../../storage/base/index.js'
import { joinRel } from '../../storage/base/paths.js'
import { joinAt } from './collide.js'
import { conflictNames, isConflictCopy } from './conflict-name.js'
import { ENDS, type End, isLeaf, isPresent, type Leaf, sameContent } from './entry.js'
import { makerOf } from './maker.js'
import { agreeMetadata, type Metadata, sameTime } from './metadata.js'
import type { Node } from './node.js'
import type { ReconcileOptions } from './options.js'
import { type Case, hold, locationAt, wantedEntry, wantedPath } from './target.js'
import { compareVersions } from './version.js'

type Taken = (parent: Node, name: string) => Node | undefined

/** One of two contents that want one name, and the end it comes from. */
export interface Claim {
  readonly entry: Leaf
  readonly end: End
}

/** Two contents at one name, both ways (SYNC.md 3). `first` may be a directory: it keeps its name. */
export function resolve(c: Case, first: Node, second: Node, end: End, taken: Taken): void {
  const known = knowsOther(c, first, second)
  if (known !== undefined) {
    known.dropped = true
    return
  }
  const options = answered(c.options, first, second)
  if (options.policy === 'prompt') {
    c.conflicts.push({ winner: first, loser: second, resolution: 'waiting' })
    for (const node of [first, second]) hold(c, node, { why: 'conflict' })
    return
  }
  const name = first.want[end]!.name
  const claims = [first, second].map(node => claimOf(c, node, end))
  const secondWins = !first.isDirectory && winner(claims[0]!, claims[1]!, name, options) === claims[1]
  const [won, lost] = secondWins ? [second, first] : [first, second]
  const [wonClaim, lostClaim] = secondWins ? [claims[1]!, claims[0]!] : [claims[0]!, claims[1]!]
  const noCopy = isConflictCopy(name) || (!first.isDirectory && isSettledByPolicy(claims[0]!, claims[1]!, options))
  if (noCopy) lost.dropped = true
  else nameCopy(c, lost, lostClaim, wonClaim, end, taken)
  c.conflicts.push({ winner: won, loser: lost, resolution: noCopy ? wonClaim.end : 'kept-both' })
}

/** What a person said about either of them stands in the place of the policy. */
function answered(options: ReconcileOptions, first: Node, second: Node): ReconcileOptions {
  const policy = options.answers?.get(first.path) ?? options.answers?.get(second.path)
  return policy === undefined ? options : { ...options, policy }
}

/**
 * Each end has only one of them, under one path, and one of them was made by who had seen the other: that other gives way. Where an
 * end has both, nobody put one in the place of the other.
 */
function knowsOther(c: Case, first: Node, second: Node): Node | undefined {
  if (!c.options.archive || first.isDirectory) return undefined
  for (const [a, b] of [
    [first, second],
    [second, first]
  ] as const) {
    const [source, destination] = [a.at.source, b.at.destination]
    if (source === undefined || source.path !== destination?.path) continue
    if (a.at.destination !== undefined || b.at.source !== undefined) continue
    const order = compareVersions(a.present('source')?.version, b.present('destination')?.version)
    if (order === 'newer' || order === 'older') return order === 'newer' ? b : a
  }
  return undefined
}

/** Which of two contents keeps the name. */
export function winner(a: Claim, b: Claim, name: string, options: ReconcileOptions): Claim {
  const [x, y] = [a.entry, b.entry]
  if (!isConflictCopy(name)) {
    const chosen = byPolicy(a, b, options)
    if (chosen !== undefined) return chosen
    if (x.kind !== y.kind) return x.kind === 'file' ? a : b
  }
  if (!sameTime(x.mtimeNs, y.mtimeNs, options)) return x.mtimeNs > y.mtimeNs ? a : b
  return contentKey(x) > contentKey(y) ? a : b
}

const isSettledByPolicy = (a: Claim, b: Claim, options: ReconcileOptions): boolean =>
  byPolicy(a, b, options) !== undefined

/** Undefined: the policy is keep-both, or cannot tell. */
function byPolicy(a: Claim, b: Claim, options: ReconcileOptions): Claim | undefined {
  const [x, y] = [a.entry, b.entry]
  switch (options.policy) {
    case 'source':
    case 'destination':
      return a.end === b.end ? undefined : a.end === options.policy ? a : b
    case 'newer':
      if (options.clockSkewed === true || x.kind !== y.kind || sameTime(x.mtimeNs, y.mtimeNs, options)) return undefined
      return x.mtimeNs > y.mtimeNs ? a : b
    case 'larger':
      if (x.kind !== 'file' || y.kind !== 'file' || x.sizeBytes === y.sizeBytes) return undefined
      return x.sizeBytes > y.sizeBytes ? a : b
    default:
      return undefined
  }
}

const contentKey = (entry: Leaf): string => (entry.kind === 'file' ? entry.hash : entry.target)

/** The end at which it already has the name, else the one that has it at all. */
function claimOf(c: Case, node: Node, end: End): Claim {
  const want = node.want[end]!
  const has = ENDS.filter(e => node.at[e] !== undefined)
  const named = has.filter(e => {
    const at = locationAt(c, node, e)!
    return at.parent === want.parent.one && c.key(at.name) === c.key(want.name)
  })
  const from = named[0] ?? has[0]!
  const wanted = wantedEntry(c, node, end) as Leaf
  const there = node.present(from)
  const entry = isLeaf(there) && sameContent(there, wanted) ? there : wanted
  return { entry: { ...entry, ...settings(c, node) }, end: from }
}

/** Of one content with two settings those count that both ends will show. */
function settings(c: Case, node: Node): Metadata | undefined {
  const [source, destination] = ENDS.map(e => node.present(e))
  if (source === undefined || destination === undefined || !sameContent(source, destination)) return undefined
  const agreed = agreeMetadata(source, destination, node.base?.entry, c.options)
  return agreed && { mtimeNs: agreed.mtimeNs, mode: agreed.mode }
}

/** The first name of the series that nobody else has or shall have; where the same content has it, that is the copy. */
function nameCopy(c: Case, node: Node, lost: Claim, won: Claim, end: End, taken: Taken): void {
  const want = node.want[end]!
  const device = makerOf(lost.entry.version, won.entry.version, lost.end, c.options)
  for (const name of conflictNames({ name: want.name as never, mtimeNs: lost.entry.mtimeNs, device })) {
    const holder = taken(want.parent, name)
    if (holder !== undefined && holder !== node) {
      const content = wantedEntry(c, holder, end)
      if (content === undefined || holder.held !== undefined || !sameContent(content, lost.entry)) continue
      joinAt(c, holder, node)
      // Whichever of the two goes on: the copy's name is where both ends shall have it, not the one that was fought for.
      node.one.copyName = name
      return
    }
    // A name that is not listed is the same at both ends; a listed one that nobody wants is about to go.
    const paths = ENDS.flatMap(e => (want.parent.at[e] === undefined ? [] : [joinRel(want.parent.at[e]!.path, name)]))
    const there = paths.flatMap(p => ENDS.map(e => c.rows.find(p)?.[e])).filter(isPresent)
    if (there.length > 0) {
      const listed = paths.some(p => c.gathered.entangled.has(p))
      if (listed || !there.every(e => sameContent(e, lost.entry))) continue
      node.dropped = true
    }
    node.copyName = name
    c.copies.set(`${want.parent.number}/${c.key(name)}`, node)
    return
  }
}

/** Where the winner and the copy of the loser shall be, once everything is decided. */
export function conflictPaths(c: Case, winner: Node, loser: Node): { path: RelPath; copy: RelPath | undefined } {
  const path = ENDS.map(e => (winner.one.want[e] === undefined ? undefined : wantedPath(c, winner.one, e))).find(
    p => p !== undefined
  )
  const copy = ENDS.map(e => (loser.one.want[e] === undefined ? undefined : wantedPath(c, loser.one, e))).find(
    p => p !== undefined
  )
  return { path: path ?? winner.path, copy }
}
