import type { RelPath } from '../../storage/base/index.js'
import type { Operation } from '../reconcile/index.js'
import type { Wanted } from './stage-content.js'

/** The content that an operation needs in the stage, if any. @param staged - its name there */
export function wantedOf(op: Operation, staged: RelPath): Wanted[] {
  if (op.kind !== 'create' && op.kind !== 'replace') return []
  const { id, content, mode, mtimeNs, path } = op
  const from = op.from.later === undefined ? [op.from.path] : [op.from.path, op.from.later]
  return [{ id, content, mode, mtimeNs, path, from, staged, basis: basisOf(op) }]
}

const basisOf = (op: Operation): RelPath | undefined =>
  op.kind === 'replace' && op.expected.kind === 'file' ? op.path : undefined
