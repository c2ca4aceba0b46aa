/**
 * How one thing gets to its new place: the one function that decides, with the reason told to people. Pure: what is known
 * of the two ends comes in as plain values.
 */
export type Strategy = 'rename' | 'reflink' | 'kernel' | 'stream' | 'remote'

export interface Route {
  readonly strategy: Strategy
  readonly reason: string
}

export interface RouteFacts {
  readonly move: boolean
  /** One of the ends is on another device. */
  readonly remote: boolean
  /** A rename reaches from one end to the other: the same file system, the same mount. */
  readonly sameVolume: boolean
  /** Content is read back and compared. */
  readonly verify: boolean
  readonly sizeBytes: number
  /** Whether files there can share their blocks: known once it was tried. */
  readonly reflinks: 'yes' | 'no' | 'untried'
  /** The system copies between two open files by itself. */
  readonly kernel: boolean
}

/** Below this one read and one write cost less than any other way; it is also what fits a worker's buffer. */
export const SMALL_BYTES = 64 * 1024

export function route(facts: RouteFacts): Route {
  if (facts.remote) return { strategy: 'remote', reason: 'one end is another device' }
  if (facts.move && facts.sameVolume) {
    return { strategy: 'rename', reason: 'a move within one volume changes only the name' }
  }
  if (facts.move) return { strategy: 'stream', reason: 'a move removes only what it has copied and verified' }
  if (facts.verify) return { strategy: 'stream', reason: 'its content is hashed while it is copied, to be compared' }
  if (facts.sizeBytes < SMALL_BYTES) return { strategy: 'stream', reason: 'a small file is one read and one write' }
  if (facts.sameVolume && facts.reflinks !== 'no') {
    return facts.reflinks === 'yes'
      ? { strategy: 'reflink', reason: 'this file system lets files share their blocks' }
      : { strategy: 'reflink', reason: 'tried first within one volume: files may be able to share their blocks' }
  }
  if (facts.kernel) return { strategy: 'kernel', reason: 'the system copies without bringing the content here' }
  return { strategy: 'stream', reason: 'this system has no copy of its own between two files' }
}
