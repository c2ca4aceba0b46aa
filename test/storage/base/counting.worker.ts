import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
import { threadId } from 'node:worker_threads'
import { SpacedriveError } from '../../../storage/base/errors.js'
import { collectGarbage } from '../../../storage/base/heap.js'
import { defineTasks, type LinkContext, type TaskContext } from '../../../storage/base/tasks.js'
import type { Sql } from '../../../storage/sql/open.js'

const MIB = 2 ** 20
const heapMiB = (): number => Math.round(getHeapStatistics().total_physical_size / MIB)
const usedMiB = (): number => Math.round(getHeapStatistics().used_heap_size / MIB)
const spaceMiB = (name: string): number =>
  Math.round(getHeapSpaceStatistics().find(s => s.space_name === name)!.physical_space_size / MIB)

function litter(): number {
  const until = performance.now() + 150
  let kept: unknown[] = []
  while (kept.length < 60 || performance.now() < until) kept.push(Array.from({ length: 20_000 }, (_, i) => ({ i })))
  const used = heapMiB()
  kept = []
  return used
}

/** Holds as many things all the time, and lets others go. @returns what the heap was at most, and what is held */
function churn(): { mostMiB: number; heldMiB: number } {
  const held = new Array<unknown>(200_000)
  let mostMiB = 0
  for (let i = 0; i < 10 * held.length; i++) {
    held[i % held.length] = { at: i, text: `entry ${i}` }
    if (i % 10_000 === 0) mostMiB = Math.max(mostMiB, usedMiB())
  }
  collectGarbage()
  const heldMiB = usedMiB()
  return held.length > 0 ? { mostMiB, heldMiB } : { mostMiB: 0, heldMiB }
}

/** Tasks for the tests of the pool and of the database writer. */
export const counting = defineTasks(import.meta.url, {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  thread: (_input: null) => threadId,
  nothing: (_input: undefined) => {},
  emitUpTo(n: number, ctx: TaskContext): number {
    for (let i = 0; i < n; i++) ctx.emit(i)
    return n
  },
  churn: (_input: null) => churn(),
  fail(message: string): never {
    throw new SpacedriveError('COUNTED_OUT', message, { hint: 'count again' })
  },
  async untilAborted(_input: null, ctx: TaskContext): Promise<never> {
    ctx.emit('started')
    await new Promise((_resolve, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))
    throw new Error('unreachable')
  },
  /** Adds up what is posted until it is told to stop, and says each sum. */
  sumPosts(_input: null, ctx: LinkContext): Promise<number> {
    if (ctx.signal.aborted) return Promise.reject(ctx.signal.reason)
    return new Promise((resolve, reject) => {
      let sum = 0
      ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason))
      ctx.onPost((value: number | 'stop' | 'die') => {
        if (value === 'die') process.exit(3)
        if (value === 'stop') return resolve(sum)
        sum += value
        ctx.emit(sum)
      })
    })
  },
  /** Says in which thread it runs, until it is told to end. */
  threadOf(_input: null, ctx: LinkContext): Promise<void> {
    ctx.emit(threadId)
    return new Promise(resolve => ctx.onPost(() => resolve()))
  },
  /** Leaves its garbage and says what the heap was at most; then what it is whenever it is asked, until it is told to end. */
  litterAndLast(_input: null, ctx: LinkContext): Promise<void> {
    ctx.emit(litter())
    return new Promise(resolve =>
      ctx.onPost((value: 'say' | 'end') => (value === 'end' ? resolve() : ctx.emit(heapMiB())))
    )
  },
  die(_input: null): never {
    process.exit(3)
  },
  /** Leaves some 60 MiB of garbage in the heap, and takes longer than a moment. @returns what the heap was at most */
  litter: (_input: unknown) => litter(),
  heapMiB: (_input: unknown) => heapMiB(),
  /** What is taken for new values, when many were made. */
  youngAfterLitter(_input: null): number {
    litter()
    return spaceMiB('new_space')
  },
  writerThread: (_sql: Sql, _input: null) => threadId,
  setMeta(sql: Sql, { name, value, fail }: { name: string; value: string; fail?: boolean }): void {
    sql.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value').run([name, value])
    if (fail === true) throw new SpacedriveError('REFUSED', 'refused after the insert')
  }
})
