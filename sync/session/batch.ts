import { isWithin } from '../../storage/base/index.js'
import { MAX_BATCH_BYTES, MAX_PLACED_STEPS } from '../../storage/files/index.js'
import { MAX_PLACED_LETTERS } from '../endpoints/index.js'
import type { Operation } from '../reconcile/index.js'

export interface BatchLimits {
  readonly steps: number
  /** Of names, and of what is told of versions: bounds a message. */
  readonly letters: number
  /** Bytes of the files that are replaced or removed. */
  readonly takenBytes: number
}

/** Between two folders of this device. */
export const LIMITS_HERE: BatchLimits = { steps: MAX_PLACED_STEPS, letters: Infinity, takenBytes: Infinity }
/**
 * Where another device does it. That one reads what it is to lose before anything is done, so what is taken away has a bound as well: at 100 MB/s
 * it takes three minutes, far from the hours in which an answer has to come.
 */
export const LIMITS_FAR: BatchLimits = {
  ...{ steps: MAX_PLACED_STEPS, letters: MAX_PLACED_LETTERS, takenBytes: 16 * 2 ** 30 }
}

/** Operations that will be placed together. */
export class Batch {
  readonly ops: Operation[] = []
  readonly #byId = new Map<number, Operation>()
  readonly #limits: BatchLimits
  bytes = 0
  #letters = 0
  #takenBytes = 0

  constructor(limits: BatchLimits) {
    this.#limits = limits
  }

  add(op: Operation): void {
    this.ops.push(op)
    this.#byId.set(op.id, op)
    this.bytes += sizeOf(op)
    this.#letters += lettersOf(op)
    this.#takenBytes += takenBytesOf(op)
  }

  /** Whether `op` can be done together with what is in it. */
  takes(op: Operation): boolean {
    const [first] = this.ops
    if (first === undefined) return true
    if (first.end !== op.end || isAttributes(first) !== isAttributes(op)) return false
    if (this.ops.length >= this.#limits.steps || this.#letters + lettersOf(op) > this.#limits.letters) return false
    if (this.bytes > 0 && this.bytes + sizeOf(op) > MAX_BATCH_BYTES) return false
    if (this.#takenBytes > 0 && this.#takenBytes + takenBytesOf(op) > this.#limits.takenBytes) return false
    // A folder goes after all that leaves it: what failed there is known then.
    if (op.kind === 'remove-directory' && this.ops.some(o => o.kind !== 'remove-directory')) return false
    return op.needs.every(id => {
      const needed = this.#byId.get(id)
      // A step in a folder that the same batch makes: placing sees to it that both fail together.
      return needed === undefined || (needed.kind === 'make-directory' && isWithin(op.path, needed.path))
    })
  }
}

export const isAttributes = (op: Operation): boolean => op.kind === 'attributes'
/** Bytes of content that it brings. */
export const sizeOf = (op: Operation): number =>
  (op.kind === 'create' || op.kind === 'replace') && op.content.kind === 'file' ? op.content.sizeBytes : 0

/** Under which it lies staged, `new/HASH.MODE.MTIME.N`, or steps aside, `aside/HASH.N`. */
const STAGED_LETTERS = 100

/** Of what is told of it when it is placed: its names, and what it makes of versions. */
function lettersOf(op: Operation): number {
  let letters = op.path.length + STAGED_LETTERS
  if (op.kind === 'move') letters += op.to.length
  if (op.kind === 'replace') letters += STAGED_LETTERS
  if ((op.kind === 'create' || op.kind === 'replace') && op.content.kind === 'symlink')
    letters += op.content.target.length
  if ('version' in op) for (const name in op.version) letters += name.length
  return letters
}

/** Bytes of content that loses its name. */
const takenBytesOf = (op: Operation): number =>
  (op.kind === 'replace' || op.kind === 'remove') && op.expected.kind === 'file' ? op.expected.sizeBytes : 0
