import type { RelPath } from '../../storage/base/index.js'
import { joinRel, nameOf, ROOT } from '../../storage/base/paths.js'
import { decide, type Verdict } from './decide.js'
import { ENDS, type End, isDirectory, otherEnd, type Present } from './entry.js'
import type { Gathered } from './gather.js'
import { type NameKey, nameKey } from './names.js'
import type { Forest, Held, Node } from './node.js'
import type { PlanRow } from './operation.js'
import type { ReconcileOptions, Rows } from './options.js'
import { compareVersions } from './version.js'

/** All that deciding on the entangled part works on. */
export interface Case {
  readonly forest: Forest
  readonly options: ReconcileOptions
  readonly rows: Rows
  readonly gathered: Gathered
  readonly key: NameKey
  /** Conflicts as they were found: told once their paths are known. */
  readonly conflicts: FoundConflict[]
  /** A one-way addition at a directory that moved away: the directory that is made for it. */
  readonly standIns: Map<Node, Node>
  /** Names given to conflict copies. */
  readonly copies: Map<string, Node>
}

export interface FoundConflict {
  readonly winner: Node
  readonly loser: Node
  readonly resolution: Extract<PlanRow, { row: 'conflict' }>['resolution']
}

export function newCase(forest: Forest, options: ReconcileOptions, rows: Rows, gathered: Gathered): Case {
  return {
    forest,
    options,
    rows,
    gathered,
    key: nameKey(options.source, options.destination),
    conflicts: [],
    standIns: new Map(),
    copies: new Map()
  }
}

/** A place in the tree to come. */
interface Location {
  readonly parent: Node
  readonly name: string
}

/** Says for every node where each end shall have it. @returns true when a node was made two: then it must be asked again */
export function setTargets(c: Case): boolean {
  for (const node of c.forest.nodes) {
    node.want.source = undefined
    node.want.destination = undefined
    node.apart = false
  }
  let again = false
  for (const node of c.forest.nodes) {
    if (node === c.forest.root || node.one !== node || node.dropped) continue
    if (node.held !== undefined) stay(c, node)
    else if (c.options.mode === 'bidirectional') again = targetBoth(c, node) || again
    else again = targetOneWay(c, node) || again
  }
  if (again) return true
  for (const node of c.forest.nodes) if (node.apart) keepApart(c, node)
  return false
}

export function verdictOf(c: Case, node: Node): Verdict {
  if (node.unlisted) return ENDS.every(e => node.at[e] !== undefined) ? 'same' : 'neither'
  const moved = (end: End): boolean =>
    node.base !== undefined && node.at[end] !== undefined && node.at[end]!.path !== node.base.path
  return decide(
    {
      base: node.base?.entry,
      source: node.at.source?.entry ?? node.gone.source,
      destination: node.at.destination?.entry ?? node.gone.destination
    },
    c.options,
    { source: moved('source'), destination: moved('destination') }
  )
}

function targetBoth(c: Case, node: Node): boolean {
  const verdict = verdictOf(c, node)
  if (verdict === 'leave') return hold(c, node, { why: 'unknown' })
  if (verdict === 'neither') return false
  if (verdict === 'apart') {
    stay(c, node)
    return false
  }
  const where = node.claim ?? locate(c, node)
  if (where === undefined) return splitInTwo(c, node, undefined)
  if (verdict === 'conflict') return splitInTwo(c, node, where)
  const name = node.copyName ?? where.name
  for (const end of ENDS) {
    node.want[end] = { parent: where.parent.one, name, as: verdict === 'same' ? end : (verdict as End) }
  }
  return false
}

function splitInTwo(c: Case, node: Node, claim: Location | undefined): true {
  const other = split(c, node)
  node.claim = claim
  other.claim = claim
  return true
}

/**
 * Makes two of what each end moved somewhere else. Of a directory what both ends made in it under one name becomes two as well:
 * that lies in two directories now, and neither wants the name of the other.
 */
export function split(c: Case, node: Node): Node {
  const other = c.forest.split(node)
  if (!node.isDirectory) return other
  for (const inside of [...c.forest.nodes]) {
    if (inside === c.forest.root || inside.base !== undefined || inside.unlisted || inside.one !== inside) continue
    if (inside.claim !== undefined || inside.copyName !== undefined) continue
    if (inside.at.source === undefined || inside.at.destination === undefined) continue
    const holders = ENDS.map(end => c.forest.parentAt(inside, end))
    if (holders[0] === node && holders[1] === other) split(c, inside)
  }
  return other
}

/** Where both ends shall have it: where somebody moved it, else where it was. Undefined: each moved it somewhere else. */
function locate(c: Case, node: Node): Location | undefined {
  const [s, t] = [locationAt(c, node, 'source'), locationAt(c, node, 'destination')]
  if (s === undefined || t === undefined) return s ?? t
  if (sameLocation(c, s, t)) return preferredName(c, s, t)
  if (node.base === undefined) return s
  const base = { parent: c.forest.baseParent(node), name: nameOf(node.base.path) }
  if (isLocation(s, base)) return t
  if (isLocation(t, base)) return s
  const order = c.options.archive
    ? compareVersions(node.present('source')?.version, node.present('destination')?.version)
    : 'apart'
  return order === 'newer' ? s : order === 'older' ? t : undefined
}

