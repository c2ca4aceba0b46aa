import assert from 'node:assert/strict'
import { mkdirSync, readdirSync } from 'node:fs'
import { testInstance } from '../../cli.js'

describe('volume commands', () => {
  const instance = testInstance()
  before(() => instance.ok('start'))
  after(() => instance.clean())

  it('list shows where the data directory lies, info the same volume', async () => {
    const { volumes } = await instance.json<{ volumes: { id: string; mountPoint: string }[] }>(
      'volume',
      'list',
      '--all'
    )
    const holding = volumes
      .filter(v => instance.dataDir.startsWith(v.mountPoint))
      .sort((a, b) => b.mountPoint.length - a.mountPoint.length)[0]!
    const info = await instance.json<{ id: string; totalBytes: number }>('volume', 'info', holding.mountPoint)
    assert.equal(info.id, holding.id)
    assert.ok(info.totalBytes > 0)
  })
  it('speed-test measures in a folder and leaves nothing there', async () => {
    const place = `${instance.dataDir}-place`
    mkdirSync(place)
    const measured = await instance.json<{ writeBytesPerSecond: number }>('volume', 'speed-test', place, '--size', '1M')
    assert.ok(measured.writeBytesPerSecond > 0)
    assert.deepEqual(readdirSync(place), [])
  })
  it('a size that is none is wrong usage', async () => {
    const { code, stderr } = await instance.run('volume', 'speed-test', '/tmp', '--size', 'lots')
    assert.equal(code, 2)
    assert.match(stderr, /lots is not a size/)
  })
  it('an unknown volume is named, with what to try', async () => {
    const { code, stderr } = await instance.run('volume', 'info', 'nonesuch')
    assert.equal(code, 1)
    assert.match(stderr, /no volume nonesuch.*\n.*volume list/)
  })
})
