import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { type FileName, ROOT } from '../../../storage/base/index.js'
import { freeNames } from '../../../storage/files/free-name.js'
import type { MoveEntry } from '../../../storage/files/index.js'
import { DISKS, type Kit, openKit, rel, spied, systemError } from './kit.js'

const entries = (...names: string[]): MoveEntry[] => names.map(from => ({ from: from as FileName }))

describe('free names', () => {
  const second = (name: string, isDirectory = false): string => {
    const names = freeNames(name as FileName, isDirectory)
    names.next()
    return names.next().value as string
  }
  for (const [name, isDirectory, expected] of [
    ['a.txt', false, 'a (1).txt'],
    ['a.tar.gz', false, 'a.tar (1).gz'],
    ['.bashrc', false, '.bashrc (1)'],
    ['v1.2', true, 'v1.2 (1)'],
    ['plain', false, 'plain (1)'],
    [`${'n'.repeat(251)}.txt`, false, `${'n'.repeat(247)} (1).txt`],
    [`${'é'.repeat(127)}`, false, `${'é'.repeat(125)} (1)`],
    [`x.${'e'.repeat(253)}`, false, `x.${'e'.repeat(249)} (1)`]
  ] as const) {
    it(`${name.slice(0, 20)} -> ${expected.slice(-20)}`, () => {
      assert.equal(second(name, isDirectory), expected)
      assert.ok(Buffer.byteLength(expected) <= 255)
    })
  }
})

for (const [name, disk] of DISKS) {
  describe(`moveInto: ${name}`, () => {
    let kit: Kit
    let onCall: ((call: string, args: readonly unknown[]) => void) | undefined
    beforeEach(async () => {
      onCall = undefined
      kit = await openKit(spied(disk(), (call, args) => onCall?.(call, args)))
    })
    afterEach(() => kit.clean())
    const visible = (dir = kit.dir): string[] =>
      readdirSync(dir)
        .filter(n => !n.startsWith('.'))
        .sort()
    const read = (path: string): string => readFileSync(kit.at(path), 'utf8')

    for (const [what, make] of [
      ['a file', (path: string) => writeFileSync(path, 'mine')],
      ['an empty directory', (path: string) => mkdirSync(path)],
      ['a dangling link', (path: string) => symlinkSync('nowhere', path)],
      ['a FIFO', (path: string) => void execFileSync('mkfifo', [path])]
    ] as const) {
      it(`${what} of that name stays: the next free name is taken`, async () => {
        make(kit.at('d'))
        make(kit.at('f.txt'))
        await kit.stage({ 'd/x': 'x', 'f.txt': 'f' })
        const moved = await kit.staging.moveInto(ROOT, entries('d', 'f.txt'))
        assert.deepEqual(
          moved.map(m => m.name),
          ['d (1)', 'f (1).txt']
        )
        assert.deepEqual([read('d (1)/x'), read('f (1).txt')], ['x', 'f'])
        assert.equal(existsSync(kit.at('nowhere')), false)
      })
    }
    it('into a directory that is made, under other names', async () => {
      await kit.stage({ a: '1', b: '2' })
      const moved = await kit.staging.moveInto(rel('in'), [
        { from: 'a' as FileName, as: 'same' as FileName },
        { from: 'b' as FileName, as: 'same' as FileName }
      ])
      assert.deepEqual(
        moved.map(m => m.path),
        [kit.at('in/same'), kit.at('in/same (1)')]
      )
      assert.deepEqual([read('in/same'), read('in/same (1)')], ['1', '2'])
    })
    it('a link in place of the directory is not followed', async () => {
      mkdirSync(kit.at('outside'))
      symlinkSync('outside', kit.at('in'))
      await kit.stage({ a: '1' })
      await assert.rejects(kit.staging.moveInto(rel('in'), entries('a')), { code: 'LINK_IN_PATH' })
      assert.deepEqual(visible(kit.at('outside')), [])
    })
    it('a name taken in the last moment is left, and all go under names that are free', async () => {
      await kit.stage({ a: '1', b: '2', c: '3' })
      onCall = (call, args) => {
        if (!['rename', 'link'].includes(call) || args[1] !== 'b') return
        onCall = undefined
        writeFileSync(kit.at('b'), 'mine')
      }
      const moved = await kit.staging.moveInto(ROOT, entries('a', 'b', 'c'))
      assert.deepEqual(
        moved.map(m => m.name),
        ['a', 'b (1)', 'c']
      )
      assert.equal(read('b'), 'mine')
    })
    it('all or none: an error at the last entry takes the others back, and it can be tried again', async () => {
      await kit.stage({ a: '1', 'b/x': '2', c: '3' })
      onCall = (call, args) => {
        if (['rename', 'link'].includes(call) && args[1] === 'c') throw systemError('EIO')
      }
      await assert.rejects(kit.staging.moveInto(ROOT, entries('a', 'b', 'c')), { code: 'DISK_ERROR' })
      assert.deepEqual(visible(), [])
      onCall = undefined
      assert.equal((await kit.staging.moveInto(ROOT, entries('a', 'b', 'c'))).length, 3)
      assert.deepEqual(visible(), ['a', 'b', 'c'])
    })
    it('asked again it answers the same and moves nothing', async () => {
      await kit.stage({ a: '1' })
      const first = await kit.staging.moveInto(ROOT, entries('a'))
      assert.deepEqual(await kit.staging.moveInto(ROOT, entries('a')), first)
      await assert.rejects(kit.staging.moveInto(ROOT, entries('other')), { code: 'ALREADY_MOVED' })
    })
    it('a directory without write permission arrives with its mode', async () => {
      await kit.stage({ 'd/x': '1' })
      await kit.staging.setDirectoryAttributes([{ path: rel('d'), mode: 0o555 }])
      const [moved] = await kit.staging.moveInto(ROOT, entries('d'))
      assert.equal(moved?.stat.mode, 0o555)
    })
    it('interrupted anywhere, the next start completes it or takes it back, and the same call ends it', async () => {
      await kit.clean()
      let interrupted = 0
      for (let at = 0; ; at++) {
        kit = await openKit(spied(disk(), (call, args) => onCall?.(call, args)))
        try {
          await kit.stage({ a: '1', 'b/x': '2', c: '3' })
          const { id } = kit.staging
          let n = 0
          onCall = call => {
            // As after kill -9: from some call on nothing happens any more.
            if (CHANGING.has(call) && n++ >= at) throw new Error('killed')
          }
          const outcome = await kit.staging.moveInto(ROOT, entries('a', 'b', 'c')).then(
            () => 'done',
            () => 'killed'
          )
          onCall = undefined
          if (outcome === 'done') break
          interrupted++
          const root = await kit.restart()
          assert.deepEqual((await root.recover()).problems, [])
          assert.ok([0, 3].includes(visible().length), `all or none after ${at} changes: ${visible()}`)
          const staging = await root.openStaging(id)
          const moved = await staging.moveInto(ROOT, entries('a', 'b', 'c'))
          assert.deepEqual(
            moved.map(m => m.name),
            ['a', 'b', 'c']
          )
          await staging.discard()
          assert.deepEqual(readdirSync(kit.dir).sort(), ['a', 'b', 'c'])
          assert.deepEqual([read('a'), read('b/x'), read('c')], ['1', '2', '3'])
        } finally {
          onCall = undefined
          await kit.clean()
        }
      }
      assert.ok(interrupted > 8)
      kit = await openKit()
    })
  })
}

const CHANGING = new Set(['rename', 'link', 'unlink', 'open', 'write', 'makeDir', 'setMode', 'setMtime', 'sync'])
