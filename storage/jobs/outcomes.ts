import { type JobId, type PlainError, raceSignal, SpacedriveError } from '../base/index.js'
import type { JobOutcome } from './job.js'
import type { JobRow } from './store.js'

interface Waiter {
  resolve(outcome: JobOutcome): void
  reject(reason: unknown): void
}

/** Those who wait for the end of a job. */
export class Outcomes {
  readonly #waiters = new Map<JobId, Set<Waiter>>()

  async of(row: JobRow, signal: AbortSignal | undefined): Promise<JobOutcome> {
    if (row.ended_at !== null) return outcomeOf(row)
    const set = this.#waiters.get(row.id) ?? new Set()
    this.#waiters.set(row.id, set)
    let waiter: Waiter | undefined
    const promise = new Promise<JobOutcome>((resolve, reject) => {
      waiter = { resolve, reject }
      set.add(waiter)
    })
    try {
      return await raceSignal(promise, signal)
    } finally {
      set.delete(waiter!)
      if (set.size === 0 && this.#waiters.get(row.id) === set) this.#waiters.delete(row.id)
    }
  }

  settle(id: JobId, outcome: JobOutcome): void {
    const waiters = [...(this.#waiters.get(id) ?? [])]
    for (const waiter of waiters) waiter.resolve(outcome)
  }

  stop(): void {
    const stopped = new SpacedriveError('STOPPED', 'the jobs were stopped; they resume at the next start')
    for (const waiter of [...this.#waiters.values()].flatMap(set => [...set])) waiter.reject(stopped)
  }
}

export function outcomeOf(row: JobRow): JobOutcome {
  const outcome = { id: row.id, state: row.state as JobOutcome['state'], problems: row.problems }
  if (row.error !== null) return { ...outcome, error: JSON.parse(row.error) as PlainError }
  return row.output === null ? outcome : { ...outcome, output: JSON.parse(row.output) }
}
