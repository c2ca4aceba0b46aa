import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../../storage/base/index.js'
import type { Watcher } from '../../../storage/watcher/index.js'
import { Alarm } from '../../../sync/session/alarm.js'
import { ADD_GRACE_MS } from '../../../sync/session/background.js'
import { BURST_MAX_MS, BURST_QUIET_MS, Burst, STOOD_STILL_MS } from '../../../sync/session/burst.js'
import { jumpClock } from '../../jump-clock.js'
import { manualClock } from '../../manual-clock.js'
import { openHistory } from '../history/fixture.js'
import { look } from './fixture.js'

describe('a burst of deletions', () => {
  function begun() {
    const manual = manualClock()
    let stoodStillMs = 0
    const clock: Clock = { ...manual, monotonicMs: () => manual.monotonicMs() + stoodStillMs }
    const alarm = new Alarm(clock, new AbortController().signal)
    const burst = new Burst(alarm, clock)
    const one = { over: false }
    const waits = (): Promise<void> =>
      burst.ended().then(() => {
        one.over = true
      })
    return {
      ...{ one, alarm, waits, advance: manual.advance },
      stand(ms: number): void {
        stoodStillMs += ms
      }
    }
  }

  it('is over when nothing more was told for a while, or when it took too long', async () => {
    const { one, alarm, waits, advance } = begun()
    const ended = waits()
    let passed = 0
    for (; passed < BURST_MAX_MS - BURST_QUIET_MS; passed += BURST_QUIET_MS - 1) {
      await advance(BURST_QUIET_MS - 1)
      alarm.wake()
    }
    await advance(0)
    assert.equal(one.over, false)
    await advance(BURST_MAX_MS - passed)
    await ended
    const other = begun()
    const soon = other.waits()
    await other.advance(BURST_QUIET_MS)
    await soon
  })

  it('is not over for a process that stood still and cannot have heard of more; it does not count against it', async () => {
    const { one, alarm, waits, advance, stand } = begun()
    const ended = waits()
    stand(2 * BURST_MAX_MS)
    await advance(BURST_QUIET_MS)
    assert.equal(one.over, false)
    alarm.wake()
    await advance(BURST_QUIET_MS - 1)
    assert.equal(one.over, false)
    await advance(BURST_QUIET_MS)
    await ended
  })

  it('comes to an end where every sleep is too long', async () => {
    const { one, waits, advance, stand } = begun()
    const ended = waits()
    let rounds = 0
    for (; !one.over; rounds++) {
      stand(STOOD_STILL_MS)
      await advance(BURST_QUIET_MS)
    }
    await ended
    assert.ok(rounds > 1 && rounds <= Math.ceil(BURST_MAX_MS / BURST_QUIET_MS), `${rounds} rounds`)
  })

  it('a mass deletion while the daemon stands still is judged whole: none of it is done at the other end', async () => {
    let standsStill = (): void => {}
    let hears = (): void => {}
    const heard = new Promise<void>(resolve => {
      hears = resolve
    })
    let isDeaf = false
    const jumping = jumpClock()
    const clock: Clock = {
      ...jumping,
      async sleep(ms, options) {
        if (ms !== BURST_QUIET_MS) return jumping.sleep(ms, options)
        if (isDeaf) {
          // It runs again: what came in meanwhile is handed on now.
          hears()
          return jumping.sleep(ms, options)
        }
        isDeaf = true
        standsStill()
        jumping.jump(BURST_MAX_MS)
      }
    }
    const watcher = (real: Watcher): Watcher => ({
      watch: (request, listener) =>
        real.watch(request, {
          ...listener,
          changes: async batch => {
            if (isDeaf) await heard
            return listener.changes(batch)
          }
        })
    })
    const fixture = await openHistory({ mode: 'mirror', background: { clock, watcher } })
    const state = (): string => fixture.syncs.status(fixture.sync()).state
    const until = async (fits: () => boolean): Promise<void> => {
      while (!fits())
        await new Promise<void>(resolve => {
          const off = fixture.events.onAny(() => {
            off()
            resolve()
          })
        })
    }
    try {
      for (const dir of ['first', 'then']) {
        mkdirSync(join(fixture.source, dir))
        for (let i = 0; i < 20; i++) writeFileSync(join(fixture.source, `${dir}/${i}`), `${dir} ${i}`)
      }
      jumping.jump(ADD_GRACE_MS)
      await until(() => state() === 'converged' && !fixture.syncs.standing(fixture.sync()).working)
      const before = look(fixture.destination)
      standsStill = () => {
        rmSync(join(fixture.source, 'then'), { recursive: true })
        fixture.events.on('sync:finished', hears)
      }
      rmSync(join(fixture.source, 'first'), { recursive: true })
      await until(() => state() === 'halted' || !existsSync(join(fixture.destination, 'then')))
      assert.deepEqual(look(fixture.destination), before)
    } finally {
      hears()
      await fixture.close()
    }
  })
})
