import { type ContentHash, pathBytes } from '../../storage/base/index.js'
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
  readonly #parked = new Map<number, ContentHash | undefined>()
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

  /** By the paths of the step, which those of the history are: an operation's may be of a moment within a group. */
  #changes({ op, step }: Done): Change[] {
    const { at = op.end, from = 0 } = this.#of
    if (op.kind === 'park') this.#parked.set(op.id, contentKey(op.expected))
    if (step === undefined) return []
    const shared = { n: from + this.#count++, end: at, path: step.path, reason: op.reason }
    const expected = 'expected' in op ? contentKey(op.expected) : undefined
    const content = 'content' in op ? contentKey(op.content) : undefined
    switch (step.kind) {
      case 'create':
        return [{ ...shared, kind: step.kind, after: content }]
      case 'replace':
        return [{ ...shared, kind: step.kind, before: expected, after: content }]
      case 'remove':
        return [{ ...shared, kind: step.kind, before: expected }]
      case 'move': {
        const moved = op.kind === 'unpark' ? this.#parked.get(op.parked) : expected
        return [{ ...shared, kind: step.kind, to: step.to, before: moved, after: moved }]
      }
      default:
        return [{ ...shared, kind: step.kind }]
    }
  }
}
