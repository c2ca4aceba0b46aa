import assert from 'node:assert/strict'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { testInstance } from '../../cli.js'

describe('scan, search, tag: what a person does first', () => {
  const instance = testInstance()
  let dir = ''
  before(async () => {
    await instance.ok('start')
    await instance.ok('library', 'create', 'Main')
    dir = `${instance.dataDir}-files`
    mkdirSync(`${dir}/sub`, { recursive: true })
    writeFileSync(`${dir}/holiday.txt`, 'hello')
    writeFileSync(`${dir}/sub/copy.txt`, 'hello')
  })
  after(() => instance.clean())

  const found = async (...args: string[]) =>
    (await instance.json<{ hits: { path: string }[] }>('search', ...args)).hits.map(h => h.path.slice(dir.length + 1))

  it('scan adds, indexes and waits; search and file info know it then', async () => {
    const { location, ended } = await instance.json<{ location: { files: number }; ended: { problems: number } }>(
      'scan',
      dir
    )
    assert.deepEqual([location.files, ended.problems], [2, 0])
    assert.deepEqual(await found('holi'), ['holiday.txt'])
    assert.deepEqual(await found('--duplicates'), ['holiday.txt', 'sub/copy.txt'])
    const info = await instance.json<{ state: string; hash: string; copies: number }>(
      'file',
      'info',
      `${dir}/holiday.txt`
    )
    assert.deepEqual(
      [info.state, info.copies, info.hash],
      ['indexed', 2, 'ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f']
    )
  })
  it('a tag goes with the file that is renamed; index location and quick-scan see it', async () => {
    await instance.ok('tag', 'add', 'Sun', `${dir}/holiday.txt`)
    renameSync(`${dir}/holiday.txt`, `${dir}/sub/beach.txt`)
    await instance.ok('index', 'location', dir)
    assert.deepEqual(await found('--tag', 'Sun'), ['sub/beach.txt'])
    writeFileSync(`${dir}/sub/new.txt`, 'n')
    const { report } = await instance.json<{ report: { created: number } }>('index', 'quick-scan', `${dir}/sub`)
    assert.equal(report.created, 1)
    assert.match(await instance.ok('index', 'location', dir), /0 gone/)
  })
})
