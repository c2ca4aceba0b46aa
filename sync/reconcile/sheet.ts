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
    const id = this.#next++
    const { end, path } = init
    if (init.kind !== 'attributes' && init.kind !== 'version' && init.kind !== 'replace') {
      this.#touched[end].add(parentOf(path))
      if (init.kind === 'move') this.#touched[end].add(parentOf(init.to))
    }
    if (init.kind === 'make-directory') {
      this.#made[end].set(path, id)
      this.#touched[end].add(path)
    }
    if ('expected' in init && init.expected.kind === 'directory') this.#left[end].add(path)
    return { ...init, id, needs: needs.length === 0 ? NOTHING : unique(needs) } as Operation
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
