import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import type { AbsPath } from '../../../storage/base/index.js'
import { tagging } from '../../../storage/entries/index.js'
import type { IndexLocation } from '../../../storage/indexer/index.js'
import { MAX_LIMIT, MAX_OFFSET, type SearchFilters, search } from '../../../storage/search/index.js'
import { type IndexFixture, indexFixture } from '../indexer/index-fixture.js'

describe('search', () => {
  let f: IndexFixture
  let location: IndexLocation
  const find = async (text: string, filters: SearchFilters = {}, page: { limit?: number; offset?: number } = {}) =>
    (
      await search({ pool: f.pool, own: () => f.manager.own, networkMounts: () => [] }).search(f.library, {
        text,
        filters,
        ...page
      })
    ).hits.map(h => `${h.path.slice(f.tree.length + 1)}${h.available ? '' : ' (gone)'}`)

  before(async () => {
    f = await indexFixture()
    mkdirSync(`${f.tree}/Reports/old`, { recursive: true })
    mkdirSync(`${f.tree}/pics`)
    mkdirSync(`${f.tree}/.cache`)
    for (const name of ['report', 'report.txt', 'annual-report.pdf', 'misreported.md', 'Straße.txt', 'été 2024.jpg'])
      writeFileSync(`${f.tree}/${name}`, name)
    writeFileSync(`${f.tree}/Reports/old/report.txt`, 'same')
    writeFileSync(`${f.tree}/Reports/copy.bin`, 'same')
    writeFileSync(`${f.tree}/pics/holiday 2024.jpg`, Buffer.alloc(5000))
    writeFileSync(`${f.tree}/pics/holiday 2023.jpg`, Buffer.alloc(10))
    writeFileSync(`${f.tree}/pics/"quoted" AND NOT.txt`, 'q')
    writeFileSync(`${f.tree}/.cache/report-hidden`, 'x')
    utimesSync(`${f.tree}/pics/holiday 2023.jpg`, 1_600_000_000, 1_600_000_000)
    location = await f.location(f.tree, { mode: 'content' })
    await f.indexer.index({ library: f.library, location })
    await f.indexer.settled(f.library)
  })
  after(() => f.close())

  it('the whole name, then its beginning, then a word in it, then inside', async () => {
    assert.deepEqual(await find('report'), [
      'report',
      'Reports',
      'report.txt',
      'Reports/old/report.txt',
      'annual-report.pdf',
      'misreported.md'
    ])
  })
  it('several words in whatever order, case and accents of any script', async () => {
    assert.deepEqual(await find('2024 holiday'), ['pics/holiday 2024.jpg'])
    assert.deepEqual(await find('STRASSE'), [])
    assert.deepEqual(await find('straße'), ['Straße.txt'])
    assert.deepEqual(await find('ÉTÉ'), ['été 2024.jpg'])
  })
  it('one and two letters', async () => {
    assert.deepEqual((await find('r')).slice(0, 2), ['report', 'Reports'])
    assert.ok((await find('re')).includes('Reports/old/report.txt'))
    assert.deepEqual(await find('20', { extensions: ['jpg'], smallerBytes: 100 }), [
      'été 2024.jpg',
      'pics/holiday 2023.jpg'
    ])
  })
  it('what looks like the language of the index is text', async () => {
    assert.deepEqual(await find('"quoted" AND'), ['pics/"quoted" AND NOT.txt'])
    assert.deepEqual(await find('"'), ['pics/"quoted" AND NOT.txt'])
    assert.deepEqual(await find('NEAR('), [])
  })
  it('filters', async () => {
    // The third .jpg holds text: what is in a file decides over its name.
    assert.deepEqual(await find('', { kinds: ['image'] }), ['pics/holiday 2024.jpg', 'pics/holiday 2023.jpg'])
    assert.deepEqual(await find('', { kinds: ['folder'] }), ['pics', 'Reports', 'Reports/old'])
    assert.deepEqual(await find('holiday', { largerBytes: 10 }), ['pics/holiday 2024.jpg'])
    assert.deepEqual(await find('holiday', { modifiedBeforeMs: 1_600_000_001_000 }), ['pics/holiday 2023.jpg'])
    assert.deepEqual(await find('', { duplicates: true }), ['Reports/copy.bin', 'Reports/old/report.txt'])
    assert.deepEqual(await find('report', { extensions: ['txt'] }), ['report.txt', 'Reports/old/report.txt'])
  })
  it('what a rule leaves out is not found, unless asked for', async () => {
    assert.ok(!(await find('hidden')).length)
    assert.deepEqual(await find('.cache', { excluded: true }), ['.cache'])
  })
  it('pages follow one another without gap or repeat', async () => {
    const all = await find('report', {}, { limit: MAX_LIMIT })
    const paged = [
      ...(await find('report', {}, { limit: 2 })),
      ...(await find('report', {}, { limit: 2, offset: 2 })),
      ...(await find('report', {}, { limit: 2, offset: 4 }))
    ]
    assert.deepEqual(paged, all)
  })
  it('a tag follows the file over a move, and finds it again after a deletion', async () => {
    const host = f.library.host
    const say = (path: string) =>
      f.library.database.write(tagging.add, {
        host,
        nowMs: 1,
        name: 'keep',
        targets: [{ path: `${f.tree}/${path}` as AbsPath, inode: null, birthNs: null }]
      })
    await say('report.txt')
    await say('Reports/old/report.txt')
    renameSync(`${f.tree}/report.txt`, `${f.tree}/pics/renamed.txt`)
    rmSync(`${f.tree}/Reports/old/report.txt`)
    await f.indexer.index({ library: f.library, location })
    assert.deepEqual(await find('', { tags: ['keep'] }), ['pics/renamed.txt', 'Reports/old/report.txt (gone)'])
    writeFileSync(`${f.tree}/Reports/old/report.txt`, 'back again')
    await f.indexer.applyChanges(f.library, location, [{ path: 'Reports/old/report.txt' as never }])
    assert.deepEqual(await find('', { tags: ['keep'] }), ['pics/renamed.txt', 'Reports/old/report.txt'])
  })
  it('files made a moment ago are found before their names are taken up', async () => {
    writeFileSync(`${f.tree}/brandnew.dat`, 'x')
    await f.indexer.applyChanges(f.library, location, [{ path: 'brandnew.dat' as never }])
    assert.deepEqual(await find('brandnew'), ['brandnew.dat'])
    await f.indexer.settled(f.library)
    assert.deepEqual(await find('brandnew'), ['brandnew.dat'])
  })
  it('an unknown tag and a page too large are refused', async () => {
    await assert.rejects(find('', { tags: ['none'] }), { code: 'BAD_INPUT' })
    await assert.rejects(find('x', {}, { limit: MAX_LIMIT + 1 }), { code: 'BAD_INPUT' })
    assert.deepEqual(await find('x', {}, { offset: MAX_OFFSET }), [])
    await assert.rejects(find('x', {}, { offset: MAX_OFFSET + 1 }), { code: 'BAD_INPUT' })
  })
})
