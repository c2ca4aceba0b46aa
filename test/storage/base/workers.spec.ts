import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type WorkerPool, workerPool } from '../../../storage/base/index.js'
import { counting } from './counting.worker.js'

describe('workerPool', () => {
  let pool: WorkerPool
  beforeEach(() => {
    pool = workerPool(2)
  })
  afterEach(() => pool.close())

  it('runs tasks of a worker file, more than there are threads', async () => {
    const sums = await Promise.all(Array.from({ length: 20 }, (_, i) => pool.run(counting.add, { a: i, b: 1 })))
    assert.deepEqual(
      sums,
      Array.from({ length: 20 }, (_, i) => i + 1)
    )
  })
  it('hands on what a task emits, in order, before its result', async () => {
    const seen: number[] = []
    assert.equal(await pool.run(counting.emitUpTo, 5, { onEmit: (n: number) => seen.push(n) }), 5)
    assert.deepEqual(seen, [0, 1, 2, 3, 4])
  })
  it('an error crosses by code, with its hint', async () => {
    await assert.rejects(pool.run(counting.fail, 'ten'), { code: 'COUNTED_OUT', message: 'ten', hint: 'count again' })
  })
  it('an aborted task rejects with the reason itself', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const running = pool.run(counting.untilAborted, null, {
      signal: controller.signal,
      onEmit: () => controller.abort(reason)
    })
    await assert.rejects(running, reason)
    assert.equal(await pool.run(counting.add, { a: 1, b: 1 }), 2)
  })
  it('a thread that dies fails its own call, and the pool goes on', async () => {
    await assert.rejects(pool.run(counting.die, null), { code: 'WORKER_DIED' })
    assert.equal(await pool.run(counting.add, { a: 2, b: 2 }), 4)
  })
  it('close fails what waits and what runs', async () => {
    const signal = new EventTarget()
    const running = pool.run(counting.untilAborted, null, { onEmit: () => signal.dispatchEvent(new Event('started')) })
    const outcome = assert.rejects(running, { code: 'STOPPED' })
    await once(signal, 'started')
    await pool.close()
    await outcome
  })
  it('a link is posted to while it runs, beside tasks and other links', async () => {
    const seen: number[] = []
    const links = Array.from({ length: 10 }, () =>
      pool.link(counting.sumPosts, null, { onEmit: (n: number) => seen.push(n) })
    )
    for (const link of links) for (let i = 1; i <= 4; i++) link.post(i)
    assert.equal(await pool.run(counting.add, { a: 1, b: 1 }), 2)
    for (const link of links) link.post('stop')
    assert.deepEqual(await Promise.all(links.map(l => l.result)), Array(10).fill(10))
    assert.equal(seen.length, 40)
    links[0]!.post(1) // nobody is there any more
  })
  it('links that last lie in one thread, whatever runs beside them', async () => {
    const begin = async (lasts: boolean): Promise<{ thread: number; end(): Promise<void> }> => {
      let told = (_thread: number): void => {}
      const thread = new Promise<number>(resolve => (told = resolve))
      const link = pool.link(counting.threadOf, null, { lasts, onEmit: told as (value: never) => void })
      const end = async (): Promise<void> => {
        link.post(null)
        await link.result
      }
      return { thread: await thread, end }
    }
    const lasting = [await begin(true), await begin(true)]
    const others = await Promise.all([begin(false), begin(false), begin(false)])
    lasting.push(await begin(true))
    assert.equal(new Set(lasting.map(l => l.thread)).size, 1)
    assert.ok(
      others.some(o => o.thread !== lasting[0]!.thread),
      'what passes has a thread besides'
    )
    for (const link of [...lasting, ...others]) await link.end()
  })
  it('an aborted link rejects with the reason itself, a dead thread by code, a closed pool with STOPPED', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const link = pool.link(counting.sumPosts, null, { signal: controller.signal })
    controller.abort(reason)
    await assert.rejects(link.result, reason)
    const dying = pool.link(counting.sumPosts, null)
    dying.post('die')
    await assert.rejects(dying.result, { code: 'WORKER_DIED' })
    const last = pool.link(counting.sumPosts, null)
    const outcome = assert.rejects(last.result, { code: 'STOPPED' })
    await pool.close()
    await outcome
    await assert.rejects(pool.link(counting.sumPosts, null).result, { code: 'STOPPED' })
  })
})
