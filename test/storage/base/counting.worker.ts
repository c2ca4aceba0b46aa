import { threadId } from 'node:worker_threads'
import { SpacedriveError } from '../../../storage/base/errors.js'
import { defineTasks, type LinkContext, type TaskContext } from '../../../storage/base/tasks.js'
import type { Sql } from '../../../storage/sql/open.js'

/** Tasks for the tests of the pool and of the database writer. */
export const counting = defineTasks(import.meta.url, {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  thread: (_input: null) => threadId,
  nothing: (_input: undefined) => {},
  emitUpTo(n: number, ctx: TaskContext): number {
    for (let i = 0; i < n; i++) ctx.emit(i)
    return n
  },
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
  die(_input: null): never {
    process.exit(3)
  },
  writerThread: (_sql: Sql, _input: null) => threadId,
  setMeta(sql: Sql, { name, value, fail }: { name: string; value: string; fail?: boolean }): void {
    sql.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value').run([name, value])
    if (fail === true) throw new SpacedriveError('REFUSED', 'refused after the insert')
  }
})