export function locationAt(c: Case, node: Node, end: End): Location | undefined {
  const place = node.at[end]
  return place === undefined ? undefined : { parent: c.forest.parentAt(node, end), name: nameOf(place.path) }
}

const isLocation = (a: Location, b: Location): boolean => a.parent.one === b.parent.one && a.name === b.name

const sameLocation = (c: Case, a: Location, b: Location): boolean =>
  a.parent.one === b.parent.one && c.key(a.name) === c.key(b.name)

/** Names that differ only by what an end folds: that of the end that does not; else the same one whichever end is asked. */
function preferredName(c: Case, s: Location, t: Location): Location {
  if (s.name === t.name) return s
  const folds = (end: End): boolean => c.options[end].foldsCase || c.options[end].foldsUnicode
  if (folds('source') !== folds('destination')) return folds('source') ? t : s
  return s.name < t.name ? s : t
}

function targetOneWay(c: Case, node: Node): boolean {
  const verdict = verdictOf(c, node)
  if (verdict === 'leave') return hold(c, node, { why: 'unknown' })
  if (verdict === 'apart') {
    node.apart = true
    return false
  }
  if (verdict === 'neither') return false
  const where = locationAt(c, node, 'source')!
  const there = locationAt(c, node, 'destination')
  node.want.source = { parent: c.forest.holderAt(node, 'source'), name: where.name, as: 'source' }
  if (there !== undefined && node.base !== undefined && c.options.mode !== 'mirror') {
    const base = { parent: c.forest.baseParent(node), name: nameOf(node.base.path) }
    // What the destination moved by itself stays there as its own; the source's is made anew.
    if (!isLocation(there, base) && !sameLocation(c, there, where)) return splitInTwo(c, node, undefined)
  }
  node.want.destination = { parent: where.parent, name: where.name, as: verdict === 'same' ? 'destination' : 'source' }
  return false
}

/** It stays as it is, at each end that has it. */
export function stay(c: Case, node: Node): void {
  for (const end of ENDS) {
    const place = node.at[end]
    if (place === undefined) continue
    node.want[end] = { parent: c.forest.holderAt(node, end), name: nameOf(place.path), as: end }
  }
}

/** Nothing is done about it, and why. @returns false: nothing has to be asked again but what depends on it */
export function hold(c: Case, node: Node, held: Held): false {
  node.held = held
  node.want.source = undefined
  node.want.destination = undefined
  stay(c, node)
  return false
}

/** What only the destination has stays at its path there, wherever the source moved the directory that held it. */
function keepApart(c: Case, node: Node): void {
  const holder = c.forest.holderAt(node, 'destination')
  const parent = isLost(c, holder) ? undefined : keptDirectory(c, holder)
  if (parent === undefined) {
    node.dropped = true
    return
  }
  node.want.destination = {
    parent,
    name: nameOf(node.at.destination!.path),
    as: 'destination'
  }
}

/** A directory of the destination's own whose name the source gave to a file goes with all that only the destination had in it. */
function isLost(c: Case, directory: Node): boolean {
  for (let at = directory; at !== c.forest.root; at = c.forest.holderAt(at, 'destination')) {
    if (at.dropped) return true
    if (at.at.destination === undefined) return false
  }
  return false
}

function keptDirectory(c: Case, directory: Node): Node {
  if (directory === c.forest.root) return directory
  const place = directory.at.destination!
  const parent = keptDirectory(c, c.forest.holderAt(directory, 'destination'))
  const name = nameOf(place.path)
  const want = directory.want.destination
  if (want === undefined) {
    directory.want.destination = { parent, name, as: 'destination' }
    return directory
  }
  if (want.parent === parent && want.name === name) return directory
  let standIn = c.standIns.get(directory)
  if (standIn === undefined) {
    standIn = c.forest.newNode()
    standIn.dropped = true
    standIn.standsFor = directory
    c.standIns.set(directory, standIn)
  }
  // The source gave the name to a file: then it goes along, rather than being lost.
  if (!standIn.isDirectory) return directory
  // Else the source made a directory of this name anew.
  if (standIn.standsFor !== undefined) standIn.want.destination = { parent, name, as: 'destination' }
  return standIn
}

/** What the end shall have there: the entry it is made after. */
export function wantedEntry(c: Case, node: Node, end: End): Present | undefined {
  const want = node.want[end]
  if (want === undefined) return undefined
  const known = node.present(want.as) ?? node.present(otherEnd(want.as))
  if (known !== undefined) return known
  if (node.standsFor !== undefined) return node.standsFor.present('destination')
  const place = node.at[want.as] ?? node.at[end]
  const row = place === undefined ? undefined : c.rows.find(place.path)
  const entry = row?.[want.as] ?? row?.[end]
  return entry !== undefined && isDirectory(entry) ? (entry as Present) : undefined
}

/** The path that a node shall have at an end. */
export function wantedPath(c: Case, node: Node, end: End): RelPath {
  const names: string[] = []
  for (let at = node; at !== c.forest.root; at = at.want[end]!.parent) {
    names.push(at.want[end]!.name)
  }
  return names.reverse().reduce<RelPath>((path, name) => joinRel(path, name), ROOT)
}
