import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { planning } from '../../../sync/session/plan.worker.js'
import { planWriter, withPlan } from '../../../sync/session/plan-file.js'
import { sharedPool } from '../../shared-pool.js'
import { planHeld } from './plan-held.worker.js'

/** More than SQLite waits for a lock unless it is told otherwise. */
const READING_MS = 6_000

describe('the file of a plan, read for long', () => {
  let dir: string
  const pool = sharedPool()

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'plan-held-'))
  })
  after(async () => {
    await pool.close()
    rmSync(dir, { recursive: true })
  })

  it('what was read back waits, and is written', async () => {
    const planFile = join(dir, 'plan.db')
    withPlan(planFile, sql => planWriter(sql).end())
    let read: Promise<void> | undefined
    await new Promise<void>((resolve, reject) => {
      read = pool.run(planHeld.read, { planFile, ms: READING_MS }, { onEmit: () => resolve() })
      read.catch(reject)
    })
    const none = new Uint8Array(0)
    const traces = {
      ...{ ids: Float64Array.of(7), modes: Uint16Array.of(0o644), numbers: BigInt64Array.of(1n, 0n, 0n) },
      ...{ identities: Uint8Array.of(0), hashes: none, learnt: Uint8Array.of(0) }
    }
    await pool.run(planning.achieved, { planFile, traces })
    await read
    const rows = withPlan(planFile, sql => sql.prepare('SELECT first, last FROM achieved').all())
    assert.deepEqual(rows, [{ first: 7, last: 7 }])
  })
})
