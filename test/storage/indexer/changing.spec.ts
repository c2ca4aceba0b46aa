import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createHasher } from '../../../storage/content/index.js'
import { FLAG } from '../../../storage/entries/index.js'
import { type IndexFixture, indexed, indexFixture, onDisk } from './index-fixture.js'

describe('the indexer in a tree that changes under it', () => {
  let f: IndexFixture
  beforeEach(async () => {
    f = await indexFixture()
  })
  afterEach(() => f.close())

  const fill = (): void => {
    for (let d = 0; d < 60; d++) {
      mkdirSync(`${f.tree}/d${d}/sub`, { recursive: true })
      for (let i = 0; i < 100; i++) writeFileSync(`${f.tree}/d${d}/sub/f${i}`, `${i}`)
    }
  }

  it('folders that go in the middle of the walk: gone in the end, no failure, and the rest is whole', async () => {
    fill()
    const location = await f.location()
    let left = 60
    const report = await f.indexer.index(
      { library: f.library, location },
      {
        onProgress({ phase }) {
          // Those that the walk has been to and those that it has not.
          if (phase === 'Discovery' && left > 20) rmSync(`${f.tree}/d${--left}`, { recursive: true })
        }
      }
    )
    assert.ok(left < 60 && report.problems === 0)
    await f.indexer.index({ library: f.library, location })
    assert.deepEqual(indexed(f.library, location), onDisk(f.tree))
  })

  it('the root itself goes in the middle of a rescan: offline, and nothing is taken for deleted', async () => {
    fill()
    const location = await f.location()
    await f.indexer.index({ library: f.library, location })
    const before = indexed(f.library, location)
    let away = false
    await assert.rejects(
      f.indexer.index(
        { library: f.library, location, force: true },
        {
          onProgress({ phase }) {
            if (phase !== 'Discovery' || away) return
            away = true
            renameSync(f.tree, `${f.tree}-away`)
          }
        }
      ),
      { code: 'LOCATION_OFFLINE' }
    )
    assert.deepEqual(indexed(f.library, location), before)
    renameSync(`${f.tree}-away`, f.tree)
    const back = await f.indexer.index({ library: f.library, location })
    assert.deepEqual([back.created, back.deleted], [0, 0])
  })

  it('a file that changes while it is read is hashed again or marked, never recorded with another hash', async () => {
    const path = `${f.tree}/growing`
    writeFileSync(path, Buffer.alloc(8_000_000, 1))
    const location = await f.location(f.tree, { mode: 'content' })
    let done = false
    const running = f.indexer.index({ library: f.library, location }).finally(() => {
      done = true
    })
    while (!done) {
      appendFileSync(path, 'more')
      await nextTurn()
    }
    await running
    const read = () =>
      f.library.database.get<{ hash: Uint8Array | null; flags: number; size: number }>(
        `SELECT c.hash, e.flags, e.size FROM entries e LEFT JOIN contents c ON c.id = e.content WHERE e.name = ?`,
        [Buffer.from('growing')]
      )!
    const right = (size: number): string => {
      const hasher = createHasher()
      hasher.update(readFileSync(path).subarray(0, size))
      return hasher.digest()
    }
    const first = read()
    const marked = (first.flags & (FLAG.STALE | FLAG.RACY)) !== 0 || first.hash === null
    assert.ok(marked || Buffer.from(first.hash!).toString('hex') === right(first.size))
    await f.indexer.index({ library: f.library, location })
    const second = read()
    assert.equal(Buffer.from(second.hash!).toString('hex'), right(readFileSync(path).length))
    assert.equal(second.flags & FLAG.STALE, 0)
  })
})
