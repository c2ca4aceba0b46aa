import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Bucket } from '../../../protocols/pace/bucket.js'
import { BURST_SECONDS, LOOK_EVERY_MS } from '../../../protocols/pace/limits.js'
import { manualClock } from '../../manual-clock.js'

const RATE = 1_000_000

describe('bucket', () => {
  it('keeps to its rate at the mean, whatever the pieces, without a pause in between, first come first served', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3 * RATE }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 5000 }),
        async (pieces, pauseMs) => {
          const clock = manualClock()
          const bucket = new Bucket(clock, () => RATE)
          await clock.advance(pauseMs)
          const from = clock.monotonicMs()
          const gone: number[] = []
          for (const [i, bytes] of pieces.entries()) void bucket.take(bytes).then(() => gone.push(i))
          const before = pieces.map((_, i) => pieces.slice(0, i).reduce((a, b) => a + b, 0))
          const saved = Math.min((pauseMs / 1000) * RATE, RATE * BURST_SECONDS)
          while (gone.length < pieces.length) {
            const ms = clock.monotonicMs() - from
            // What is before the next one must be paid when it goes, and it goes as soon as it is (to a millisecond).
            for (const i of gone) assert.ok(before[i]! <= saved + (ms / 1000) * RATE + 1e-6)
            const next = gone.length
            assert.ok(before[next]! + RATE / 500 >= saved + (ms / 1000) * RATE - RATE / 1000 || ms === 0)
            await clock.advance(1)
          }
          assert.deepEqual(
            gone,
            pieces.map((_, i) => i)
          )
        }
      ),
      { numRuns: 10 }
    )
  })

  it('without a limit nothing waits', async () => {
    const bucket = new Bucket(manualClock(), () => undefined)
    for (let i = 0; i < 100; i++) await bucket.take(2 ** 40)
  })

  it('a limit that is set, changed or taken away holds at once for what waits', async () => {
    const clock = manualClock()
    let rate: number | undefined = 1000
    const bucket = new Bucket(clock, () => rate)
    const gone: string[] = []
    await bucket.take(1_000_000)
    void bucket.take(1_000_000).then(() => gone.push('second'))
    await clock.advance(999_000)
    assert.equal(gone.length, 0)
    rate = 1_000_000
    bucket.changed()
    await clock.advance(1)
    assert.deepEqual(gone, ['second'])
    void bucket.take(5).then(() => gone.push('third'))
    void bucket.take(5).then(() => gone.push('fourth'))
    rate = undefined
    bucket.changed()
    await clock.advance(0)
    assert.deepEqual(gone, ['second', 'third', 'fourth'])
    rate = 1000
    bucket.changed()
    await bucket.take(5) // nothing is owed of the time without a limit
  })

  it('what was owed at a higher rate is paid in the time that it took then', async () => {
    const clock = manualClock()
    let rate = 100_000_000
    const bucket = new Bucket(clock, () => rate)
    await bucket.take(25_000_000) // a slice
    rate = 8 * 1024
    bucket.changed()
    let gone = false
    void bucket.take(1).then(() => {
      gone = true
    })
    await clock.advance(249)
    assert.equal(gone, false)
    await clock.advance(2)
    assert.equal(gone, true)
  })

  it('a limit that ends by the hour is noticed without being told', async () => {
    const clock = manualClock()
    let rate: number | undefined = 1
    const bucket = new Bucket(clock, () => rate)
    await bucket.take(1_000_000)
    let gone = false
    void bucket.take(1).then(() => {
      gone = true
    })
    await clock.advance(LOOK_EVERY_MS)
    assert.ok(!gone)
    rate = undefined
    await clock.advance(LOOK_EVERY_MS)
    assert.ok(gone)
  })

  it('who gives up gets the reason itself and leaves the others their turn', async () => {
    const clock = manualClock()
    const bucket = new Bucket(clock, () => 1000)
    await bucket.take(1000)
    const aborting = new AbortController()
    const reason = new Error('enough')
    const second = bucket.take(1_000_000, { signal: aborting.signal })
    const third = bucket.take(1)
    aborting.abort(reason)
    await assert.rejects(second, err => err === reason)
    await assert.rejects(bucket.take(1, { signal: aborting.signal }), err => err === reason)
    await clock.advance(1001)
    await third
  })
})
