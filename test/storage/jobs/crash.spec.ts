import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { JobId } from '../../../storage/base/index.js'
import { jobWrites } from '../../../storage/jobs/jobs.worker.js'
import { openDatabase } from '../../../storage/sql/index.js'
import { tempDir } from '../../temp.js'
import { openJobs, simpleJob } from './fixture.js'

const CHILD = fileURLToPath(new URL('./crash-child.js', import.meta.url))

function start(file: string, to: number): { child: ChildProcess; lines: AsyncIterableIterator<string> } {
  const child = spawn(process.execPath, [CHILD, file, String(to)], { stdio: ['ignore', 'pipe', 'inherit'] })
  return { child, lines: createInterface({ input: child.stdout! })[Symbol.asyncIterator]() }
}

describe('jobs and the end of the process', () => {
  const dir = tempDir()
  after(() => dir.clean())

  it('kill -9 at random moments: the job resumes each time, does everything and ends as if undisturbed', async () => {
    const TO = 300
    const file = `${dir.path}/crash.db`
    const random = Math.random
    let last = 0
    let cuts = 0
    let outcome: { state: string; output: { next: number; phases: string[] } } | undefined
    for (let round = 0; outcome === undefined; round++) {
      assert.ok(round < 60, 'it gets on')
      const { child, lines } = start(file, TO)
      // Killed after a few checkpoints, at the moment that the line of one arrives: while the next is on its way to the disk.
      let left = round < 8 ? 1 + Math.floor(random() * 6) : Number.POSITIVE_INFINITY
      const exited = once(child, 'exit')
      let first = true
      for await (const line of lines) {
        const [word, value] = line.split(/ (.*)/) as [string, string]
        if (word === 'outcome') outcome = JSON.parse(value)
        if (word === 'checkpoint') {
          if (first) assert.ok(Number(value) >= last - 7, `began at ${value}, after ${last} was said`)
          first = false
          last = Number(value)
          if (--left === 0) child.kill('SIGKILL')
        }
      }
      const [, signal] = await exited
      // It may have been done before the signal reached it.
      if (signal === 'SIGKILL' && outcome === undefined) cuts++
    }
    assert.equal(outcome.state, 'completed')
    assert.deepEqual(outcome.output, { next: TO, phases: ['Opening', 'Closing'] })
    const written = new Set(readFileSync(`${file}.out`, 'utf8').trimEnd().split('\n').map(Number))
    assert.equal(written.size, TO, 'every number was written')
    const db = await openDatabase({ file, schema: 'instance' })
    const { log } = db.get<{ log: number }>("SELECT count(*) AS log FROM job_log WHERE message LIKE 'resumed:%'")!
    assert.equal(log >= 1, cuts >= 1)
    await db.close()
  })

  /** A job as a crash leaves it: its row says running. */
  async function crashed(file: string, changes: Record<string, string | number>): Promise<JobId> {
    const f = await openJobs(file, [simpleJob('other', [])] as never)
    const { id } = await f.jobs.dispatchByName('other', {})
    await f.jobs.outcome(id)
    await f.db.write(jobWrites.saveJob, { id, changes: { state: 'running', ended_at: null, ...changes } })
    await f.db.close()
    return id
  }

  it('a job that ended the program three times without getting on waits for a person', async () => {
    const file = `${dir.path}/loop.db`
    const id = await crashed(file, { crashes: 2 })
    const f = await openJobs(file, [simpleJob('other', [])] as never)
    assert.equal(f.jobs.info(id).state, 'paused')
    assert.match(f.jobs.info(id).pausedBecause!, /3 times/)
    await f.jobs.resume(id)
    assert.equal((await f.jobs.outcome(id)).state, 'completed')
    await f.close()
  })

  it('twice is tried again', async () => {
    const file = `${dir.path}/twice.db`
    const id = await crashed(file, { crashes: 1 })
    const f = await openJobs(file, [simpleJob('other', [])] as never)
    assert.equal((await f.jobs.outcome(id)).state, 'completed')
    await f.close()
  })

  it('a job of a kind this version does not know waits, and can be cancelled', async () => {
    const file = `${dir.path}/unknown.db`
    const id = await crashed(file, {})
    const f = await openJobs(file)
    assert.match(f.jobs.info(id).pausedBecause!, /knows no jobs of the kind other/)
    await assert.rejects(f.jobs.resume(id), { code: 'JOB_STATE' })
    await f.jobs.cancel(id)
    assert.equal(f.jobs.info(id).state, 'cancelled')
    await f.close()
  })

  for (const [what, upgrade, phase, expected] of [
    ['a state of an older version is upgraded', true, 'Second', ['kept', 'Second']],
    ['without an upgrade the job begins anew', false, 'Second', ['First', 'Second']],
    ['a phase that this version no longer has: it begins anew', true, 'Gone', ['First', 'Second']]
  ] as const) {
    it(what, async () => {
      const file = `${dir.path}/${expected.join()}${phase}.db`
      const { encodeValue } = await import('../../../storage/jobs/codec.js')
      const id = await crashed(file, {})
      const db = await openDatabase({ file, schema: 'instance' })
      const changes = {
        phase,
        entered: 1,
        crashed: 1,
        state_version: 1,
        checkpoint: encodeValue({ old: 'kept' }, 'state')
      }
      await db.write(jobWrites.saveJob, { id, changes })
      await db.close()
      const push = (name: string) => ({
        name,
        execute: async (ctx: { state: { trace: string[] } }) => void ctx.state.trace.push(name)
      })
      const job = simpleJob('other', [push('First'), push('Second')] as never, {
        version: 2,
        ...(upgrade ? { upgrade: (s: unknown) => ({ trace: [(s as { old: string }).old] }) } : {})
      })
      const f = await openJobs(file, [job] as never)
      const { output } = await f.jobs.outcome(id)
      assert.deepEqual(output, { trace: expected })
      await f.close()
    })
  }
})
