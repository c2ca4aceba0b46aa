import type { RelPath } from '../../storage/base/index.js'
import { parentOf } from '../../storage/base/paths.js'
import type { End } from './entry.js'
import type { Operation, OperationInit } from './operation.js'

/** Operations in the making: numbers them, and remembers in which directories names came and went. */
export class Sheet {
  readonly #touched: Record<End, Set<RelPath>> = { source: new Set(), destination: new Set() }
  readonly #left: Record<End, Set<RelPath>> = { source: new Set(), destination: new Set() }
  readonly #made: Record<End, Map<RelPath, number>> = { source: new Map(), destination: new Map() }
  #next = 0

  get next(): number {
    return this.#next
  }

  add(init: OperationInit, needs: readonly (number | undefined)[] = []): Operation {
    return this.note({ ...init, id: this.take(), needs: needs.length === 0 ? NOTHING : unique(needs) })
  }

  /** The number of an operation that is made at once, and noted. */
  take(): number {
    return this.#next++
  }

  note<T extends Operation>(op: T): T {
    const { id, end, path } = op
    if (op.kind !== 'attributes' && op.kind !== 'version' && op.kind !== 'replace') {
      this.#touched[end].add(parentOf(path))
      if (op.kind === 'move') this.#touched[end].add(parentOf(op.to))
    }
    if (op.kind === 'make-directory') {
      this.#made[end].set(path, id)
      this.#touched[end].add(path)
    }
    if ('expected' in op && op.expected.kind === 'directory') this.#left[end].add(path)
    return op
  }

  /** Directories in which names came or went, by the paths they had then. */
  touched(end: End): ReadonlySet<RelPath> {
    return this.#touched[end]
  }

  /** A directory left this path, or one above it: what lies there by now is perhaps another, and what lay there is elsewhere. */
  isLeft(end: End, path: RelPath): boolean {
    for (let at = path; at !== ''; at = parentOf(at)) if (this.#left[end].has(at)) return true
    return false
  }

  /** The operation that made a directory. */
  madeBy(end: End, path: RelPath): number | undefined {
    return this.#made[end].get(path)
  }
}

/** Of a million operations most need none. */
const NOTHING: readonly number[] = []

function unique(needs: readonly (number | undefined)[]): readonly number[] {
  const [only] = needs
  if (needs.length === 1) return only === undefined ? NOTHING : [only]
  return [...new Set(needs)].filter(n => n !== undefined)
}
