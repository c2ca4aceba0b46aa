import { newUuid, type Problem } from '../../storage/base/index.js'
import type { End } from '../reconcile/index.js'
import { ChangeLog, changing, type RunKind, type RunReport, type RunState, type Sync } from '../session/index.js'
import type { Course } from './course.js'
import type { HistoryInit } from './history.js'

/** A restore or an undo as a run of its own: in the table of runs, so that it can be undone. Interrupted and taken up again it is one run. */
export class HistoryRun {
  readonly id: string
  readonly #init: HistoryInit
  readonly #sync: Sync | undefined
  readonly #kind: RunKind
  readonly #beganMs: number
  #begun = false
  /** What earlier attempts did. */
  #before = 0

  /** @param sync - undefined: nothing is written down */
  constructor(init: HistoryInit, sync: Sync | undefined, { kind, course }: { kind: RunKind; course: Course }) {
    this.#init = init
    this.#sync = sync
    this.#kind = kind
    this.#beganMs = init.clock.nowMs()
    this.id = course.run
    if (course.begun) this.#before = this.#count().rows
  }

  /** Its id, once it has changed something, now or in an earlier attempt. */
  get recorded(): string | undefined {
    return this.#begun || this.#before > 0 ? this.id : undefined
  }

  /** What earlier attempts did, in changes. */
  get before(): number {
    return this.#before
  }

  /** @param end - at which everything happens; undefined: in a folder that is none, which is not written down */
  async during<T>(end: End | undefined, work: (changes: ChangeLog | undefined) => Promise<T>): Promise<T> {
    if (end === undefined || this.#sync === undefined) return work(undefined)
    const { db, clock } = this.#init
    const of = { run: this.id, sync: this.#sync.id }
    if (!this.#begun) await db.write(changing.begin, { ...of, kind: this.#kind, beganAtMs: this.#beganMs })
    this.#begun = true
    const changes = new ChangeLog(db, { ...of, at: end, from: this.#count().next }, () => clock.nowMs())
    return work(changes).finally(() => changes.end())
  }

  async end(
    sum: { readonly operations: number; readonly bytes: number; readonly problems: readonly Problem[] },
    state: RunState = sum.problems.length > 0 ? 'problems' : 'converged'
  ): Promise<void> {
    if (this.#sync === undefined || this.recorded === undefined) return
    const { db, clock } = this.#init
    const endedAtMs = clock.nowMs()
    const report: RunReport = {
      ...{ sync: this.#sync.name, state, operations: sum.operations, bytesTransferred: sum.bytes, conflicts: [] },
      ...{ durationMs: endedAtMs - this.#beganMs },
      problems: sum.problems.map(({ path, code, message }) => ({ path, code, message }))
    }
    await db.write(changing.end, { run: this.id, endedAtMs, state, result: JSON.stringify(report) })
  }

  /** It was paused or cancelled, or an error ended it: what it did is done. */
  async cutShort(state: 'cancelled' | 'failed'): Promise<void> {
    await this.end({ operations: this.#count().rows, bytes: 0, problems: [] }, state)
  }

  #count(): { rows: number; next: number } {
    return this.#init.db.get<{ rows: number; next: number }>(
      'SELECT count(*) AS "rows", coalesce(max(n) + 1, 0) AS next FROM sync_changes WHERE run = ?',
      [this.id]
    )!
  }
}

/** A course that begins. */
export const newCourse = ({ clock, random }: Pick<HistoryInit, 'clock' | 'random'>): Course => ({
  run: newUuid(clock.nowMs(), random),
  ...{ begun: false, moment: null, rests: 'no', bytes: 0 }
})
