import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { testInstance } from '../../cli.js'

describe('index commands without a location', () => {
  const instance = testInstance()
  let dir = ''
  before(async () => {
    await instance.ok('start')
    await instance.ok('library', 'create', 'Main')
    dir = `${instance.dataDir}-files`
    mkdirSync(`${dir}/sub/deep`, { recursive: true })
    mkdirSync(`${dir}/.hidden`)
    writeFileSync(`${dir}/a.txt`, 'hello')
    writeFileSync(`${dir}/sub/deep/b.txt`, 'hello')
    symlinkSync('..', `${dir}/sub/loop`)
  })
  after(() => instance.clean())

  const browse = async (...args: string[]) => {
    const answer = await instance.json<{ entries: { path: string; hash: string | null }[]; total: number }>(
      ...['index', 'browse', dir],
      ...args
    )
    return answer.entries.map(e => e.path)
  }

  it('browse: one level, or all; links are not followed, what rules leave out is shown and not entered', async () => {
    assert.deepEqual(await browse(), ['.hidden', 'a.txt', 'sub'])
    assert.deepEqual(await browse('--scope', 'recursive'), [
      ...['.hidden', 'a.txt', 'sub'],
      ...['sub/deep', 'sub/loop', 'sub/deep/b.txt']
    ])
    assert.deepEqual(await browse('--scope', 'recursive', '--max-depth', '0'), ['.hidden', 'a.txt', 'sub'])
  })
  it('browse --content reads the files', async () => {
    const { entries } = await instance.json<{ entries: { path: string; hash: string | null; type: string }[] }>(
      ...['index', 'browse', dir, '--content']
    )
    const a = entries.find(e => e.path === 'a.txt')
    assert.equal(a?.type, 'text')
    assert.equal(a?.hash, 'ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f')
  })
  it('nothing of it was recorded, and the data directory is nobody’s business', async () => {
    assert.match(await instance.ok('library', 'info'), /files\s+0 in 0 folders/)
    const own = await instance.json<{ entries: { path: string }[] }>(
      'index',
      'browse',
      `${dir}/..`,
      '--scope',
      'recursive'
    )
    assert.ok(!own.entries.some(e => e.path.includes('instance.db')))
  })
  it('a folder that is not there, and a path that no location holds', async () => {
    assert.match((await instance.run('index', 'browse', `${dir}/none`)).stderr, /there is no folder .*none/)
    assert.match((await instance.run('index', 'browse', `${dir}/a.txt`)).stderr, /is not a folder/)
    assert.match((await instance.run('index', 'location', dir)).stderr, /location add PATH/)
    assert.match((await instance.run('index', 'quick-scan', dir)).stderr, /location add PATH/)
  })
})
