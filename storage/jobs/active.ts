import { raceSignal } from '../base/index.js'
import { JobInterrupt, type StopReason } from './errors.js'
import type { AnyJob, JobRun } from './run.js'
import type { Place, Scheduler, Ticket } from './scheduler.js'
import type { JobRow } from './store.js'

/** A job that waits for its turn or is at work, and the place it holds, lends to its children and takes back. */
export class ActiveJob {
  readonly row: JobRow
  readonly definition: AnyJob
  /** Keys held by it and by those that wait for it. */
  readonly serialKeys: readonly string[]
  readonly #scheduler: Scheduler
  readonly #ticket: Ticket
  readonly #controller = new AbortController()
  /** Resolves when it has come to rest: ended, paused, or back in the queue. */
  rest: Promise<void> = Promise.resolve()
  /** From the moment it has a place. */
  run: JobRun | undefined
  paused: JobRun['paused'] | undefined
  #places: Place[] = []
  #lending = 0

  constructor(scheduler: Scheduler, definition: AnyJob, row: JobRow, order: number, exempt: readonly string[]) {
    const serial = row.serial ?? undefined
    this.#scheduler = scheduler
    this.definition = definition
    this.row = row
    this.#ticket = { priority: row.priority, order, serial, exempt }
    this.serialKeys = serial === undefined ? exempt : [...exempt, serial]
  }

  get order(): number {
    return this.#ticket.order
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  interrupt(stop: StopReason): void {
    this.#controller.abort(new JobInterrupt(stop))
  }

  async enter(): Promise<void> {
    this.#places.push(await this.#scheduler.enter(this.#ticket, this.signal))
  }

  leave(): void {
    for (const place of this.#places.splice(0)) place.leave()
  }

  /** Waits for others, its place lent to them for as long as it waits for anybody: with all places taken by parents nobody would get on. */
  async lend<T>(waiting: Promise<T>): Promise<T> {
    if (this.#lending++ === 0) for (const place of this.#places) place.lend()
    try {
      return await raceSignal(waiting, this.signal)
    } finally {
      this.#lending--
      if (this.#lending === 0 && !this.signal.aborted) await this.#takeBack()
    }
  }

  /** RACE: while it waits for a place somebody may begin to wait for a child again; then the place is lent at once. */
  async #takeBack(): Promise<void> {
    try {
      const { serial: _held, ...ticket } = this.#ticket
      const place = await this.#scheduler.enter(ticket, this.signal)
      for (const old of this.#places.splice(1)) old.leave()
      this.#places.push(place)
      if (this.#lending > 0) place.lend()
    } catch (err) {
      if (!this.signal.aborted) throw err
    }
  }
}
