import { type ContentHash, pathBytes, type RelPath } from '../../storage/base/index.js'
import { hashBytes } from '../../storage/content/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { End, Present } from '../reconcile/index.js'
import { type Change, changing } from './changes.worker.js'
import type { Done } from './transition.js'

/** Content of a file, or where a link leads, as one value; undefined for a directory. */
export function contentKey(entry: Present): ContentHash | undefined {
  if (entry.kind === 'file') return entry.hash
  return entry.kind === 'symlink' ? hashBytes(pathBytes(entry.target)) : undefined
}

export interface ChangeLogInit {
  readonly run: string
  readonly sync: number
  /** The end at which everything was done, where the plan calls it another. */
  readonly at?: End | undefined
  /** Changes are numbered from here on: one run may consist of several plans. */
  readonly from?: number | undefined
}

/** Writes down what a run does, batch by batch, while the next batch is under way. */
export class ChangeLog {
  readonly #db: Database
  readonly #of: ChangeLogInit
  readonly #nowMs: () => number
  readonly #parked = new Map<number, { readonly path: RelPath; readonly content: ContentHash | undefined }>()
  /** Of changes so far: an operation may be several. */
  #count = 0
  #writing: Promise<unknown> = Promise.resolve()

  constructor(db: Database, of: ChangeLogInit, nowMs: () => number) {
    this.#db = db
    this.#of = of
    this.#nowMs = nowMs
  }

  /** At most one batch waits to be written. */
  async add(done: readonly Done[]): Promise<void> {
    await this.#writing
    const changes = done.flatMap(d => this.#changes(d))
    if (changes.length === 0) return
    const { run, sync } = this.#of
    this.#writing = this.#db.write(changing.record, { run, sync, doneAtMs: this.#nowMs(), changes })
    this.#writing.catch(() => {}) // awaited with the next batch, and by `end`
  }

  async end(): Promise<void> {
    await this.#writing
  }

  #changes({ op }: Done): Change[] {
    const { at = op.end, from = 0 } = this.#of
    const { path, reason } = op
    const shared = { n: from + this.#count++, end: at, path, reason }
    switch (op.kind) {
      case 'create':
        return [{ ...shared, kind: op.kind, after: contentKey(op.content) }]
      case 'replace':
        return [{ ...shared, kind: op.kind, before: contentKey(op.expected), after: contentKey(op.content) }]
      case 'remove':
        return [{ ...shared, kind: op.kind, before: contentKey(op.expected) }]
      case 'move': {
        const content = contentKey(op.expected)
        return [{ ...shared, kind: op.kind, to: op.to, before: content, after: content }]
      }
      case 'park':
        this.#parked.set(op.id, { path, content: contentKey(op.expected) })
        return []
      case 'unpark': {
        const parked = this.#parked.get(op.parked)
        if (parked === undefined) return []
        const { content } = parked
        return [{ ...shared, path: parked.path, to: path, kind: 'move', before: content, after: content }]
      }
      case 'make-directory':
      case 'remove-directory':
      case 'attributes':
        return [{ ...shared, kind: op.kind }]
      default:
        return []
    }
  }
}
