import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { canMountKind, mountImage, type TestImage } from '../../mounts.js'
import { TwoFolders } from './two-folders.js'

interface Kind {
  readonly title: string
  readonly fileSystem: string
  readonly mkfs?: readonly string[]
  /** `a` and `A` are one name there; made so in an empty directory. */
  fold?(place: string): void
  /** Permission bits and links do not stay there. */
  readonly plain?: boolean
}

/** Half a gibibyte of any disk that is written to stays free. */
const MIB = 1024

/** Each runs where its driver and its mkfs are, and is named where they are not; folding.spec.ts tries the same rules everywhere. */
const KINDS: readonly Kind[] = [
  { title: 'ext4', fileSystem: 'ext4', mkfs: ['-m', '0'] },
  {
    ...{ title: 'ext4 that folds names', fileSystem: 'ext4', mkfs: ['-m', '0', '-O', 'casefold'] },
    fold: place => void execFileSync('chattr', ['+F', place])
  },
  { title: 'vfat', fileSystem: 'vfat', fold: () => {}, plain: true },
  { title: 'btrfs', fileSystem: 'btrfs' },
  { title: 'xfs', fileSystem: 'xfs' }
]

for (const { title, fileSystem, mkfs = [], fold, plain = false } of KINDS)
  canMountKind(`a sync with a folder on ${title}`, { fileSystem, mib: MIB, mkfs }, function (this: Mocha.Suite) {
    let two: TwoFolders
    let image: TestImage

    beforeEach(async () => {
      two = new TwoFolders()
      image = mountImage(fileSystem, MIB, ...mkfs)
      image.mount(two.at('b'))
      rmSync(`${two.at('b')}/lost+found`, { recursive: true, force: true })
      fold?.(two.at('b'))
      await two.start()
    })
    afterEach(async () => {
      await two.peer.stop()
      image.clean()
      await two.clean()
    })
    const read = (path: string): string => readFileSync(two.at(path), 'utf8')
    const run = async (): Promise<number> => {
      const report = await two.run()
      assert.deepEqual(report.problems, [])
      return report.operations
    }

    it('both ways: content and names go over, what it cannot hold is carried and not reset, a second run does nothing', async () => {
      for (const name of ['photos/one.jpg', 'photos/deep/two.jpg', 'tool', 'caf\u00e9']) two.put(`a/${name}`, name)
      mkdirSync(two.at('a/empty'))
      chmodSync(two.at('a/tool'), 0o751)
      if (!plain) symlinkSync('tool', two.at('a/link'))
      await two.add('bidirectional', { manual: true })
      await run()
      for (const name of ['photos/one.jpg', 'photos/deep/two.jpg', 'tool', 'caf\u00e9'])
        assert.equal(read(`b/${name}`), name)
      assert.deepEqual(readdirSync(two.at('b/empty')), [])
      assert.equal(await run(), 0)
      two.put('b/tool', 'edited there')
      two.put('b/photos/three.jpg', 'made there')
      await run()
      assert.equal(read('a/tool'), 'edited there')
      assert.equal(statSync(two.at('a/tool')).mode & 0o777, 0o751)
      assert.equal(read('a/photos/three.jpg'), 'made there')
      assert.equal(await run(), 0)
    })

    it('a folder that is renamed is one move, also where only the case of its name is another', async () => {
      for (let i = 0; i < 20; i++) two.put(`a/photos/${i}`, `${i}`)
      await two.add('bidirectional', { manual: true })
      await run()
      for (const [from, to] of [
        ['photos', 'Photos'],
        ['Photos', 'album']
      ]) {
        renameSync(two.at(`a/${from}`), two.at(`a/${to}`))
        assert.equal(await run(), 1)
        assert.deepEqual(
          readdirSync(two.at('b')).filter(name => !name.startsWith('.')),
          [to]
        )
        assert.equal(readdirSync(two.at(`b/${to}`)).length, 20)
        assert.equal(await run(), 0)
      }
    })

    it('names that it takes for one: nothing is lost, the rest goes on, both ends come to rest', async () => {
      await two.add('bidirectional', { manual: true })
      for (const name of ['a', 'A', 'other']) two.put(`a/${name}`, `this is ${name}`)
      const report = await two.run()
      assert.equal(read('b/other'), 'this is other')
      for (const name of ['a', 'A']) assert.equal(read(`a/${name}`), `this is ${name}`)
      const there = readdirSync(two.at('b')).filter(name => /^a$/i.test(name))
      assert.equal(there.length, fold === undefined ? 2 : report.problems.length > 0 ? 1 : 2)
      assert.equal((await two.run()).operations, 0)
    })
  })
