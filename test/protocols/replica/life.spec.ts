import assert from 'node:assert/strict'
import { Silence } from '../../../protocols/replica/client/silence.js'
import { ALIVE_EVERY_MS, IDLE_TURN_MS, SILENCE_MS } from '../../../protocols/replica/limits.js'
import { Life } from '../../../protocols/replica/server/life.js'
import { manualClock } from '../../manual-clock.js'

/** Signs of life of frames that take minutes on a slow link. */
describe('a frame that is long on its way', () => {
  function serving() {
    const clock = manualClock()
    const wire = { bytesIn: 0, bytesOut: 0, isArriving: false }
    const turn = { holds: false, wanted: false, working: false }
    const ended: string[] = []
    let said = 0
    const life = new Life({
      ...{ clock, wire, isBusy: () => false, turn: () => turn },
      say() {
        said++
        life.said()
      },
      over: err => void ended.push(err.message)
    })
    return { clock, wire, turn, ended, life, said: () => said }
  }

  it('is answered with signs of life while it comes, and no longer', async () => {
    const { clock, wire, life, said } = serving()
    wire.isArriving = true
    for (let i = 0; i < 20; i++) {
      wire.bytesIn += 1_000
      await clock.advance(ALIVE_EVERY_MS)
    }
    assert.ok(said() >= 19, `said ${said()} times`)
    const before = said()
    await clock.advance(10 * ALIVE_EVERY_MS) // it is stuck
    assert.equal(said(), before)
    wire.isArriving = false
    wire.bytesIn += 1_000
    await clock.advance(10 * ALIVE_EVERY_MS) // it is there, and nothing is due
    assert.equal(said(), before)
    life.stop()
  })

  it('is getting on for who keeps a folder to itself, by what of it has come', async () => {
    const { clock, wire, turn, ended, life } = serving()
    turn.holds = true
    wire.isArriving = true
    for (let passed = 0; passed < 4 * IDLE_TURN_MS; passed += ALIVE_EVERY_MS) {
      wire.bytesIn += (1024 * ALIVE_EVERY_MS) / 1_000
      await clock.advance(ALIVE_EVERY_MS)
    }
    assert.deepEqual(ended, [])
    await clock.advance(2 * IDLE_TURN_MS)
    assert.equal(ended.length > 0, true)
    life.stop()
  })

  function asking() {
    const clock = manualClock()
    const wire = { bytesIn: 0, bytesOut: 0 }
    const ended: string[] = []
    let moved = 0
    const silence = new Silence({
      ...{ clock, wire, isDue: () => true, isUntaken: () => false },
      moved: () => moved++,
      tooLong: err => void ended.push(err.message)
    })
    return { clock, wire, ended, silence, moved: () => moved }
  }

  it('is waited for while it comes at some 128 bytes a second, and not when it dribbles', async () => {
    for (const [bytesPerSecond, given] of [
      [256, true],
      [10, false]
    ] as const) {
      const { clock, wire, ended, silence } = asking()
      for (let passed = 0; passed < 10 * SILENCE_MS; passed += 1_000) {
        wire.bytesIn += bytesPerSecond
        await clock.advance(1_000)
      }
      assert.equal(ended.length === 0, given, `${bytesPerSecond} bytes a second: ${ended.join()}`)
      silence.stop()
    }
  })

  it('lets who sends it say that this end gets on', async () => {
    const { clock, wire, silence, moved } = asking()
    wire.bytesOut += 1
    await clock.advance(SILENCE_MS / 4)
    assert.equal(moved(), 1)
    await clock.advance(SILENCE_MS / 4)
    assert.equal(moved(), 1)
    silence.stop()
  })
})
