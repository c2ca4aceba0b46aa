import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { testInstance } from '../../cli.js'

describe('scan', () => {
  const instance = testInstance()
  before(() => instance.ok('start'))
  after(() => instance.clean())

  it('indexes a folder, waits for it, does not watch it, and its files are found', async () => {
    const folder = `${instance.dataDir}-folder`
    mkdirSync(`${folder}/inner`, { recursive: true })
    writeFileSync(`${folder}/inner/needle in the hay.txt`, 'x')
    await instance.ok('library', 'create', 'Mine')
    const { location, ended } = await instance.json<{
      location: { files: number; watch: boolean }
      ended: { state: string }
    }>('scan', folder)
    assert.equal(location.files, 1)
    assert.equal(location.watch, false)
    assert.equal(ended.state, 'completed')
    assert.match(await instance.ok('search', 'needle'), /needle in the hay\.txt/)
  })
})
