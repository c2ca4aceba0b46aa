import { type End, otherEnd, sameContent } from './entry.js'
import type { Node } from './node.js'
import type { Reason } from './operation.js'
import { type Case, verdictOf } from './target.js'

/** Why something is done to a node at an end, in one word. */
export function reasonFor(c: Case, node: Node, end: End, what: 'removal' | 'move' | 'content'): Reason {
  if (node.copyName !== undefined) return 'conflict-copy'
  const bothWays = c.options.mode === 'bidirectional'
  const base = node.base?.entry
  if (what === 'removal') {
    if (node.one !== node) return 'moved'
    if (node.dropped) return bothWays ? 'conflict-settled' : 'kind-changed'
    return base === undefined ? 'extra' : 'deleted'
  }
  const other = node.present(otherEnd(end))
  if (what === 'move')
    return !bothWays && node.base !== undefined && node.at.source?.path === node.base.path ? 'put-back' : 'moved'
  if (c.conflicts.some(f => f.winner.one === node)) return 'conflict-settled'
  if (node.standsFor !== undefined || (node.isDirectory && verdictOf(c, node) === 'neither')) return 'holds-something'
  return contentReason(
    base !== undefined,
    base !== undefined && other !== undefined && sameContent(other, base),
    node.present(end) !== undefined,
    bothWays
  )
}

/** Why an end gets the content of the other. */
export function contentReason(agreed: boolean, otherIsSame: boolean, there: boolean, bothWays: boolean): Reason {
  if (!agreed) return there ? 'edited' : 'created'
  if (there) return otherIsSame ? 'put-back' : 'edited'
  return bothWays ? 'edit-outlives-deletion' : 'restored'
}
