import assert from 'node:assert/strict'
import {
  type Audit,
  audit,
  dispatchAction,
  MAX_AUDIT_PATHS,
  MAX_AUDIT_ROWS,
  runAction
} from '../../../storage/audit/index.js'
import { eventBus, type JobId, silentLog, systemClock } from '../../../storage/base/index.js'
import { type Database, openDatabase } from '../../../storage/sql/index.js'
import { tempDir } from '../../temp.js'
import { filling } from './filling.worker.js'

/** Jobs as the manager would tell of them. */
type Told = Record<string, { endedAt: number | null; state: string; problems: number; output?: unknown }>

describe('audit log', () => {
  const dir = tempDir()
  const events = eventBus()
  let jobs: Told
  let db: Database
  let log: Audit
  let nowMs = Date.UTC(2026, 0, 1)

  const open = async (): Promise<void> => {
    db = await openDatabase({ file: `${dir.path}/audit.db`, schema: 'instance' })
    const info = (id: JobId) => {
      if (jobs[id] === undefined) throw Object.assign(new Error(), { code: 'JOB_UNKNOWN' })
      return { progress: null, error: null, ...jobs[id] }
    }
    log = audit({
      ...{ db, events, log: silentLog, jobs: { info: info as never } },
      clock: { ...systemClock, nowMs: () => nowMs }
    })
    await log.start()
  }
  const close = async (): Promise<void> => {
    await log.stop()
    await db.close()
  }
  const last = () => log.list({ tail: 1 })[0]!

  before(() => {
    jobs = {}
    return open()
  })
  after(async () => {
    await close()
    dir.clean()
  })

  it('an action is previewed, logged before it begins, and completed', async () => {
    const order: string[] = []
    const output = await runAction(log, {
      command: 'file.test',
      asked: ['/asked'],
      async preview() {
        order.push(`preview with ${log.list().length} entries`)
        return 7
      },
      describe: n => ({ paths: ['/a', '/b'], pathCount: n, details: { rule: 'oldest' } }),
      async execute(n) {
        order.push(`${last().outcome} ${last().paths.join()}`)
        return n * 2
      },
      counts: n => ({ files: n, bytes: 5, problems: 0 })
    })
    assert.equal(output, 14)
    assert.deepEqual(order, ['preview with 0 entries', 'running /a,/b'])
    const { outcome, files, bytes, pathCount, origin, details } = last()
    assert.deepEqual(
      [outcome, files, bytes, pathCount, origin, details],
      ['done', 14, 5, 7, 'this device', { rule: 'oldest' }]
    )
  })

  it('refused, failed, with problems: each is said', async () => {
    const action = { command: 'file.test', asked: ['/x'], preview: async () => 0, counts: () => ({ problems: 2 }) }
    const refuse = async (): Promise<number> => {
      throw Object.assign(new Error('not this'), { code: 'PROTECTED' })
    }
    await assert.rejects(runAction(log, { ...action, preview: refuse, execute: async () => 0 }))
    assert.deepEqual(
      [last().outcome, last().error, last().paths],
      ['refused', { code: 'PROTECTED', message: 'not this' }, ['/x']]
    )
    await assert.rejects(runAction(log, { ...action, execute: refuse }))
    assert.equal(last().outcome, 'failed')
    await runAction(log, { ...action, execute: async () => 0 })
    assert.deepEqual([last().outcome, last().problems], ['problems', 2])
  })

  it("a job's end is the action's, also when it ended before, and over a restart", async () => {
    const dispatch = async (job: string) =>
      dispatchAction(log, {
        ...{ command: 'file.test', asked: [], preview: async () => 0 },
        begin: async () => job as JobId
      })
    jobs = { soon: { endedAt: 1, state: 'completed', problems: 0, output: { files: 3, bytes: 9 } } }
    await dispatch('soon')
    assert.deepEqual([last().outcome, last().files, last().bytes], ['done', 3, 9])

    jobs = {
      long: { endedAt: null, state: 'running', problems: 0 },
      gone: { endedAt: null, state: 'running', problems: 0 }
    }
    await dispatch('long')
    await dispatch('gone')
    await log.begin({ command: 'file.test', paths: ['/interrupted'] })
    await close()
    jobs = { long: { endedAt: 5, state: 'completed-with-problems', problems: 1 } }
    await open()
    assert.deepEqual(
      log.list({ tail: 3 }).map(r => [r.job, r.outcome, r.error?.code]),
      [
        ['long', 'problems', undefined],
        ['gone', 'failed', 'INTERRUPTED'],
        [null, 'failed', 'INTERRUPTED']
      ]
    )
  })

  it('by command, by its first word, since a time', async () => {
    nowMs += 1_000
    await log.begin({ command: 'file.trash.empty', paths: [] })
    await log.begin({ command: 'filed.other', paths: [] })
    assert.equal(log.list({ command: 'file.trash' }).length, 1)
    assert.ok(log.list({ command: 'file' }).every(r => r.command.startsWith('file.')))
    assert.deepEqual(
      log.list({ sinceMs: nowMs }).map(r => r.command),
      ['file.trash.empty', 'filed.other']
    )
  })

  it('the first paths are kept, all are counted', async () => {
    const paths = Array.from({ length: MAX_AUDIT_PATHS + 1 }, (_, i) => `/p${i}`)
    await log.begin({ command: 'file.test', paths })
    assert.deepEqual([last().paths.length, last().pathCount], [MAX_AUDIT_PATHS, MAX_AUDIT_PATHS + 1])
  })

  it('no more than so many rows, and none older than a year', async () => {
    const before = log.list({ tail: 1 })[0]!.id
    await db.write(filling.fill, { rows: MAX_AUDIT_ROWS, at: nowMs })
    await close()
    await open()
    const { n } = db.get<{ n: number }>('SELECT count(*) AS n FROM audit')!
    assert.equal(n, MAX_AUDIT_ROWS)
    assert.equal(db.get('SELECT 1 FROM audit WHERE id <= ?', [before]), undefined, 'the oldest went')
    nowMs += 366 * 24 * 60 * 60 * 1000
    await close()
    await open()
    assert.equal(log.list().length, 0)
  })
})
