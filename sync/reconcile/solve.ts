import { nameOf } from '../../storage/base/paths.js'
import { settleNames } from './collide.js'
import { ENDS, type End, otherEnd } from './entry.js'
import { refusedName } from './names.js'
import type { Node } from './node.js'
import { type Case, hold, setTargets, split, wantedEntry, wantedPath } from './target.js'

/** Each round but the last settles something of a node. */
const ROUNDS = 100

/**
 * Decides the entangled part: where each end shall have each thing. Whatever cannot be done holds its node where it is, which
 * may take a place from another: so it is done again until nothing changes. Every round makes one thing of two, two of one
 * that both ends moved, or holds or drops something, and none of that is ever taken back: it ends.
 */
export function solve(c: Case): void {
  restrain(c)
  for (let round = 0; ; round++) {
    // A fault of ours must not hold a worker for ever.
    if (round > ROUNDS + 8 * c.forest.nodes.length) throw new Error('reconcile: what shall be where was not settled')
    if (setTargets(c)) continue
    if (breakCycle(c)) continue
    const unavailable = reviveDirectories(c)
    if (breakCycle(c)) continue
    if (unavailable.length > 0) {
      for (const [node, parent] of unavailable) holdBelow(c, node, parent)
      continue
    }
    if (holdRefused(c) || settleNames(c) || leaveBehindIgnored(c)) continue
    return
  }
}

/** What was not looked at is not gone; and what is missing beside an unreadable new directory may lie in that. */
function restrain(c: Case): void {
  const { forest, gathered } = c
  const done = new Set<Node>()
  const visit = (node: Node): void => {
    if (done.has(node) || node.one !== node || node === forest.root) return
    done.add(node)
    for (const end of ENDS) {
      if (node.at[end] !== undefined) continue
      const there = node.at[otherEnd(end)]
      if (node.base === undefined && there === undefined) continue
      const parent = node.base === undefined ? forest.parentAt(node, otherEnd(end)) : forest.baseParent(node)
      visit(parent)
      node.hidden[end] = parent.hidden[end] || parent.at[end]?.entry?.kind === 'unknown'
      const missing = node.base !== undefined && !node.unlisted
      if (node.hidden[end]) hold(c, node, { why: 'unknown' })
      else if (there !== undefined && missing && (waits(parent) || (node.isDirectory && gathered.waits[end]))) {
        hold(c, node, { why: 'waiting' })
      }
    }
  }
  for (const node of [...forest.nodes]) visit(node)
}

const waits = (node: Node): boolean => node.held?.why === 'waiting'

/**
 * Directories that would each lie in the other. Where they were moved so at the two ends, one of them is made two; where one of
 * them cannot move, none of them does. @returns true when something was changed
 */
function breakCycle(c: Case): boolean {
  for (const end of ENDS) {
    const clear = new Set<Node>([c.forest.root])
    for (const node of c.forest.nodes) {
      const seen = new Set<Node>()
      let at: Node | undefined = node
      while (at !== undefined && !clear.has(at) && !seen.has(at)) {
        seen.add(at)
        at = at.want[end]?.parent
      }
      if (at !== undefined && seen.has(at)) {
        settleCycle(c, at, end)
        return true
      }
      for (const n of seen) clear.add(n)
    }
  }
  return false
}

function settleCycle(c: Case, start: Node, end: End): void {
  const cycle = [start]
  for (let at = start.want[end]!.parent; at !== start; at = at.want[end]!.parent) cycle.push(at)
  const able = cycle.filter(n => n.base !== undefined && n.at.source !== undefined && n.at.destination !== undefined)
  if (c.options.mode === 'bidirectional' && able.length > 0 && cycle.every(n => n.held === undefined)) {
    able.sort((a, b) => (a.base!.path < b.base!.path ? -1 : 1))
    split(c, able[0]!)
    return
  }
  const message = 'it would lie in a directory that stays in it'
  const free = cycle.filter(n => n.held === undefined)
  for (const node of free) hold(c, node, { why: 'problem', code: 'parent', end, message })
  if (free.length === 0) throw new Error('reconcile: what stays where it is lies in itself')
}

/**
 * A directory in which something shall be is there, deleted or not. @returns nodes that cannot be where they shall, each with
 * the directory that is in the way of it
 */
function reviveDirectories(c: Case): [Node, Node][] {
  const unavailable: [Node, Node][] = []
  for (const node of c.forest.nodes) {
    for (const end of ENDS) {
      const need = node.want[end] !== undefined ? node.want[end]!.parent : undefined
      if (need !== undefined && !revive(c, need, end) && node.held === undefined) unavailable.push([node, need])
      if (node.needed[end] && node.want[end] === undefined && node.held === undefined) revive(c, node, end)
    }
  }
  return unavailable
}

function revive(c: Case, node: Node, end: End): boolean {
  if (node.at[end]?.entry?.kind === 'unknown') return false
  if (node === c.forest.root || node.want[end] !== undefined) return true
  if (node.held !== undefined && node.at[end] === undefined) return false
  const from = node.at[end] !== undefined ? end : otherEnd(end)
  const place = node.at[from]
  if (place === undefined || place.entry?.kind === 'unknown') return false
  // What another took the place or the name of stays where it lies on the disk.
  const holder =
    from === end && (node.one !== node || node.dropped) ? c.forest.holderAt(node, from) : c.forest.parentAt(node, from)
  node.want[end] = { parent: holder, name: nameOf(place.path), as: from }
  return revive(c, holder, end)
}

function holdBelow(c: Case, node: Node, parent: Node): void {
  const why = parent.held?.why ?? 'problem'
  const message = parent.held?.message ?? 'its directory cannot be had there'
  hold(c, node, why === 'problem' ? { why, code: 'parent', end: parent.held?.end ?? 'destination', message } : { why })
}

/** What an end cannot hold, by its name or its kind. */
function holdRefused(c: Case): boolean {
  let held = false
  for (const node of c.forest.nodes) {
    if (node.held !== undefined) continue
    for (const end of ENDS) {
      const want = node.want[end]
      if (want === undefined || (node.at[end] !== undefined && nameOf(node.at[end]!.path) === want.name)) continue
      const link = wantedEntry(c, node, end)?.kind === 'symlink' && !c.options[end].symlinks
      const message = link ? 'links cannot be held there' : refusedName(want.name, c.options[end])
      if (message === undefined) continue
      hold(c, node, { why: 'problem', code: 'cannot-hold', end, message })
      held = true
      break
    }
  }
  return held
}

/** A directory that moves leaves behind what the rules ignore here and would not ignore there. */
function leaveBehindIgnored(c: Case): boolean {
  const { ignores } = c.options
  if (ignores === undefined) return false
  let left = false
  for (const node of [...c.forest.nodes]) {
    for (const end of ENDS) {
      const entry = node.at[end]?.entry
      if (entry?.kind !== 'unknown' || entry.reason !== 'ignored' || node.want[end] === undefined) continue
      const path = node.at[end]!.path
      const to = wantedPath(c, node, end)
      if (to === path || ignores(to)) continue
      for (let at = c.forest.holderAt(node, end); at !== c.forest.root; ) {
        const moves = at.want[end] !== undefined && wantedPath(c, at, end) !== at.at[end]!.path
        if (!moves) break
        const holder = c.forest.holderAt(at, end)
        c.forest.leaveBehind(at, end)
        at = holder
        left = true
      }
    }
    if (left) return true
  }
  return false
}
