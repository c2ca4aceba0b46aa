import { resolve } from './conflict.js'
import { ENDS, type End, isPresent, sameContent } from './entry.js'
import { nameKey } from './names.js'
import type { Node } from './node.js'
import { type Case, hold, locationAt, wantedEntry } from './target.js'

/** Names that two things shall have. @returns true when something was changed and targets must be set again */
export function settleNames(c: Case): boolean {
  let changed = false
  for (const end of ENDS) {
    // Each end by its own eyes: what the other cannot tell apart may well lie here side by side.
    const alike = nameKey(c.options[end])
    const groups = new Map<string, Node[]>()
    for (const node of c.forest.nodes) {
      const want = node.want[end]
      if (want === undefined) continue
      const key = `${want.parent.number}/${alike(want.name)}`
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [node])
      else group.push(node)
    }
    const taken = (parent: Node, name: string): Node | undefined => {
      return groups.get(`${parent.number}/${alike(name)}`)?.[0] ?? c.copies.get(`${parent.number}/${c.key(name)}`)
    }
    for (const group of groups.values()) {
      if (group.length > 1 && group.every(n => n.want[end] !== undefined))
        changed = settle(c, group, end, taken) || changed
    }
    if (changed) return true
  }
  return false
}

/** What nothing can be done about: it is held, or left behind on the disk, or gives way but for what must stay in it. */
const isFixed = (node: Node): boolean =>
  node.held !== undefined || node.one !== node || (node.dropped && node.standsFor === undefined)

function settle(
  c: Case,
  group: readonly Node[],
  end: End,
  taken: (parent: Node, name: string) => Node | undefined
): boolean {
  const fixed = group.find(isFixed)
  if (fixed !== undefined) return settleFixed(c, group, fixed, end)
  if (holdAlike(c, group, end)) return true
  const directories = group.filter(n => n.isDirectory)
  if (c.options.mode !== 'bidirectional') {
    settleOneWay(c, group, directories)
    return true
  }
  const [first, second] = directories.length > 1 ? directories : group
  if (directories.length > 1) joinAt(c, first!, second!)
  else if (directories.length === 1) {
    const directory = directories[0]!
    resolve(c, directory, group.find(n => n !== directory)!, end, taken)
  } else if (sameContent(wantedEntry(c, first!, end)!, wantedEntry(c, second!, end)!)) joinAt(c, first!, second!)
  else resolve(c, first!, second!, end, taken)
  return true
}

/** The source's is right; what only the destination has gives way. */
function settleOneWay(c: Case, group: readonly Node[], directories: readonly Node[]): void {
  const winner = group.find(n => n.at.source !== undefined) ?? directories[0]!
  for (const node of group) {
    if (node === winner) continue
    if (node.standsFor !== undefined) c.standIns.set(node.standsFor, winner)
    else if (isSame(c, winner, node)) joinAt(c, winner, node)
    else node.dropped = true
  }
}

/** Both are directories, or the destination has there by another way what it shall have. */
function isSame(c: Case, winner: Node, node: Node): boolean {
  if (winner.isDirectory || node.isDirectory) return winner.isDirectory && node.isDirectory
  const [a, b] = [wantedEntry(c, winner, 'destination'), wantedEntry(c, node, 'destination')]
  return winner.at.destination === undefined && a !== undefined && b !== undefined && sameContent(a, b)
}

function settleFixed(c: Case, group: readonly Node[], fixed: Node, end: End): boolean {
  let changed = false
  for (const node of group) {
    if (isFixed(node)) continue
    changed = true
    if (node.standsFor !== undefined) c.standIns.set(node.standsFor, fixed)
    else if (fixed.held === undefined && fixed.isDirectory && node.isDirectory && node.at[end] === undefined) {
      // Left behind for what stays in it, and a new directory has its name: it becomes that one.
      c.forest.adopt(node, fixed, end)
    } else if (fixed.held === undefined && !fixed.dropped) {
      // The name of what only the destination has goes to the source's. If something must stay in it all the same: next time.
      fixed.dropped = true
    } else if (fixed.held?.why === 'conflict' || fixed.held?.why === 'waiting') hold(c, node, { why: fixed.held.why })
    else {
      const unknown = fixed.held?.why === 'unknown' || fixed.held === undefined
      const message = unknown ? 'something that is left alone stands there' : 'another thing stays at this name'
      hold(c, node, { why: 'problem', code: unknown ? 'unknown' : 'names-alike', end, message })
    }
  }
  return changed
}

/** Two names of one end that the other cannot tell apart: who is there already stays, the others wait as problems. */
function holdAlike(c: Case, group: readonly Node[], end: End): boolean {
  const where = group.map(n => ENDS.map(e => (isPresent(n.at[e]?.entry) ? n.want[e]?.name : undefined)))
  const names = new Set(group.map(n => n.want[end]!.name))
  if (names.size === 1) return false
  const together = ENDS.some(e => where.filter(w => w[ENDS.indexOf(e)] !== undefined).length > 1)
  if (!together) return false
  const there = group.filter(n => n.at[end] !== undefined && sits(c, n, end))
  const message = `names there that differ only in case or form are one: ${[...names].join(', ')}`
  const waiting = there.length === 1 ? group.filter(n => n !== there[0]) : group
  for (const node of waiting) hold(c, node, { why: 'problem', code: 'names-alike', end, message })
  return true
}

/** It is at that end where it shall be. */
function sits(c: Case, node: Node, end: End): boolean {
  const at = locationAt(c, node, end)
  const want = node.want[end]
  return at !== undefined && want !== undefined && at.parent === want.parent.one && c.key(at.name) === c.key(want.name)
}

/** Two things that turned out to be one. What already lies at the name stays there, what lies elsewhere goes. */
export function joinAt(c: Case, a: Node, b: Node): void {
  const [node, other] = a.base === undefined && b.base !== undefined ? [b, a] : [a, b]
  const better = Object.fromEntries(ENDS.map(e => [e, sits(c, other, e) && !sits(c, node, e)])) as Record<End, boolean>
  c.forest.join(node, other, end => better[end])
}
