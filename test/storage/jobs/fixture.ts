import { z } from 'zod'
import {
  type AnyEvent,
  type EventBus,
  eventBus,
  silentLog,
  systemClock,
  systemRandom
} from '../../../storage/base/index.js'
import {
  type AnyPhase,
  defineJob,
  type JobDefinition,
  type JobManager,
  type Json,
  jobManager
} from '../../../storage/jobs/index.js'
import { type Database, openDatabase } from '../../../storage/sql/index.js'

export interface JobFixture {
  jobs: JobManager
  db: Database
  events: EventBus
  /** Everything the bus said, as `type kind`. */
  said: AnyEvent[]
  close(): Promise<void>
}

/** A manager on a real database file; the kinds are registered before it starts. */
export async function openJobs(
  file: string,
  kinds: readonly JobDefinition<never, never, never>[] = [],
  maxRunning?: number
): Promise<JobFixture> {
  const db = await openDatabase({ file, schema: 'instance' })
  const events = eventBus()
  const said: AnyEvent[] = []
  events.onAny(event => said.push(event))
  const jobs = jobManager({
    db,
    events,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    ...(maxRunning === undefined ? {} : { maxRunning })
  })
  for (const kind of kinds) jobs.register(kind)
  await jobs.start()
  return {
    jobs,
    db,
    events,
    said,
    async close() {
      await jobs.stop()
      await db.close()
    }
  }
}

/** Something a test opens and a job waits for. */
export function gate(): {
  open(): void
  readonly passed: Promise<void>
  reached: Promise<void>
  pass(signal?: AbortSignal): Promise<void>
} {
  let open = (): void => {}
  let reach = (): void => {}
  const passed = new Promise<void>(resolve => {
    open = resolve
  })
  const reached = new Promise<void>(resolve => {
    reach = resolve
  })
  return {
    open: () => open(),
    passed,
    reached,
    pass(signal) {
      reach()
      return new Promise<void>((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
        void passed.then(resolve)
      })
    }
  }
}

/** A job of a few phases with a state of any shape, for tests that care about one thing. */
export function simpleJob<S = { trace: string[] }>(
  kind: string,
  phases: readonly AnyPhase<S>[] | ((input: Record<string, Json>) => readonly AnyPhase<S>[]),
  more: Partial<JobDefinition<Record<string, Json>, S, Json | undefined>> = {}
): JobDefinition<Record<string, Json>, S, Json | undefined> {
  return defineJob({
    kind,
    summary: 'a job of a test',
    version: 1,
    input: z.record(z.string(), z.json()) as unknown as z.ZodType<Record<string, Json>>,
    state: () => ({ trace: [] }) as S,
    phases: input => (typeof phases === 'function' ? phases(input) : phases),
    output: state => state as Json,
    ...more
  })
}
