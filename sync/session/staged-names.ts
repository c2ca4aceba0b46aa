import type { RelPath } from '../../storage/base/index.js'
import type { Operation } from '../reconcile/index.js'

/**
 * Where the content of operations lies in the stage of their end until they are placed. Within this device by the number of
 * the operation. Where a connection may be lost in between, by the content, so that the next session, whose plan numbers anew,
 * finds what arrived: `HASH.MODE.MTIME.N`, with the least N that no operation under way has.
 */
export class StagedNames {
  readonly #byContent: boolean
  readonly #names = new Map<number, RelPath>()
  readonly #taken = new Set<RelPath>()

  constructor(byContent: boolean) {
    this.#byContent = byContent
  }

  /** The same each time until it is freed. */
  of(op: Operation): RelPath {
    const content = this.#byContent ? contentName(op) : undefined
    if (content === undefined) return `new/${op.id}` as RelPath
    let name = this.#names.get(op.id)
    for (let n = 0; name === undefined; n++) {
      const free = `new/${content}.${n}` as RelPath
      if (!this.#taken.has(free)) name = free
    }
    this.#names.set(op.id, name)
    this.#taken.add(name)
    return name
  }

  /** They are placed, or will not be in this run. */
  free(ops: readonly Operation[]): void {
    for (const { id } of ops) {
      const name = this.#names.get(id)
      if (name === undefined) continue
      this.#names.delete(id)
      this.#taken.delete(name)
    }
  }
}

/** With what is set when it is staged: what was staged for another time would keep that. */
function contentName(op: Operation): string | undefined {
  if ((op.kind !== 'create' && op.kind !== 'replace') || op.content.kind !== 'file') return undefined
  return `${op.content.hash}.${op.mode.toString(8)}.${op.mtimeNs}`
}
