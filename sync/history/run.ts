import { newUuid, type Problem } from '../../storage/base/index.js'
import type { End } from '../reconcile/index.js'
import { ChangeLog, changing, type RunKind, type RunReport, type Sync } from '../session/index.js'
import type { HistoryInit } from './history.js'

/** Numbers of operations at the second end begin here. */
const SECOND_END = 1_000_000_000

/** A restore or an undo as a run of its own: in the table of runs, so that it can be undone. */
export class HistoryRun {
  readonly id: string
  readonly #init: HistoryInit
  readonly #sync: Sync | undefined
  readonly #kind: RunKind
  readonly #beganMs: number
  #begun = false

  /** @param sync - undefined: nothing is written down */
  constructor(init: HistoryInit, sync: Sync | undefined, kind: RunKind) {
    this.#init = init
    this.#sync = sync
    this.#kind = kind
    this.#beganMs = init.clock.nowMs()
    this.id = newUuid(this.#beganMs, init.random)
  }

  /** Its id, once it has a row. */
  get recorded(): string | undefined {
    return this.#begun ? this.id : undefined
  }

  /** @param end - at which everything happens; undefined: in a folder that is none, which is not written down */
  async during<T>(end: End | undefined, work: (changes: ChangeLog | undefined) => Promise<T>): Promise<T> {
    if (end === undefined || this.#sync === undefined) return work(undefined)
    const { db, clock } = this.#init
    const from = this.#begun ? SECOND_END : 0
    const of = { run: this.id, sync: this.#sync.id }
    if (!this.#begun) await db.write(changing.begin, { ...of, kind: this.#kind, beganAtMs: this.#beganMs })
    this.#begun = true
    const changes = new ChangeLog(db, { ...of, at: end, from }, () => clock.nowMs())
    return work(changes).finally(() => changes.end())
  }

  async end({
    operations,
    bytes,
    problems
  }: {
    readonly operations: number
    readonly bytes: number
    readonly problems: readonly Problem[]
  }): Promise<void> {
    if (!this.#begun || this.#sync === undefined) return
    const { db, clock } = this.#init
    const endedAtMs = clock.nowMs()
    const report: RunReport = {
      ...{ sync: this.#sync.name, state: problems.length > 0 ? 'problems' : 'converged' },
      ...{ operations, bytesTransferred: bytes, conflicts: [], durationMs: endedAtMs - this.#beganMs },
      problems: problems.map(({ path, code, message }) => ({ path, code, message }))
    }
    await db.write(changing.end, { run: this.id, endedAtMs, state: report.state, result: JSON.stringify(report) })
  }
}
