import assert from 'node:assert/strict'
import type { JobId } from '../../../storage/base/index.js'
import { jobWrites } from '../../../storage/jobs/jobs.worker.js'
import {
  MAX_ENDED_JOBS,
  MAX_HISTORY,
  MAX_LOG_LINES,
  MAX_STATE_BYTES,
  MAX_STORED_PROBLEMS,
  MAX_TEXT,
  MAX_WAITING,
  RETENTION_MS
} from '../../../storage/jobs/limits.js'
import { tempDir } from '../../temp.js'
import { gate, type JobFixture, openJobs, simpleJob } from './fixture.js'

describe('limits of jobs', () => {
  const dir = tempDir()
  let f: JobFixture | undefined
  let n = 0
  const open = async (kinds: readonly unknown[], maxRunning?: number): Promise<JobFixture> => {
    f = await openJobs(`${dir.path}/${n++}.db`, kinds as never, maxRunning)
    return f
  }
  afterEach(async () => {
    await f?.close()
    f = undefined
  })
  after(() => dir.clean())

  it(`keeps the newest ${MAX_LOG_LINES} lines of a log, cut to ${MAX_TEXT} letters`, async () => {
    const chatty = simpleJob('chatty', [
      {
        name: 'A',
        async execute(ctx) {
          for (let i = 0; i < MAX_LOG_LINES; i++) ctx.log(`line ${i}`)
          await ctx.checkpoint()
          ctx.log('x'.repeat(MAX_TEXT))
          ctx.log('y'.repeat(MAX_TEXT + 1))
        }
      }
    ])
    const { jobs } = await open([chatty])
    const handle = await jobs.dispatch(chatty, {})
    await handle.outcome()
    const { log } = jobs.info(handle.id)
    assert.equal(log.length, MAX_LOG_LINES)
    assert.equal(log[0]!.message, 'line 2')
    assert.equal(log.at(-2)!.message, 'x'.repeat(MAX_TEXT))
    assert.equal(log.at(-1)!.message, `${'y'.repeat(MAX_TEXT)}...`)
  })

  it(`stores the first ${MAX_STORED_PROBLEMS} problems and counts all`, async () => {
    const sad = simpleJob('sad', [
      {
        name: 'A',
        async execute(ctx) {
          for (let i = 0; i < MAX_STORED_PROBLEMS + 1; i++) {
            ctx.problem({ path: `${i}`, code: 'X', message: 'x' })
            if (i === 10) await ctx.checkpoint()
          }
        }
      }
    ])
    const { jobs } = await open([sad])
    const handle = await jobs.dispatch(sad, {})
    assert.equal((await handle.outcome()).problems, MAX_STORED_PROBLEMS + 1)
    const { problemList } = jobs.info(handle.id)
    assert.equal(problemList.length, MAX_STORED_PROBLEMS)
    assert.equal(problemList[0]!.path, '0')
  })

  it(`remembers the newest ${MAX_HISTORY} phases`, async () => {
    const phases = Array.from({ length: MAX_HISTORY + 1 }, (_, i) => ({
      name: `P${i}`,
      when: () => i === 0,
      async execute() {}
    }))
    const long = simpleJob('long', phases)
    const { jobs } = await open([long])
    const handle = await jobs.dispatch(long, {})
    await handle.outcome()
    const { history } = jobs.info(handle.id)
    assert.equal(history.length, MAX_HISTORY)
    assert.equal(history[0]!.phase, 'P1')
  })

  it(`a state of exactly ${MAX_STATE_BYTES} bytes is stored, one more is refused`, async () => {
    const { encodeValue } = await import('../../../storage/jobs/codec.js')
    assert.equal(encodeValue(new Uint8Array(MAX_STATE_BYTES - 5), 'state').length, MAX_STATE_BYTES)
    assert.throws(() => encodeValue(new Uint8Array(MAX_STATE_BYTES - 4), 'state'), { code: 'JOB_STATE_TOO_LARGE' })
  })

  it('ended jobs go when they are too old or too many, waiting ones never', async () => {
    const quick = simpleJob('quick', [])
    const { jobs, db } = await open([quick])
    const ids: JobId[] = []
    for (let i = 0; i < 4; i++) {
      const handle = await jobs.dispatch(quick, {})
      await handle.outcome()
      ids.push(handle.id)
    }
    const now = Date.now()
    await db.write(jobWrites.saveJob, { id: ids[0]!, changes: { ended_at: now - RETENTION_MS - 1000 } })
    await db.write(jobWrites.pruneJobs, { before: now - RETENTION_MS, keep: MAX_ENDED_JOBS })
    assert.deepEqual(new Set(jobs.list().map(j => j.id)), new Set(ids.slice(1)))
    await db.write(jobWrites.pruneJobs, { before: 0, keep: 2 })
    assert.equal(jobs.list().length, 2)
    await db.write(jobWrites.saveJob, { id: ids[3]!, changes: { state: 'paused', ended_at: null } })
    await db.write(jobWrites.pruneJobs, { before: now + 10_000, keep: 0 })
    assert.deepEqual(
      jobs.list().map(j => j.id),
      [ids[3]]
    )
  })

  it(`${MAX_WAITING} may wait, one more is told so`, async () => {
    const { Scheduler } = await import('../../../storage/jobs/scheduler.js')
    const g = gate()
    const blocker = simpleJob('block', [{ name: 'A', execute: ctx => g.pass(ctx.signal) }])
    const { jobs } = await open([blocker], 1)
    await jobs.dispatch(blocker, {})
    await g.reached
    const real = Object.getOwnPropertyDescriptor(Scheduler.prototype, 'waiting')!
    Object.defineProperty(Scheduler.prototype, 'waiting', { get: () => MAX_WAITING - 1, configurable: true })
    try {
      await jobs.dispatch(blocker, {})
      Object.defineProperty(Scheduler.prototype, 'waiting', { get: () => MAX_WAITING, configurable: true })
      await assert.rejects(jobs.dispatch(blocker, {}), { code: 'JOB_QUEUE_FULL' })
    } finally {
      Object.defineProperty(Scheduler.prototype, 'waiting', real)
    }
  })
})
