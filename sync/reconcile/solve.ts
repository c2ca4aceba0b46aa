import { nameOf, parentOf } from '../../storage/base/paths.js'
import { settleNames } from './collide.js'
import { ENDS, type End, otherEnd } from './entry.js'
import { refusedName } from './names.js'
import type { Node } from './node.js'
import { type Case, hold, setTargets, wantedEntry, wantedPath } from './target.js'

/**
 * Decides the entangled part: where each end shall have each thing. Whatever cannot be done holds its node where it is, which
 * may take a place from another: so it is done again until nothing changes. Every round makes one thing of two, two of one
 * that both ends moved, or holds or drops something, and none of that is ever taken back: it ends.
 */
export function solve(c: Case): void {
  restrain(c)
  for (;;) {
    if (setTargets(c)) continue
    if (c.options.mode === 'bidirectional' && splitCycle(c)) continue
    const unavailable = reviveDirectories(c)
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
    if (done.has(node) || node.base === undefined || node === forest.root) return
    done.add(node)
    const parent = forest.baseDirectory(parentOf(node.base.path))
    visit(parent)
    for (const end of ENDS) {
      if (node.at[end] !== undefined) continue
      node.hidden[end] = parent.hidden[end] || parent.at[end]?.entry?.kind === 'unknown'
      if (node.hidden[end]) hold(c, node, { why: 'unknown' })
      else if (parent.held?.why === 'waiting' || (node.isDirectory && gathered.waits[end] && !node.unlisted)) {
        if (node.at[otherEnd(end)] !== undefined) hold(c, node, { why: 'waiting' })
      }
    }
  }
  for (const node of [...forest.nodes]) visit(node)
}

/** Two directories that were each moved into the other: one of them is then made two. */
function splitCycle(c: Case): boolean {
  for (const node of c.forest.nodes) {
    const seen = new Set<Node>()
    for (let at: Node | undefined = node; at !== undefined && at !== c.forest.root; at = at.want.source?.parent) {
      if (!seen.has(at)) {
        seen.add(at)
        continue
      }
      const cycle = [at]
      for (let m = at.want.source!.parent; m !== at; m = m.want.source!.parent) cycle.push(m)
      const able = cycle.filter(
        n => n.base !== undefined && n.at.source !== undefined && n.at.destination !== undefined
      )
      able.sort((a, b) => (a.base!.path < b.base!.path ? -1 : 1))
      c.forest.split(able[0]!)
      return true
    }
  }
  return false
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
  if (node === c.forest.root || node.want[end] !== undefined) return true
  if (node.held !== undefined && node.at[end] === undefined) return false
  const from = node.at[end] !== undefined ? end : otherEnd(end)
  const place = node.at[from]
  if (place === undefined) return false
  const holder = from === end ? c.forest.holderAt(node, from) : c.forest.parentAt(node, from)
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
      for (let at = c.forest.holderAt(node, end); at !== c.forest.root; at = c.forest.holderAt(at, end)) {
        const moves = at.want[end] !== undefined && wantedPath(c, at, end) !== at.at[end]!.path
        if (!moves) break
        c.forest.leaveBehind(at, end)
        left = true
      }
    }
    if (left) return true
  }
  return false
}
