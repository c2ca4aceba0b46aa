import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { canMount, mountImage, type TestImage } from '../../mounts.js'
import { look } from '../../sync/session/fixture.js'
import { TwoDevices } from './two-devices.js'

/** A sync leaves 512 MiB free: an image with room has more than that, and takes no more of the disk than is written. */
const ROOMY_MIB = 800

canMount('the disk of the other device', () => {
  const two = new TwoDevices()
  const images: TestImage[] = []
  before(() => two.start())
  after(() =>
    two.clean(() => {
      for (const image of images) image.clean()
    })
  )

  function mounted(fileSystem: string, mib: number, place: string): TestImage {
    mkdirSync(two.at(place), { recursive: true })
    const image = mountImage(fileSystem, mib)
    images.push(image)
    image.mount(two.at(place))
    return image
  }

  it('has no space: it is halted with the figures, nothing was placed; with more of it, it goes on by itself', async () => {
    mounted('tmpfs', 100, 'full')
    two.put('photos/a', 'of ada')
    await two.add('photos', {
      mode: 'mirror',
      side: 'destination',
      mine: 'photos',
      theirs: 'full/photos',
      manual: false
    })
    await two.until('its being halted', () => two.status('photos').state === 'halted')
    const { reason, text } = two.status('photos')
    assert.equal(reason, 'no-space')
    assert.match(text, /bob: .*free/)
    assert.deepEqual(
      readdirSync(two.at('full/photos')).filter(n => !n.startsWith('.')),
      []
    )
    execFileSync('mount', ['-o', `remount,size=${ROOMY_MIB}m`, two.at('full')])
    await two.until('its going on', () => two.status('photos').state === 'converged')
    assert.deepEqual(look(two.at('full/photos')), look(two.at('photos')))
    await two.ada.syncs.remove(two.ada.syncs.find('photos'))
  })

  it('is full in the middle of a file, whatever it promised: halted, no half file; what is freed is used', async () => {
    mounted('tmpfs', 16, 'small')
    two.put('films/a', Buffer.alloc(12 * 2 ** 20, 1))
    two.put('films/b', Buffer.alloc(12 * 2 ** 20, 2))
    await two.add('films', { mode: 'mirror', side: 'destination', mine: 'films', theirs: 'small/films' })
    await two.lie({ folder: () => ({ ensureSpace: async () => {} }) })
    const { state, reason } = await two.run('films')
    assert.deepEqual([state, reason], ['halted', 'no-space'])
    for (const name of readdirSync(two.at('small/films')).filter(n => !n.startsWith('.')))
      assert.deepEqual(readFileSync(two.at(`small/films/${name}`)), readFileSync(two.at(`films/${name}`)))
    rmSync(two.at('films/b'))
    // What was staged of it makes room for the rest.
    assert.equal((await two.run('films')).state, 'converged')
    assert.deepEqual(look(two.at('small/films')), look(two.at('films')))
    await two.truth()
  })

  it('is not mounted: it says so, nothing is deleted here or there, and it goes on when it is', async () => {
    const disk = mounted('ext4', ROOMY_MIB, 'disk')
    two.put('notes/a', 'of ada')
    two.put('disk/notes/b', 'of bob')
    await two.add('notes', { mode: 'bidirectional', side: 'destination', mine: 'notes', theirs: 'disk/notes' })
    assert.equal((await two.run('notes')).state, 'converged')
    const before = look(two.at('notes'))
    await disk.unmount()
    const missing = await two.run('notes')
    assert.deepEqual([missing.state, missing.reason], ['halted', 'root-missing'])
    // A folder of that name on the disk below is not the one.
    mkdirSync(two.at('disk/notes'))
    const replaced = await two.run('notes')
    assert.deepEqual([replaced.state, replaced.reason], ['halted', 'root-replaced'])
    assert.deepEqual(look(two.at('notes')), before)
    assert.deepEqual(readdirSync(two.at('disk/notes')), [])
    disk.mount(two.at('disk'))
    writeFileSync(two.at('disk/notes/b'), 'edited by bob')
    assert.equal((await two.run('notes')).state, 'converged')
    assert.equal(readFileSync(two.at('notes/b'), 'utf8'), 'edited by bob')
  })
})
