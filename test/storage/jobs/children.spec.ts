import assert from 'node:assert/strict'
import type { ProgressFields } from '../../../storage/base/index.js'
import { fatal, type JobDefinition } from '../../../storage/jobs/index.js'
import { tempDir } from '../../temp.js'
import { countingJob } from './counting-job.js'
import { gate, type JobFixture, openJobs, simpleJob } from './fixture.js'

describe('child jobs', () => {
  const dir = tempDir()
  const opened: JobFixture[] = []
  let n = 0
  const open = async (kinds: readonly unknown[], maxRunning?: number, file = `${n++}`): Promise<JobFixture> => {
    const fixture = await openJobs(`${dir.path}/${file}.db`, kinds as never, maxRunning)
    opened.push(fixture)
    return fixture
  }
  afterEach(async () => {
    for (const fixture of opened.splice(0)) await fixture.close()
  })
  after(() => dir.clean())

  // biome-ignore lint/suspicious/noExplicitAny: children of any kind
  const parentOf = (child: JobDefinition<any, any, any>, inputs: unknown[]) =>
    simpleJob<{ states: string[] }>(
      'parent',
      [
        {
          name: 'Spawning',
          async execute(ctx) {
            const children = await Promise.all(inputs.map((input, i) => ctx.spawn(child, input, { key: `${i}` })))
            const outcomes = await Promise.all(children.map(c => c.outcome()))
            ctx.state.states = outcomes.map(o => o.state)
          }
        }
      ],
      { state: () => ({ states: [] }) }
    )

  it('their progress adds up in the parent, with a single place for all', async () => {
    const count = countingJob()
    const parent = parentOf(count, [{ to: 10 }, { to: 20 }, { to: 30 }])
    const f = await open([count, parent], 1)
    const handle = await f.jobs.dispatch(parent, {})
    const { output } = await handle.outcome()
    assert.deepEqual(output, { states: ['completed', 'completed', 'completed'] })
    const info = f.jobs.info(handle.id)
    assert.deepEqual([info.progress?.doneFiles, info.progress?.totalFiles], [60, 60])
    assert.equal(info.children.length, 3)
    const seen = f.said.filter(e => e.type === 'job:progress' && e.job === handle.id) as unknown as ProgressFields[]
    for (const [i, p] of seen.entries()) assert.ok(i === 0 || p.doneFiles >= seen[i - 1]!.doneFiles, 'done never falls')
  })

  it('nesting goes on with one place, and ends at a depth that can only be a mistake', async () => {
    const self: JobDefinition<Record<string, never>, { states: string[] }, unknown> = simpleJob<{ states: string[] }>(
      'self',
      [
        {
          name: 'Again',
          async execute(ctx) {
            const { state, error } = await (await ctx.spawn(self as never, {}, { key: 'again' })).outcome()
            if (state === 'failed') throw fatal(error!.message, { code: error!.code })
          }
        }
      ],
      { state: () => ({ states: [] }) }
    ) as never
    const f = await open([self], 1)
    const { error } = await (await f.jobs.dispatch(self, {})).outcome()
    assert.equal(error?.code, 'JOB_DEPTH')
  })

  it('a child that nobody waited for is waited for at the end; its failure is a problem of the parent', async () => {
    const bad = simpleJob('bad', [{ name: 'A', execute: () => Promise.reject(fatal('broken')) }])
    const parent = simpleJob('parent', [
      { name: 'A', execute: async ctx => void (await ctx.spawn(bad, {}, { key: 'only' })) }
    ])
    const f = await open([bad, parent])
    const handle = await f.jobs.dispatch(parent, {})
    assert.equal((await handle.outcome()).state, 'completed-with-problems')
    assert.match(f.jobs.info(handle.id).problemList[0]!.message, /broken/)
  })

  it('pause, resume and cancel of the parent reach its children', async () => {
    const g = gate()
    let begun = 0
    const child = simpleJob('child', [
      {
        name: 'A',
        async execute(ctx) {
          begun++
          await g.pass(ctx.signal)
        }
      }
    ])
    const parent = parentOf(child, [{}, {}])
    const f = await open([child, parent], 1)
    const handle = await f.jobs.dispatch(parent, {})
    await g.reached
    await f.jobs.pause(handle.id)
    const states = (): string[] => f.jobs.info(handle.id).children.map(c => c.state)
    assert.deepEqual(states(), ['paused', 'paused'])
    await f.jobs.resume(handle.id)
    g.open()
    assert.equal((await handle.outcome()).state, 'completed')
    assert.equal(f.jobs.info(handle.id).children.length, 2, 'the same key gives the child that was begun')
    assert.ok(begun >= 2)

    const g2 = gate()
    const slow = simpleJob('slow', [{ name: 'A', execute: ctx => g2.pass(ctx.signal) }])
    const other = simpleJob('other', [
      { name: 'A', execute: async ctx => void (await (await ctx.spawn(slow, {}, { key: 's' })).outcome()) }
    ])
    f.jobs.register(slow)
    f.jobs.register(other)
    const second = await f.jobs.dispatch(other, {})
    await g2.reached
    await f.jobs.cancel(second.id)
    assert.deepEqual(
      f.jobs.info(second.id).children.map(c => c.state),
      ['cancelled']
    )
  })

  it('a parent that fails takes its children along; resumed, it begins them anew', async () => {
    const g = gate()
    let fail = true
    const child = simpleJob('child', [
      {
        name: 'A',
        async execute(ctx) {
          if (fail) await g.pass(ctx.signal)
        }
      }
    ])
    const parent = simpleJob('parent', [
      {
        name: 'A',
        async execute(ctx) {
          const { outcome } = await ctx.spawn(child, {}, { key: 'c' })
          if (!fail) return void assert.equal((await outcome()).state, 'completed')
          await g.reached
          throw fatal('gave up')
        }
      }
    ])
    const f = await open([child, parent])
    const handle = await f.jobs.dispatch(parent, {})
    assert.equal((await handle.outcome()).state, 'failed')
    assert.deepEqual(
      f.jobs.info(handle.id).children.map(c => c.state),
      ['cancelled']
    )
    fail = false
    await f.jobs.resume(handle.id)
    assert.equal((await handle.outcome()).state, 'completed')
  })

  it('a child with the serial key of its parent is no deadlock', async () => {
    const child = simpleJob('child', [{ name: 'A', async execute() {} }], { serial: () => 'same' })
    const parent = simpleJob(
      'parent',
      [{ name: 'A', execute: async ctx => void (await (await ctx.spawn(child, {}, { key: 'c' })).outcome()) }],
      { serial: () => 'same' }
    )
    const f = await open([child, parent], 1)
    const handles = [await f.jobs.dispatch(parent, {}), await f.jobs.dispatch(parent, {})]
    for (const handle of handles) assert.equal((await handle.outcome()).state, 'completed')
  })

  it('children go with their parent when it is too old to be kept', async () => {
    const count = countingJob()
    const parent = parentOf(count, [{ to: 1 }])
    const f = await open([count, parent], undefined, 'old')
    await (await f.jobs.dispatch(parent, {})).outcome()
    await f.close()
    opened.splice(0)
    const again = await open([count, parent], undefined, 'old')
    assert.equal(again.jobs.list().length, 2)
    const { jobWrites } = await import('../../../storage/jobs/jobs.worker.js')
    assert.equal(await again.db.write(jobWrites.pruneJobs, { before: 0, keep: 1 }), 0)
    await again.db.write(jobWrites.pruneJobs, { before: 0, keep: 0 })
    assert.deepEqual(again.jobs.list(), [])
  })
})
