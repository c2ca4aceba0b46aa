import assert from 'node:assert/strict'
import { PROGRESS_INTERVAL_MS } from '../../../protocols/transfer/index.js'
import { progressMeter } from '../../../protocols/transfer/progress.js'
import { manualClock } from '../../manual-clock.js'

describe('the progress of a transfer', () => {
  it('is told at once, then not more often than people can read, and another phase at once again', async () => {
    const clock = manualClock()
    const told: [atMs: number, phase: string, files: number][] = []
    const meter = progressMeter(clock, { files: 1_000, bytes: 1_000 }, p =>
      told.push([clock.monotonicMs(), p.phase, p.doneFiles])
    )
    meter.phase('transferring')
    for (let i = 1; i <= 25; i++) {
      meter.done(i, i)
      await clock.advance(PROGRESS_INTERVAL_MS / 10)
    }
    meter.phase('placing')
    meter.stop()
    await clock.advance(PROGRESS_INTERVAL_MS)
    assert.deepEqual(told, [
      [0, 'transferring', 0],
      [PROGRESS_INTERVAL_MS, 'transferring', 10],
      [2 * PROGRESS_INTERVAL_MS, 'transferring', 20],
      [2.5 * PROGRESS_INTERVAL_MS, 'placing', 25]
    ])
  })
})
