import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { type IndexFixture, idsOf, indexed, indexFixture, onDisk } from './index-fixture.js'

describe('indexing a tree', () => {
  let f: IndexFixture
  beforeEach(async () => {
    f = await indexFixture()
  })
  afterEach(async () => {
    await f.close()
  })

  it('holds what the disk holds, after the first scan and after changes', async () => {
    mkdirSync(`${f.tree}/a/b/c`, { recursive: true })
    writeFileSync(`${f.tree}/a/one.txt`, 'one')
    writeFileSync(`${f.tree}/a/b/two.txt`, 'twotwo')
    symlinkSync('nowhere', `${f.tree}/a/link`)
    writeFileSync(Buffer.concat([Buffer.from(`${f.tree}/a/odd-`), Buffer.from([0xff, 0x0a])]), 'x')
    const location = await f.location()
    const first = await f.indexer.index({ library: f.library, location })
    assert.deepEqual(indexed(f.library, location), onDisk(f.tree))
    assert.equal(first.created, 8)
    const ids = idsOf(f.library, location)

    const again = await f.indexer.index({ library: f.library, location })
    assert.equal(again.created + again.modified + again.deleted + again.moved, 0)
    assert.equal(again.directoriesSame, 4)

    renameSync(`${f.tree}/a/b`, `${f.tree}/moved`)
    rmSync(`${f.tree}/a/one.txt`)
    writeFileSync(`${f.tree}/a/new.txt`, 'n')
    const third = await f.indexer.index({ library: f.library, location })
    assert.deepEqual(indexed(f.library, location), onDisk(f.tree))
    assert.equal(third.moved, 1)
    assert.equal(third.deleted, 1)
    assert.equal(idsOf(f.library, location).get('moved/two.txt'), ids.get('a/b/two.txt'))
  })
})
