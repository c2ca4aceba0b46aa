import type { ContentHash } from '../../storage/base/index.js'
import type { EntryStat } from '../../storage/files/index.js'

/** How closely two entries are compared; each includes those before it but `content`, to which times say nothing. */
export type CompareBy = 'existence' | 'size' | 'mtime' | 'content'

export interface Comparable {
  readonly stat: Pick<EntryStat, 'kind' | 'sizeBytes' | 'mtimeNs'>
  /** Of a symlink. */
  readonly target?: string | undefined
  /** Where it is known and its stat vouches for it. */
  readonly hash?: ContentHash | undefined
  /** It is there, and that is all that is known. */
  readonly unknown?: unknown
}

export type Difference = 'only-left' | 'only-right' | 'kind' | 'size' | 'mtime' | 'content' | 'target'

/** `open`: it takes the content, or the targets of both links, to tell; or a look that is not to be had (`unknown`). */
export type Verdict =
  | { readonly is: 'same' }
  | { readonly is: 'different'; readonly why: Difference }
  | { readonly is: 'open'; readonly needs: 'content' | 'target' | 'unknown' }

const SAME: Verdict = { is: 'same' }
const differ = (why: Difference): Verdict => ({ is: 'different', why })

/**
 * Compares what two ends have at one path. Pure; swapping the ends swaps `only-left` and `only-right` and nothing else.
 * @param stepNs - the coarser step of the two ends' times
 */
export function compareEntries(
  left: Comparable | undefined,
  right: Comparable | undefined,
  by: CompareBy,
  stepNs = 1n
): Verdict {
  if (left === undefined || right === undefined) {
    if (left === right) return SAME
    return differ(left === undefined ? 'only-right' : 'only-left')
  }
  if (by === 'existence') return SAME
  if (left.unknown !== undefined || right.unknown !== undefined) return { is: 'open', needs: 'unknown' }
  if (left.stat.kind !== right.stat.kind) return differ('kind')
  switch (left.stat.kind) {
    case 'file':
      return compareFiles(left, right, by, stepNs)
    case 'symlink':
      if (left.target === undefined || right.target === undefined) return { is: 'open', needs: 'target' }
      return left.target === right.target ? SAME : differ('target')
    default:
      return SAME
  }
}

/** Equal as far as the coarser of two file systems can tell. */
export function sameTime(aNs: bigint, bNs: bigint, stepNs: bigint): boolean {
  const apart = aNs > bNs ? aNs - bNs : bNs - aNs
  return apart < (stepNs > 1n ? stepNs : 1n)
}

function compareFiles(left: Comparable, right: Comparable, by: CompareBy, stepNs: bigint): Verdict {
  if (left.stat.sizeBytes !== right.stat.sizeBytes) return differ('size')
  if (by === 'size') return SAME
  if (by === 'mtime') return sameTime(left.stat.mtimeNs, right.stat.mtimeNs, stepNs) ? SAME : differ('mtime')
  if (left.stat.sizeBytes === 0) return SAME
  if (left.hash === undefined || right.hash === undefined) return { is: 'open', needs: 'content' }
  return left.hash === right.hash ? SAME : differ('content')
}
