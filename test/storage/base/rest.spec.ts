import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { HEAP_FLAGS } from '../../../node/cli/local/spawn-daemon.js'
import { workerPool } from '../../../storage/base/index.js'
import { RestWatch } from '../../../storage/base/rest-watch.js'
import { openDatabase, restWriters } from '../../../storage/sql/index.js'
import { tempDir } from '../../temp.js'
import { counting } from './counting.worker.js'

describe('a pool that comes to rest', () => {
  it('keeps one thread, does what is to be done then, and works on', async () => {
    const pool = workerPool(3, { windowMs: 20, worthMs: 0 })
    try {
      let told = (): void => {}
      pool.whenAtRest(counting.nothing, { done: () => told() })
      const threads = () => Promise.all([0, 1, 2].map(() => pool.run(counting.thread, null)))
      let before: number[] = []
      // The second rest comes after other work: the first was not the last.
      for (let time = 0; time < 2; time++) {
        const rested = new Promise<void>(resolve => {
          told = resolve
        })
        const now = await threads()
        assert.equal(new Set(now).size, 3)
        assert.equal(now.filter(id => before.includes(id)).length, time === 0 ? 0 : 1)
        before = now
        await rested
      }
    } finally {
      await pool.close()
    }
  })

  it('is at rest only after much was done, and when hardly anything is any more', async () => {
    let busy = false
    let rests = 0
    let rested = (): void => {}
    const watch = new RestWatch({
      ...{ windowMs: 10, worthMs: 100 },
      isBusy: () => busy,
      atRest() {
        rests++
        rested()
      }
    })
    const next = (): Promise<void> => new Promise(resolve => (rested = resolve))
    const windows = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await new Promise(resolve => setTimeout(resolve, 10))
    }
    watch.worked(99)
    await windows(5)
    assert.equal(rests, 0, 'little was done')
    busy = true
    watch.worked(1)
    await windows(5)
    assert.equal(rests, 0, 'something goes on')
    const first = next()
    busy = false
    await first
    assert.equal(rests, 1)
    await windows(5)
    assert.equal(rests, 1, 'nothing was done since')
    const second = next()
    watch.worked(100)
    await second
    watch.stop()
  })

  it('on a machine that has much else to do, what took the clock and hardly the processor is rest', async () => {
    let used = 0
    let rested = (): void => {}
    const rest = new Promise<void>(resolve => (rested = resolve))
    let rests = 0
    const watch = new RestWatch({
      ...{ windowMs: 10, worthMs: 100, isBusy: () => false, usedMs: () => used },
      atRest() {
        rests++
        rested()
      }
    })
    // Each window has work in it by the clock; the first few by the processor as well.
    const work = setInterval(() => {
      watch.worked(100)
      if (used < 500) used += 100
    }, 2)
    try {
      await rest
      assert.equal(rests, 1)
      assert.equal(used, 500)
    } finally {
      clearInterval(work)
      watch.stop()
    }
  })

  it('ends threads that nobody needs for a while, but the first', async () => {
    const pool = workerPool(3, { lingerMs: 20 })
    try {
      const threads = () => Promise.all([0, 1, 2].map(() => pool.run(counting.thread, null)))
      const [first, ...others] = await threads()
      for (let now = others; now.some(id => others.includes(id)); [, ...now] = await threads()) {
        const until = performance.now() + 30
        while (performance.now() < until) assert.equal(await pool.run(counting.thread, null), first)
      }
      assert.equal(await pool.run(counting.thread, null), first)
    } finally {
      await pool.close()
    }
  })

  it('a thread that filled its heap with garbage gives it back before its next task', async () => {
    const pool = workerPool(1)
    try {
      const full = await pool.run(counting.litter, null)
      const after = await pool.run(counting.heapMiB, null)
      assert.ok(after < full / 2, `${full} MiB, then ${after}`)
    } finally {
      await pool.close()
    }
  })

  it('a thread in which there is only what lasts gives back its garbage, and goes on', async () => {
    const pool = workerPool(1, { windowMs: 20, worthMs: 0 })
    try {
      const said: number[] = []
      let told = (): void => {}
      const next = (): Promise<void> => new Promise(resolve => (told = resolve))
      const littered = next()
      const { result, post } = pool.link(counting.litterAndLast, null, {
        lasts: true,
        onEmit: (mib: number) => {
          said.push(mib)
          told()
        }
      })
      await littered
      const rested = next()
      pool.whenAtRest(counting.nothing, { done: () => post('say') })
      await pool.run(counting.nothing, undefined)
      await rested
      post('end')
      await result
      const [full, after] = said as [number, number]
      assert.ok(after < full / 2, `${full} MiB, then ${after}`)
    } finally {
      await pool.close()
    }
  })

  it('a writer gives back what it took, and writes on', async () => {
    const dir = tempDir()
    const db = await openDatabase({ file: `${dir.path}/a.db`, schema: 'instance' })
    try {
      const full = (await db.maintain(counting.litter as never, null)) as number
      await restWriters()
      const after = (await db.maintain(counting.heapMiB as never, null)) as number
      assert.ok(after < full / 2, `${full} MiB, then ${after}`)
      await db.write(counting.setMeta, { name: 'a', value: '1' })
    } finally {
      await db.close()
      dir.clean()
    }
  })

  it('threads of a daemon have young heaps of their own size, and are collected when theirs is twice what is in use', async () => {
    const child = fork(fileURLToPath(new URL('./young-role.js', import.meta.url)), { execArgv: HEAP_FLAGS })
    const [{ youngMiB, mostMiB, heldMiB }] = (await once(child, 'message')) as [
      { youngMiB: number; mostMiB: number; heldMiB: number }
    ]
    if (child.exitCode === null) await once(child, 'exit')
    assert.ok(youngMiB <= 8, `${youngMiB} MiB`)
    assert.ok(mostMiB < 3 * heldMiB, `${mostMiB} MiB for ${heldMiB}`)
  })

  it("memory that was freed is the system's again", async () => {
    const child = fork(fileURLToPath(new URL('./memory-role.js', import.meta.url)), { execArgv: ['--expose-gc'] })
    const [{ supported, heldMiB, keptMiB }] = (await once(child, 'message')) as [
      { supported: boolean; heldMiB: number; keptMiB: number }
    ]
    if (child.exitCode === null) await once(child, 'exit')
    // Where the C library gives it back by itself there is no such call.
    if (supported) assert.ok(heldMiB - keptMiB > 40, `${heldMiB} MiB before, ${keptMiB} after`)
    else assert.ok(!process.report.getReport || process.platform !== 'linux' || !isGnu(), 'the GNU C library has it')
  })
})

const isGnu = (): boolean =>
  (process.report.getReport() as { header?: { glibcVersionRuntime?: string } }).header?.glibcVersionRuntime !==
  undefined
