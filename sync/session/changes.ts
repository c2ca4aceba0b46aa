import { type ContentHash, pathBytes, type RelPath } from '../../storage/base/index.js'
import { hashBytes } from '../../storage/content/index.js'
import type { PlaceStep } from '../../storage/files/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { End, Present } from '../reconcile/index.js'
import type { Done, Step } from './achieved.js'
import { type Change, changeBuffers, toChangeColumns } from './change-columns.js'
import { changing } from './changes.worker.js'
import { intentText } from './intents.js'

/** Content of a file, or where a link leads, as one value; undefined for a directory. */
export function contentKey(entry: Present): ContentHash | undefined {
  if (entry.kind === 'file') return entry.hash
  return entry.kind === 'symlink' ? hashBytes(pathBytes(entry.target)) : undefined
}

/** Some 10 ms of the thread that writes the instance database. */
const ROWS_A_WRITE = 2_000

export interface ChangeLogInit {
  readonly run: string
  readonly sync: number
  /** The end at which everything was done, where the plan calls it another. */
  readonly at?: End | undefined
  /** Changes are numbered from here on: one run may consist of several plans. */
  readonly from?: number | undefined
}

/** Writes down what a run does: before a batch what it is about to do, and what it did while the next one is under way. */
export class ChangeLog {
  readonly #db: Database
  readonly #of: ChangeLogInit
  readonly #nowMs: () => number
  readonly #parked = new Map<number, ContentHash | undefined>()
  /** Of changes so far: an operation may be several. */
  #count = 0
  /** The batch that goes on: its changes, and the number of the first one where they were written down before. */
  #batch: { readonly changes: ReadonlyMap<PlaceStep, Change>; readonly intent: number | undefined } | undefined
  #writing: Promise<unknown> = Promise.resolve()

  constructor(db: Database, of: ChangeLogInit, nowMs: () => number) {
    this.#db = db
    this.#of = of
    this.#nowMs = nowMs
  }

  /** A batch is about to be done. Durable when it resolves: what a crash cuts off is settled by who opens the end next. */
  async begin(steps: readonly Step[]): Promise<void> {
    const changes = new Map(steps.map(step => [step.step, this.#changeOf(step)]))
    const [first] = changes.values()
    if (first === undefined) return
    // Times of folders follow on what was done in them: nobody would miss them.
    const quiet = steps.every(({ ops }) => ops.every(op => op.reason === 'directory-time'))
    this.#batch = { changes, intent: quiet ? undefined : first.n }
    if (quiet) return
    const of = { run: this.#of.run, n: first.n, end: first.end, beganAtMs: this.#nowMs() }
    await this.#db.write(changing.intend, { ...of, changes: intentText(changes) })
  }

  /** It is done, as far as it could be. At most one batch waits to be written: that one is when this resolves. */
  async add(done: readonly Done[]): Promise<void> {
    const before = this.#writing
    const batch = this.#batch
    const changes = done.flatMap(({ step }) => (step && batch?.changes.get(step)) ?? [])
    if (changes.length === 0 && batch?.intent === undefined) return
    const { run, sync } = this.#of
    const [doneAtMs, intent] = [this.#nowMs(), batch?.intent]
    const write = async (): Promise<void> => {
      // A batch that begins right now does not wait for a thousand rows of this one: its beginning is written first.
      await Promise.all([before, new Promise(resolve => setImmediate(resolve))])
      // Page by page, so that others who write wait for none of them long. Until the last is written the intent stands: a crash
      // in between leaves it to `settleIntents`, which writes the same rows again.
      for (let from = 0; from === 0 || from < changes.length; from += ROWS_A_WRITE) {
        const columns = toChangeColumns(changes.slice(from, from + ROWS_A_WRITE))
        const last = from + ROWS_A_WRITE >= changes.length
        const recorded = { run, sync, doneAtMs, changes: columns, intent: last ? intent : undefined }
        await this.#db.write(changing.record, recorded, { transfer: changeBuffers(columns) })
      }
    }
    this.#writing = write()
    this.#writing.catch(() => {}) // awaited with the next batch, and by `end`
    await before
  }

  async end(): Promise<void> {
    await this.#writing
  }

  /** By the paths of the step, which those of the history are: an operation's may be of a moment within a group. */
  #changeOf({ step, ops }: Step): Change {
    const { from = 0 } = this.#of
    for (const op of ops) if (op.kind === 'park') this.#parked.set(op.id, contentKey(op.expected))
    const op = ops.at(-1)!
    const expected = 'expected' in op ? contentKey(op.expected) : undefined
    const content = 'content' in op ? contentKey(op.content) : undefined
    const [n, end, reason] = [from + this.#count++, this.#of.at ?? op.end, op.reason]
    // All of one shape: there are as many as steps.
    const change = (before?: ContentHash, after?: ContentHash, to?: RelPath): Change => {
      return { n, end, path: step.path, to, kind: step.kind, reason, before, after }
    }
    switch (step.kind) {
      case 'create':
        return change(undefined, content)
      case 'replace':
        return change(expected, content)
      case 'remove':
        return change(expected)
      case 'move': {
        const moved = op.kind === 'unpark' ? this.#parked.get(op.parked) : expected
        return change(moved, moved, step.to)
      }
      default:
        return change()
    }
  }
}
