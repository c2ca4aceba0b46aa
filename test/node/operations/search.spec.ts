import assert from 'node:assert/strict'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { testInstance } from '../../cli.js'

describe('tags, notes and file info by command', () => {
  const instance = testInstance()
  let dir = ''
  before(async () => {
    await instance.ok('start')
    await instance.ok('library', 'create', 'Main')
    dir = `${instance.dataDir}-files`
    mkdirSync(dir)
    writeFileSync(`${dir}/a.txt`, 'hello')
  })
  after(() => instance.clean())

  it('a tag on a file that is not indexed, with colour and count', async () => {
    await instance.ok('tag', 'add', 'Work', `${dir}/a.txt`, '--color', '#ff0000')
    const { tags } = await instance.json<{ tags: unknown[] }>('tag', 'list')
    assert.deepEqual(tags, [{ name: 'Work', color: '#ff0000', icon: null, count: 1 }])
    await instance.ok('tag', 'rename', 'Work', 'Office')
    await instance.ok('file', 'note', `${dir}/a.txt`, 'mine', '--favorite')
    const info = await instance.json<{ tags: string[]; notes: string; favorite: boolean; state: string; hash: string }>(
      'file',
      'info',
      `${dir}/a.txt`,
      '--hash'
    )
    assert.deepEqual([info.tags, info.notes, info.favorite, info.state], [['Office'], 'mine', true, 'not indexed'])
    assert.equal(info.hash, 'ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f')
    await instance.ok('tag', 'remove', 'Office', `${dir}/a.txt`)
    assert.match(await instance.ok('tag', 'list'), /Office.*0/)
    await instance.ok('tag', 'remove', 'Office')
    assert.match(await instance.ok('tag', 'list'), /No tag yet/)
  })
  it('tagged files that nothing indexes are found, those that are gone marked; labels by command', async () => {
    await instance.ok('tag', 'add', 'Loose', `${dir}/a.txt`)
    await instance.ok('label', 'add', 'Projects/Web', `${dir}/a.txt`)
    assert.match(await instance.ok('search', '--tag', 'Loose'), /a\.txt {2}not indexed, ★, Loose, Projects\/Web/)
    assert.match(await instance.ok('search', '--label', 'Projects'), /a\.txt/)
    assert.match(await instance.ok('label', 'list'), /Projects\/Web\s+1/)
    await instance.ok('label', 'rename', 'Projects/Web', 'Site')
    assert.match(await instance.ok('file', 'info', `${dir}/a.txt`), /labels {7}Site/)
    renameSync(`${dir}/a.txt`, `${dir}/b.txt`)
    assert.match(await instance.ok('search', '--tag', 'Loose'), /a\.txt {2}gone, ★, Loose/)
    assert.match(await instance.ok('file', 'info', `${dir}/b.txt`), /tags {9}Loose/)
    await instance.ok('file', 'note', `${dir}/b.txt`, '--hidden')
    assert.match(await instance.ok('search', '--tag', 'Loose'), /^$/)
    assert.match(await instance.ok('search', '--hidden'), /b\.txt {2}not indexed, ★, hidden/)
    assert.match(await instance.ok('file', 'info', `${dir}/b.txt`), /hidden +left out of searches/)
    await instance.ok('file', 'note', `${dir}/b.txt`, '--no-hidden')
    assert.match(await instance.ok('label', 'remove', 'Site', `${dir}/b.txt`), /taken off 1 path/)
    assert.equal((await instance.run('label', 'remove', 'Never')).code, 1)
    renameSync(`${dir}/b.txt`, `${dir}/a.txt`)
  })
  it('bad input is said in words', async () => {
    assert.match((await instance.run('tag', 'add', 'x', `${dir}/none`)).stderr, /there is no .*none/)
    assert.match((await instance.run('search')).stderr, /nothing to search for/)
    assert.equal((await instance.run('search', 'x', '--larger', 'much')).code, 2)
    assert.match(await instance.ok('search', 'nothing-like-this'), /^$/)
  })
})
