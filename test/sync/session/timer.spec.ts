import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../../storage/base/index.js'
import type { Watcher } from '../../../storage/watcher/index.js'
import { LOOK_INTERVAL_MS } from '../../../sync/session/standing.js'
import { type ManualClock, manualClock } from '../../manual-clock.js'
import { type HistoryFixture, openHistory } from '../history/fixture.js'

/** It watches as it should, and nothing of what it sees arrives. */
const deaf = (real: Watcher): Watcher => ({
  watch: (request, listener) => real.watch(request, { ...listener, changes: async () => {} })
})

describe('a sync that its watcher tells nothing', () => {
  let fixture: HistoryFixture
  let clock: ManualClock
  let sleeps: number
  const until = async (fits: () => boolean): Promise<void> => {
    while (!fits()) {
      await new Promise<void>(resolve => {
        const off = fixture.events.onAny(() => {
          off()
          resolve()
        })
      })
    }
  }
  const rests = (): boolean => {
    const { state, working } = fixture.syncs.standing(fixture.sync())
    return state === 'watching' && !working && fixture.syncs.status(fixture.sync()).state === 'converged'
  }

  beforeEach(async () => {
    clock = manualClock()
    sleeps = 0
    const counted: Clock = {
      ...clock,
      sleep(ms, options) {
        sleeps++
        return clock.sleep(ms, options)
      }
    }
    fixture = await openHistory({ mode: 'mirror', background: { clock: counted, watcher: deaf } })
    writeFileSync(join(fixture.source, 'first'), 'first')
    await clock.advance(10_000) // a new one rests for a moment
    await until(() => existsSync(join(fixture.destination, 'first')) && rests())
  })
  afterEach(() => fixture.close())

  it('finds what changed when it looks at everything, about once an hour', async () => {
    for (const name of ['second', 'third']) {
      writeFileSync(join(fixture.source, name), name)
      const before = sleeps
      await clock.advance(LOOK_INTERVAL_MS * 0.79)
      assert.equal(sleeps, before, 'until then it does not even wake')
      assert.equal(existsSync(join(fixture.destination, name)), false)
      await clock.advance(LOOK_INTERVAL_MS * 0.42)
      await until(() => existsSync(join(fixture.destination, name)) && rests())
    }
  })
})
