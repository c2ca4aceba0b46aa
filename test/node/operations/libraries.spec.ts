import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { testInstance } from '../../cli.js'

describe('library commands', () => {
  const instance = testInstance()
  before(() => instance.ok('start'))
  after(() => instance.clean())

  it('without a library: what to do is said', async () => {
    const { code, stderr } = await instance.run('library', 'current')
    assert.equal(code, 1)
    assert.match(stderr, /library create NAME/)
  })
  it('create, list, switch, close, open by folder, info', async () => {
    const place = `${instance.dataDir}-place`
    mkdirSync(place)
    await instance.ok('library', 'create', 'One')
    const { library } = await instance.json<{ library: { path: string } }>('library', 'create', 'Two', '--path', place)
    assert.equal(library.path, `${place}/Two.sdlibrary`)
    assert.match(await instance.ok('library', 'current'), /^Two/)
    await instance.ok('library', 'switch', 'One')
    assert.match(await instance.ok('library', 'current'), /^One/)
    await instance.ok('library', 'close', 'Two')
    assert.match((await instance.run('library', 'info', 'Two')).stderr, /not open/)
    await instance.ok('library', 'open', library.path)
    assert.match(await instance.ok('library', 'info', 'Two'), /files\s+0 in 0 folders/)
    const { libraries } = await instance.json<{ libraries: { name: string; current: boolean }[] }>('library', 'list')
    assert.deepEqual(
      libraries.map(l => [l.name, l.current]),
      [
        ['One', true],
        ['Two', false]
      ]
    )
  })
  it('check and backup', async () => {
    assert.match(await instance.ok('library', 'check', 'One', '--vacuum'), /in order/)
    const { backup } = await instance.json<{ backup: string }>('library', 'backup', 'One')
    assert.ok(existsSync(backup))
  })
  it('rebuild leaves alone what is in order, unless it is told to', async () => {
    const { code, stderr } = await instance.run('library', 'rebuild', 'One')
    assert.equal(code, 1)
    assert.match(stderr, /One is in order.*\n.*--force/)
    assert.match(await instance.ok('library', 'rebuild', 'One', '--force'), /has a new database/)
  })
  it('delete wants a yes, removes the library and leaves what is not its own', async () => {
    const folder = `${instance.dataDir}-place/Two.sdlibrary`
    writeFileSync(`${folder}/mine.txt`, 'mine')
    const refused = await instance.run('library', 'delete', 'Two')
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /--yes/)
    await instance.ok('library', 'delete', 'Two', '--yes')
    assert.ok(existsSync(`${folder}/mine.txt`))
    assert.ok(!existsSync(`${folder}/database.db`))
    assert.doesNotMatch(await instance.ok('library', 'list'), /Two/)
  })
})
