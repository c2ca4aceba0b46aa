import { isWithin } from '../../storage/base/index.js'
import { MAX_BATCH_BYTES } from '../../storage/files/index.js'
import type { Operation } from '../reconcile/index.js'

/** Operations that will be placed together. */
export class Batch {
  readonly ops: Operation[] = []
  readonly #byId = new Map<number, Operation>()
  readonly #maxSteps: number
  bytes = 0

  constructor(maxSteps: number) {
    this.#maxSteps = maxSteps
  }

  add(op: Operation): void {
    this.ops.push(op)
    this.#byId.set(op.id, op)
    this.bytes += sizeOf(op)
  }

  /** Whether `op` can be done together with what is in it. */
  takes(op: Operation): boolean {
    const [first] = this.ops
    if (first === undefined) return true
    if (first.end !== op.end || isAttributes(first) !== isAttributes(op)) return false
    if (this.ops.length >= this.#maxSteps || (this.bytes > 0 && this.bytes + sizeOf(op) > MAX_BATCH_BYTES)) return false
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
