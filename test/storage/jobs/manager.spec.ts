import assert from 'node:assert/strict'
import type { JobId } from '../../../storage/base/index.js'
import { fatal, type JobState } from '../../../storage/jobs/index.js'
import { tempDir } from '../../temp.js'
import { countingJob } from './counting-job.js'
import { gate, type JobFixture, openJobs, simpleJob } from './fixture.js'

describe('JobManager', () => {
  const dir = tempDir()
  const opened: JobFixture[] = []
  let n = 0
  const open = async (
    ...args: Parameters<typeof openJobs> extends [string, ...infer R] ? R : never
  ): Promise<JobFixture> => {
    const fixture = await openJobs(`${dir.path}/${n++}.db`, ...args)
    opened.push(fixture)
    return fixture
  }
  afterEach(async () => {
    for (const fixture of opened.splice(0)) await fixture.close()
  })
  after(() => dir.clean())
  const typesOf = (f: JobFixture, id: JobId): string[] =>
    f.said.filter(e => 'job' in e && e.job === id && e.type !== 'job:progress').map(e => e.type)

  it('a job of some fifty lines runs, counts, complains, logs and gives a typed output', async () => {
    const f = await open()
    const count = countingJob()
    f.jobs.register(count)
    const handle = await f.jobs.dispatch(count, { to: 100, batch: 10, complain: true })
    const outcome = await handle.outcome()
    assert.equal(outcome.output?.sum, 5050)
    assert.equal(outcome.state, 'completed-with-problems')
    const info = f.jobs.info(handle.id)
    assert.deepEqual(
      info.history.map(h => `${h.phase} ${h.status}`),
      ['Counting completed', 'Checking completed']
    )
    assert.deepEqual(
      info.log.map(l => `${l.phase}: ${l.message}`),
      ['Checking: the sum is 5050']
    )
    assert.equal(info.problems, 50)
    assert.equal(info.problemList.length, 50)
    assert.equal(info.title, 'count to 100')
    assert.deepEqual(info.output, { sum: 5050 })
    assert.deepEqual(typesOf(f, handle.id), ['job:queued', 'job:started', 'job:completed'])
  })

  it('by name from JSON, checked against the schema of the kind', async () => {
    const f = await open([countingJob()] as never)
    const { output } = await (await f.jobs.dispatchByName('count', { to: 3 })).outcome()
    assert.deepEqual(output, { sum: 6 })
    await assert.rejects(f.jobs.dispatchByName('count', { to: 'many' }), { code: 'JOB_INPUT', message: /to:/ })
    await assert.rejects(f.jobs.dispatchByName('count', { to: 1, too: 1 }), { code: 'JOB_INPUT', message: /too/ })
    await assert.rejects(f.jobs.dispatchByName('cuont', {}), { code: 'JOB_KIND_UNKNOWN', hint: /count/ })
    assert.equal((f.jobs.kinds()[0]!.schema as { type: string }).type, 'object')
  })

  it('pause keeps the state, resume goes on where it was, across a restart too', async () => {
    const g = gate()
    const at: number[] = []
    const make = (wait: boolean) =>
      countingJob(async i => {
        at.push(i)
        if (i === 25 && wait) await g.pass()
      })
    const file = `${dir.path}/pause.db`
    const first = await openJobs(file, [make(true)] as never)
    const { id } = await first.jobs.dispatchByName('count', { to: 40 })
    await g.reached
    const paused = first.jobs.pause(id)
    g.open()
    await paused
    assert.equal(first.jobs.info(id).state, 'paused')
    assert.equal(first.jobs.info(id).pausedBecause, 'a person paused it')
    await assert.rejects(first.jobs.pause(id), { code: 'JOB_STATE' })
    await first.close()

    const second = await openJobs(file, [make(false)] as never)
    assert.equal(second.jobs.info(id).state, 'paused', 'a job paused by a person stays paused')
    await second.jobs.resume(id)
    const { output } = await second.jobs.outcome(id)
    assert.deepEqual(output, { sum: 820 + sumOfRepeated(at) })
    assert.deepEqual(typesOf(second, id), ['job:queued', 'job:resumed', 'job:completed'])
    await assert.rejects(second.jobs.resume(id), { code: 'JOB_STATE', message: /completed/ })
    await second.close()
  })

  it('a waiting job is paused and cancelled without having begun', async () => {
    const g = gate()
    const blocker = simpleJob('block', [{ name: 'A', execute: () => g.pass() }])
    const f = await open([blocker, countingJob()] as never, 1)
    await f.jobs.dispatch(blocker, {})
    const a = await f.jobs.dispatchByName('count', { to: 3 })
    const b = await f.jobs.dispatchByName('count', { to: 3 })
    await f.jobs.pause(a.id)
    await f.jobs.cancel(b.id)
    assert.equal((await b.outcome()).state, 'cancelled')
    g.open()
    await f.jobs.resume(a.id)
    assert.deepEqual((await a.outcome()).output, { sum: 6 })
  })

  for (const when of ['running', 'paused'] as const) {
    it(`cancelling a ${when} job rolls its phase back and calls its hooks`, async () => {
      const g = gate()
      const said: string[] = []
      const job = simpleJob<{ made: number }>(
        'rollback',
        [
          {
            name: 'Making',
            async execute(ctx) {
              ctx.state.made = 3
              await ctx.checkpoint()
              await g.pass(ctx.signal)
            },
            onFailure: async ctx => void said.push(`unmade ${ctx.state.made}`)
          }
        ],
        {
          state: () => ({ made: 0 }),
          onPause: async s => void said.push(`pause ${s.made}`),
          onCancel: async s => void said.push(`cancel ${s.made}`)
        }
      )
      const f = await open([job] as never)
      const { id } = await f.jobs.dispatch(job, {})
      await g.reached
      if (when === 'paused') await f.jobs.pause(id)
      await f.jobs.cancel(id)
      assert.deepEqual(said, [...(when === 'paused' ? ['pause 3'] : []), 'unmade 3', 'cancel 3'])
      assert.equal(f.jobs.info(id).state, 'cancelled')
      await assert.rejects(f.jobs.cancel(id), { code: 'JOB_STATE' })
    })
  }

  it('a failed job says why and goes on from its last checkpoint when resumed', async () => {
    let broken = true
    const tried: number[] = []
    const count = countingJob(async i => {
      tried.push(i)
      if (i === 17 && broken) throw fatal('seventeen', { code: 'SEVENTEEN', hint: 'mend it' })
    })
    const f = await open([count] as never)
    const handle = await f.jobs.dispatch(count, { to: 20, batch: 5, complain: false })
    const failed = await handle.outcome()
    assert.deepEqual(failed.error, { code: 'SEVENTEEN', message: 'seventeen', hint: 'mend it' })
    assert.match(f.jobs.info(handle.id).log.at(-1)!.message, /seventeen/)
    broken = false
    await f.jobs.resume(handle.id)
    assert.deepEqual((await handle.outcome()).output, { sum: 210 })
    assert.deepEqual(tried.slice(17), [16, 17, 18, 19, 20])
  })

  it('begins waiting jobs by priority, then by age; critical ones beside a full house', async () => {
    const g = gate()
    const order: string[] = []
    const blocker = simpleJob('block', [{ name: 'A', execute: () => g.pass() }])
    const named = simpleJob('named', input => [{ name: 'A', execute: async () => void order.push(String(input.name)) }])
    const f = await open([blocker, named] as never, 1)
    await f.jobs.dispatch(blocker, {})
    await g.reached
    const handles = []
    for (const priority of ['low', 'normal', 'high', 'normal', 'low'] as const) {
      handles.push(await f.jobs.dispatch(named, { name: `${priority}${handles.length}` }, { priority }))
    }
    const critical = await f.jobs.dispatch(named, { name: 'critical' }, { priority: 'critical' })
    await critical.outcome()
    assert.deepEqual(order, ['critical'])
    g.open()
    await Promise.all(handles.map(h => h.outcome()))
    assert.deepEqual(order, ['critical', 'high2', 'normal1', 'normal3', 'low0', 'low4'])
  })

  it('never more at once than allowed, and one after the other with the same serial key', async () => {
    let now = 0
    let most = 0
    const bySerial = new Map<unknown, number>()
    const job = simpleJob(
      'busy',
      input => [
        {
          name: 'A',
          async execute(ctx) {
            now++
            most = Math.max(most, now)
            const same = (bySerial.get(input.key) ?? 0) + 1
            bySerial.set(input.key, same)
            assert.equal(same, 1, 'two jobs of one key at work')
            await ctx.checkpoint()
            bySerial.set(input.key, 0)
            now--
          }
        }
      ],
      { serial: input => String(input.key) }
    )
    const f = await open([job] as never, 3)
    const handles = await Promise.all(Array.from({ length: 24 }, (_, i) => f.jobs.dispatch(job, { key: i % 6 })))
    const outcomes = await Promise.all(handles.map(h => h.outcome()))
    assert.deepEqual([...new Set(outcomes.map(o => o.state))], ['completed'])
    assert.equal(most, 3)
  })

  it('list: those at work first, filtered by state; an id is found by either end', async () => {
    const g = gate()
    const blocker = simpleJob('block', [{ name: 'A', execute: () => g.pass() }])
    const f = await open([blocker, countingJob()] as never, 1)
    const done = await f.jobs.dispatchByName('count', { to: 1 })
    await done.outcome()
    const running = await f.jobs.dispatch(blocker, {})
    await g.reached
    const waiting = await f.jobs.dispatchByName('count', { to: 1 })
    const states = (filter?: { states?: JobState[]; limit?: number }) => f.jobs.list(filter).map(j => j.id)
    assert.deepEqual(states(), [running.id, waiting.id, done.id])
    assert.deepEqual(states({ states: ['completed', 'queued'] }), [waiting.id, done.id])
    assert.deepEqual(states({ limit: 1 }), [running.id])
    assert.equal(f.jobs.resolve(done.id.slice(-8)), done.id)
    assert.equal(f.jobs.resolve(done.id), done.id)
    assert.throws(() => f.jobs.resolve(done.id.slice(0, 6)), { code: 'JOB_AMBIGUOUS' })
    for (const bad of ['ffffffff', '%', "' OR 1", '']) assert.throws(() => f.jobs.resolve(bad), { code: 'JOB_UNKNOWN' })
    g.open()
    await waiting.outcome()
  })

  it('what a job at work says is shown before its next checkpoint', async () => {
    const g = gate()
    const job = simpleJob('talking', [
      {
        name: 'A',
        async execute(ctx) {
          ctx.log('so far so good')
          ctx.problem({ path: 'f', code: 'X', message: 'x' })
          await g.pass(ctx.signal)
        }
      }
    ])
    const f = await open([job] as never)
    const { id, outcome } = await f.jobs.dispatch(job, {})
    await g.reached
    const info = f.jobs.info(id)
    assert.deepEqual([info.log.map(l => l.message), info.problems, info.problemList.length], [['so far so good'], 1, 1])
    g.open()
    await outcome()
    assert.equal(f.jobs.info(id).log.length, 1)
  })

  it('a state that has grown too large, or is no plain value, fails the job with that reason', async () => {
    const job = (make: () => unknown) =>
      simpleJob('large', [
        {
          name: 'A',
          async execute(ctx) {
            ctx.state = make() as never
            await ctx.checkpoint()
          }
        }
      ])
    for (const [make, code] of [
      [() => ({ bytes: new Uint8Array(1024 * 1024 + 1) }), 'JOB_STATE_TOO_LARGE'],
      [() => ({ map: new Map() }), 'JOB_STATE_INVALID'],
      [() => ({ call: () => 1 }), 'JOB_STATE_INVALID']
    ] as const) {
      const f = await open([job(make)] as never)
      const { error } = await (await f.jobs.dispatchByName('large', {})).outcome()
      assert.equal(error?.code, code)
    }
  })

  it('stop lets every phase notice, keeps its state, and the next start goes on', async () => {
    const file = `${dir.path}/stop.db`
    const g = gate()
    const reached: number[] = []
    const first = await openJobs(file, [
      countingJob(async i => {
        reached.push(i)
        if (i === 12) await g.pass()
      })
    ] as never)
    const handle = await first.jobs.dispatchByName('count', { to: 20, batch: 100 })
    await g.reached
    const outcome = assert.rejects(handle.outcome(), { code: 'STOPPED' })
    const closed = first.close()
    g.open()
    await closed
    await outcome
    const second = await openJobs(file, [countingJob()] as never)
    assert.equal((await second.jobs.outcome(handle.id)).state, 'completed')
    await second.close()
  })
})

/** `inBatches` may repeat what was done since the last checkpoint; the sum then counts it twice, by design of that job. */
function sumOfRepeated(at: readonly number[]): number {
  const seen = new Set<number>()
  let repeated = 0
  for (const i of at) {
    if (seen.has(i)) repeated += i
    seen.add(i)
  }
  return repeated
}
