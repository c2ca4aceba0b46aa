import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import type { Mode } from '../../../sync/reconcile/index.js'
import { canMount, mountImage, type TestImage } from '../../mounts.js'
import { look } from './fixture.js'
import { TwoFolders } from './two-folders.js'

canMount('a sync of which an end is a bind mount', function (this: Mocha.Suite) {
  let two: TwoFolders
  let image: TestImage
  let bound: string | undefined
  const at = (path: string): string => two.at(path)
  const bind = (from: string, to: string): void => {
    execFileSync('mount', ['--bind', at(from), at(to)])
    bound = at(to)
  }
  const unbind = (): void => {
    if (bound !== undefined) execFileSync('umount', [bound])
    bound = undefined
  }
  /** `disk/photos` is what is synced, as `disk/end`; below it lies something else. */
  const begin = async (fileSystem: string, mode: Mode): Promise<void> => {
    image = mountImage(fileSystem, 600)
    mkdirSync(at('disk'))
    image.mount(at('disk'))
    two.put('disk/end/below', 'below')
    for (let i = 0; i < 8; i++) two.put(`disk/photos/${i}`, String(i))
    bind('disk/photos', 'disk/end')
    await two.add(mode, { ends: ['disk/end', 'b'] })
    await two.until('being in step', () => existsSync(at('b/7')) && two.status().state === 'converged' && !two.working)
  }

  beforeEach(async () => {
    two = new TwoFolders()
    await two.start()
  })
  afterEach(async () => {
    await two.peer.stop()
    unbind()
    image.clean()
    await two.clean()
  })

  for (const mode of ['mirror', 'bidirectional'] as Mode[]) {
    it(`${mode}: unmounted, it is away, and what lies below it is not taken for it; mounted again it goes on`, async () => {
      // Nothing tells two of these file systems apart for certain: a folder is not looked for elsewhere on one.
      await begin('tmpfs', mode)
      const before = look(at('b'))
      unbind()
      await two.until('being away', () => two.peer.syncs.standing(two.sync).state === 'away')
      assert.match(two.status().text, /another folder than the one that was synced/)
      assert.equal((await two.run()).state, 'halted')
      assert.deepEqual(look(at('b')), before)
      assert.deepEqual(look(at('disk/end'), { times: false }), { below: 'below 644' })
      bind('disk/photos', 'disk/end')
      two.put('disk/photos/new', 'new')
      await two.until('going on', () => existsSync(at('b/new')) && two.status().state === 'converged' && !two.working)
      two.put('disk/end/later', 'later')
      await two.until('seeing what changes', () => existsSync(at('b/later')))
      assert.equal(existsSync(at('b/below')), false)
    })

    it(`${mode}: unmounted on a disk that is known, the folder is followed to where it is`, async () => {
      await begin('ext4', mode)
      unbind()
      await two.until('finding it', () => two.sync.source.path === at('disk/photos') && !two.working)
      two.put('disk/photos/new', 'new')
      two.put('disk/end/other', 'other')
      await two.until('seeing what changes', () => existsSync(at('b/new')))
      for (const name of ['below', 'other']) assert.equal(existsSync(at(`b/${name}`)), false)
      assert.equal(existsSync(at('b/7')), true)
    })
  }
})
