import assert from 'node:assert/strict'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AbsPath, RelPath } from '../../../storage/base/index.js'
import { type HistoryFixture, openHistory } from './fixture.js'

const DAY = 24 * 3_600_000
const HOUR = 3_600_000

describe('thinning what syncs keep', () => {
  let fixture: HistoryFixture
  afterEach(() => fixture.close())
  const at = (path: string): string => join(fixture.source, path)
  const stored = (): number => {
    const dir = join(fixture.destination, '.spacedrive/versions/content')
    return readdirSync(dir).flatMap(part => readdirSync(join(dir, part))).length
  }
  const edit = async (text: string, laterMs: number): Promise<void> => {
    writeFileSync(at('a'), text)
    await fixture.run()
    fixture.later(laterMs)
  }

  it('a trash can is emptied after its days; nothing that the source still holds and this end does not', async () => {
    fixture = await openHistory({ mode: 'mirror' })
    for (const text of ['one', 'two', 'three']) await edit(text, DAY)
    assert.equal(stored(), 2)
    fixture.later(30 * DAY)
    // Not yet synced: the only other copy of it is the version.
    writeFileSync(at('b'), 'one')
    writeFileSync(at('a'), 'four')
    await fixture.run()
    rmSync(join(fixture.destination, 'b'))
    await fixture.history.thin(fixture.sync())
    assert.deepEqual(await fixture.history.verify(fixture.sync()).then(v => [v.contents, v.problemCount]), [2, 0])
    await fixture.history.thin(fixture.sync())
    assert.equal(stored(), 2, '`three` is young, `one` is the last copy')
    rmSync(at('b'))
    await fixture.run()
    await fixture.history.thin(fixture.sync())
    assert.equal(stored(), 1)
    await assert.rejects(fixture.restore({ path: 'a' as RelPath, atMs: 0, to: 'source' }), {
      code: 'BEFORE_HISTORY'
    })
  })

  it('a backup is thinned by the clock: what stands for an hour is exactly what was there when it began', async () => {
    fixture = await openHistory({ mode: 'backup' })
    const start = fixture.now()
    fixture.later(HOUR - (start % HOUR) + 60_000) // a minute into an hour
    const hour = Math.floor(fixture.now() / HOUR) * HOUR
    for (let i = 0; i < 8; i++) await edit(`text ${i}`, 20 * 60_000)
    const { moments: all } = await fixture.history.moments(fixture.sync(), 100)
    assert.equal(all.length, 8)
    fixture.later(3 * HOUR)
    await fixture.history.thin(fixture.sync())
    const { moments, reach } = await fixture.history.moments(fixture.sync(), 100)
    assert.ok(moments.length < all.length && reach!.thinnedMs > hour, JSON.stringify(moments))
    // Where it was thinned a moment is rounded down to the hour; where it was not, it stands for itself.
    for (const [minutes, exact, text] of [
      [85, 60, 'text 2'],
      [145, 145, 'text 7']
    ] as const) {
      const folder = join(fixture.dir, `out${minutes}`)
      const asked = { path: '' as RelPath, atMs: hour + minutes * 60_000, to: { folder: folder as AbsPath } }
      const { atMs, problems } = await fixture.restore(asked)
      assert.deepEqual([atMs, problems], [hour + exact * 60_000, []])
      assert.equal(readFileSync(join(folder, 'a'), 'utf8'), text)
    }
    assert.equal((await fixture.history.verify(fixture.sync())).problemCount, 0)
  })

  it('by itself it thins five minutes after the start and every hour, goes on when an end is away, and not once stopped', async () => {
    const waiting: { fn: () => void; ms: number }[] = []
    let set = (): void => {}
    const timer = (fn: () => void, ms: number): { clear(): void } => {
      const entry = { fn, ms }
      waiting.push(entry)
      set()
      return { clear: () => void waiting.splice(waiting.indexOf(entry), 1) }
    }
    /** The time of the one that waits has come. @returns when it waits again, how long */
    const due = async (): Promise<number> => {
      const again = new Promise<void>(resolve => {
        set = resolve
      })
      waiting.shift()!.fn()
      await again
      return waiting[0]!.ms
    }
    fixture = await openHistory({ mode: 'mirror', timer })
    await fixture.history.start()
    assert.deepEqual(
      waiting.map(({ ms }) => ms),
      [5 * 60_000]
    )
    for (const text of ['one', 'two', 'three']) await edit(text, DAY)
    assert.equal(await due(), HOUR)
    assert.equal(stored(), 2, 'all of it is young')
    fixture.later(28 * DAY + HOUR)
    renameSync(fixture.destination, `${fixture.destination} away`)
    assert.equal(await due(), HOUR)
    renameSync(`${fixture.destination} away`, fixture.destination)
    assert.equal(stored(), 2)
    assert.equal(await due(), HOUR)
    assert.equal(stored(), 1)
    await fixture.history.stop()
    assert.deepEqual(waiting, [])
  })

  it('policies as they are said, and what is no policy', async () => {
    fixture = await openHistory({ mode: 'mirror' })
    assert.deepEqual(['trashcan', 'simple:3', 'staggered'].map(fixture.history.policy), [
      ...['trashcan:30', 'simple:3', 'staggered']
    ])
    assert.throws(() => fixture.history.policy('none'), { code: 'BAD_POLICY' })
  })
})
