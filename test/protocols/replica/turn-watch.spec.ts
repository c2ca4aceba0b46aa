import assert from 'node:assert/strict'
import {
  GOT_ON_EVERY_MS,
  IDLE_TURN_MS,
  MAX_WANTED_TURN_MS,
  STALLED_TURN_MS,
  TURN_PROGRESS_BYTES
} from '../../../protocols/replica/limits.js'
import { TurnWatch } from '../../../protocols/replica/server/turn-watch.js'

describe('whether a turn is over', () => {
  const idle = { holds: true, wanted: false, working: false }
  const busy = { holds: true, wanted: false, working: true }

  it('time in which something is done here is not held against the device, but not for ever', () => {
    const watch = new TurnWatch(0)
    for (let now = 0; now < STALLED_TURN_MS; now += IDLE_TURN_MS) assert.equal(watch.isOver(now, busy), false)
    assert.equal(watch.isOver(STALLED_TURN_MS, busy), true)
  })

  it('bytes that came and went begin it anew, a byte less does not', () => {
    for (const [bytes, over] of [
      [TURN_PROGRESS_BYTES - 1, true],
      [TURN_PROGRESS_BYTES, false]
    ] as const) {
      const watch = new TurnWatch(0)
      assert.equal(watch.isOver(IDLE_TURN_MS - 1, idle), false)
      watch.moved(1)
      watch.moved(bytes - 1)
      assert.equal(watch.isOver(IDLE_TURN_MS, idle), over)
    }
  })

  it('its word that it gets on is believed, but not for ever, nor as often as one likes', () => {
    const watch = new TurnWatch(0)
    for (let now = GOT_ON_EVERY_MS; now < STALLED_TURN_MS; now += GOT_ON_EVERY_MS) {
      assert.equal(watch.saidAlive(now), true)
      assert.equal(watch.isOver(now, idle), false)
    }
    assert.equal(watch.isOver(STALLED_TURN_MS, idle), true)
    const often = new TurnWatch(0)
    assert.equal(often.saidAlive(0), true)
    assert.equal(often.saidAlive(GOT_ON_EVERY_MS / 2), true)
    assert.equal(often.saidAlive(GOT_ON_EVERY_MS - 1), false)
  })

  it('who gets on all the while has it for a day once somebody else came for it, and for ever before', () => {
    for (const bring of [
      (watch: TurnWatch) => watch.moved(TURN_PROGRESS_BYTES),
      (watch: TurnWatch) => watch.placed()
    ]) {
      const watch = new TurnWatch(0)
      const everyMs = IDLE_TURN_MS - 1
      let now = 0
      const goesOn = (forMs: number, wanted: boolean): boolean => {
        for (const untilMs = now + forMs; now < untilMs; ) {
          now += everyMs
          bring(watch)
          if (watch.isOver(now, { ...idle, wanted })) return true
        }
        return false
      }
      assert.equal(goesOn(10 * MAX_WANTED_TURN_MS, false), false)
      assert.equal(goesOn(MAX_WANTED_TURN_MS - everyMs, true), false)
      assert.equal(goesOn(2 * everyMs, true), true)
    }
  })

  it('what was placed begins it anew; whoever holds nothing is not judged', () => {
    const watch = new TurnWatch(0)
    assert.equal(watch.isOver(IDLE_TURN_MS - 1, idle), false)
    watch.placed()
    assert.equal(watch.isOver(IDLE_TURN_MS, idle), false)
    assert.equal(watch.isOver(2 * IDLE_TURN_MS - 1, idle), false)
    assert.equal(watch.isOver(9 * IDLE_TURN_MS, { ...idle, holds: false }), false)
    assert.equal(watch.isOver(10 * IDLE_TURN_MS - 1, idle), false)
    assert.equal(watch.isOver(10 * IDLE_TURN_MS, idle), true)
  })
})
