import assert from 'node:assert/strict'
import type { AbsPath, WorkerPool } from '../../../storage/base/index.js'
import { type Browsed, EphemeralIndexes, MAX_BROWSED } from '../../../storage/indexer/index.js'
import { manualClock } from '../../manual-clock.js'

const MAX_HELD = 10 * MAX_BROWSED
const IDLE_MS = 30 * 60 * 1000

describe('indexes held in memory', () => {
  function held() {
    const looked: string[] = []
    const entries = Array.from({ length: MAX_BROWSED }, () => ({})) as unknown as Browsed['entries']
    // Stands in for the disk alone: each folder is as large as one may be.
    const pool = {
      async run(_task: unknown, { path }: { path: string }): Promise<Browsed> {
        looked.push(path)
        return { entries, truncated: true, problems: [] }
      }
    } as unknown as WorkerPool
    const clock = manualClock()
    const indexes = new EphemeralIndexes({ pool, clock, ours: () => [] })
    const page = (path: string) => indexes.browse({ path: path as AbsPath, held: true })
    return { looked, clock, indexes, page }
  }

  it('are bounded; the least recently used goes first', async () => {
    const { looked, indexes, page } = held()
    for (let i = 0; i < 10; i++) await page(`/f${i}`)
    assert.equal(indexes.heldEntries, MAX_HELD)
    await page('/f0') // now /f1 is the one that nobody used for the longest time
    await page('/one too many')
    assert.equal(indexes.heldEntries, MAX_HELD)
    looked.length = 0
    await page('/f0')
    assert.deepEqual(looked, [])
    await page('/f1')
    assert.deepEqual(looked, ['/f1'])
  })

  it('go when nobody asked for them for half an hour', async () => {
    const { clock, indexes, page } = held()
    await page('/a')
    await clock.advance(IDLE_MS)
    await page('/b')
    assert.equal(indexes.heldEntries, 2 * MAX_BROWSED)
    await clock.advance(1)
    await page('/c')
    assert.equal(indexes.heldEntries, 2 * MAX_BROWSED, 'a is gone, b and c are there')
  })

  it('a first page is of a look made now', async () => {
    const { looked, indexes } = held()
    for (let i = 0; i < 2; i++) await indexes.browse({ path: '/a' as AbsPath })
    assert.deepEqual(looked, ['/a', '/a'])
  })
})
