import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Clock, hasCode, systemClock } from '../../../storage/base/index.js'
import { LOCK_NAME } from '../../../sync/session/index.js'
import { look, openSync, type SyncFixture } from './fixture.js'

const LOCK = pathToFileURL(join(import.meta.dirname, '../../../storage/sql/index.js')).href
/** Another process that holds a lock until it is killed. */
const HOLDER = `
  const { acquireLock } = await import(${JSON.stringify(LOCK)})
  acquireLock(process.argv[1], 'it')
  process.stdout.write('held\\n')
  setInterval(() => {}, 1e6)`

describe('a folder that another daemon writes to', () => {
  let fixture: SyncFixture
  afterEach(() => fixture.close())
  const hold = async () => {
    const file = join(fixture.destination, '.spacedrive', LOCK_NAME)
    const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, file], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    await once(holder.stdout, 'data')
    return holder
  }
  /** Whoever sleeps sleeps as long as it says at once. */
  const hurried = (onSleep: () => Promise<void>): Clock => {
    let passedMs = 0
    return {
      ...systemClock,
      monotonicMs: () => systemClock.monotonicMs() + passedMs,
      async sleep(ms) {
        passedMs += ms
        await onSleep()
      }
    }
  }

  it('is waited for, and written to when the other one is through or was killed', async () => {
    let holder: Awaited<ReturnType<typeof hold>> | undefined
    let slept = 0
    const clock = hurried(async () => {
      if (++slept !== 3 || holder === undefined) return
      const ended = once(holder, 'exit')
      holder.kill('SIGKILL')
      await ended
    })
    fixture = await openSync({ mode: 'mirror', clock })
    writeFileSync(join(fixture.source, 'f'), '1')
    await fixture.run()
    holder = await hold()
    writeFileSync(join(fixture.source, 'f'), '2')
    const outcome = await fixture.run()
    assert.equal(outcome.state, 'done')
    assert.equal(slept, 3)
    assert.deepEqual(look(fixture.destination), look(fixture.source))
  })

  it('is left alone after half a minute, nothing of the run stays; what changes nothing does not wait', async () => {
    fixture = await openSync({ mode: 'bidirectional', clock: hurried(async () => {}) })
    for (const name of ['f', 'g']) writeFileSync(join(fixture.source, name), '1')
    await fixture.run()
    const holder = await hold()
    try {
      assert.equal((await fixture.run()).state, 'done')
      const before = look(fixture.destination)
      writeFileSync(join(fixture.source, 'f'), '2')
      rmSync(join(fixture.source, 'g'))
      await assert.rejects(fixture.run(), err => hasCode(err, 'ROOT_BUSY'))
      assert.deepEqual(look(fixture.destination), before)
      for (const end of [fixture.source, fixture.destination])
        assert.deepEqual(readdirSync(join(end, '.spacedrive/staging')), [])
    } finally {
      holder.kill('SIGKILL')
      await once(holder, 'exit')
    }
    await fixture.run()
    assert.deepEqual(look(fixture.destination), look(fixture.source))
  })
})
