import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import type { RelPath } from '../../../storage/base/index.js'
import type { IndexLocation } from '../../../storage/indexer/index.js'
import { compareVersions, type Version } from '../../../sync/reconcile/index.js'
import { type IndexFixture, indexFixture } from './index-fixture.js'
import { locating } from './locating.worker.js'

describe('versions of entries', () => {
  let f: IndexFixture
  let one: IndexLocation
  let two: IndexLocation
  beforeEach(async () => {
    f = await indexFixture()
    for (const dir of ['one', 'two', 'plain']) mkdirSync(`${f.tree}/${dir}`)
    one = await f.location(`${f.tree}/one`, { mode: 'content', versioned: true })
    two = await f.location(`${f.tree}/two`, { mode: 'content', versioned: true })
    for (const location of [one, two]) await look(location)
  })
  afterEach(() => f.close())
  const look = (location: IndexLocation) => f.indexer.index({ library: f.library, location })
  const told = async (location: IndexLocation, ...paths: string[]): Promise<void> => {
    const named = paths.map(path => ({ path: path as RelPath }))
    await f.indexer.applyChanges(f.library, location, named)
    await f.indexer.settled(f.library)
  }
  const read = (table: 'entries' | 'deleted', name: string): Version | undefined => {
    const row = f.library.database.get<{ version: string | null }>(`SELECT version FROM ${table} WHERE name = ?`, [
      Buffer.from(name)
    ])
    return row?.version == null ? undefined : (JSON.parse(row.version) as Version)
  }
  const replicas = (): string[] =>
    f.library.database.all<{ name: string }>('SELECT name FROM replicas ORDER BY id').map(r => r.name)

  it('edits in two synced folders of one device have not seen one another', async () => {
    writeFileSync(`${f.tree}/one/a`, 'same')
    writeFileSync(`${f.tree}/two/b`, 'same')
    await look(one)
    await look(two)
    assert.equal(compareVersions(read('entries', 'a'), read('entries', 'b')), 'apart')
    assert.equal(new Set(replicas()).size, 2)
  })
  it('no two changes bear one counter, however fast they come', async () => {
    for (const name of ['a', 'b', 'c']) writeFileSync(`${f.tree}/one/${name}`, name)
    await told(one, 'a', 'b', 'c')
    const counters = ['a', 'b', 'c'].map(name => Object.values(read('entries', name)!)[0]!)
    assert.equal(new Set(counters).size, 3)
  })
  it('an edit, a rename and a deletion are each newer than what was before, whatever the clock says', async () => {
    writeFileSync(`${f.tree}/one/a`, 'a')
    await told(one, 'a')
    const made = read('entries', 'a')!
    appendFileSync(`${f.tree}/one/a`, '!')
    await told(one, 'a')
    const edited = read('entries', 'a')!
    renameSync(`${f.tree}/one/a`, `${f.tree}/one/b`)
    await told(one, 'a', 'b')
    const moved = read('entries', 'b')!
    rmSync(`${f.tree}/one/b`)
    await look(one)
    const gone = read('deleted', 'b')!
    for (const [before, after] of [
      [made, edited],
      [edited, moved],
      [moved, gone]
    ] as const) {
      assert.equal(compareVersions(after, before), 'newer')
    }
  })
  it('a link that leads elsewhere is edited', async () => {
    symlinkSync('here', `${f.tree}/one/link`)
    await told(one, 'link')
    const before = read('entries', 'link')!
    unlinkSync(`${f.tree}/one/link`)
    symlinkSync('there', `${f.tree}/one/link`)
    await told(one, 'link')
    assert.equal(compareVersions(read('entries', 'link'), before), 'newer')
  })
  it('yesterday’s database goes on as another replica: its edits have not seen those that were lost', async () => {
    writeFileSync(`${f.tree}/one/a`, 'a')
    await told(one, 'a')
    const yesterday = read('entries', 'a')!
    const [replica, counter] = Object.entries(yesterday)[0]!
    const lost = { [replica]: counter + 1000 }
    await f.library.database.write(locating.newIndexId, { index: 'after the restore' })
    appendFileSync(`${f.tree}/one/a`, '!')
    await told(one, 'a')
    assert.equal(compareVersions(read('entries', 'a'), yesterday), 'newer')
    assert.equal(compareVersions(read('entries', 'a'), lost), 'apart')
    assert.equal(replicas().filter(name => name.startsWith('1.')).length, 2)
  })
  it('outside synced folders there are none', async () => {
    writeFileSync(`${f.tree}/plain/p`, 'p')
    await look(await f.location(`${f.tree}/plain`))
    assert.equal(read('entries', 'p'), undefined)
  })
})
