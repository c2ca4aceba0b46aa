import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import type { PlaceResult, PlaceStep } from '../../../storage/files/index.js'
import { DISKS, type Kit, openKit, rel, spied, systemError } from './kit.js'

const codes = (results: readonly PlaceResult[]): string[] => results.map(r => (r.done ? 'done' : r.problem.code))

for (const [name, disk] of DISKS) {
  describe(`groups: ${name}`, () => {
    let kit: Kit
    /** Called with the number of the rename, from 0 on, counted from when it was set. */
    let beforeRename: ((n: number) => void) | undefined
    beforeEach(async () => {
      let n = 0
      let counted: typeof beforeRename
      beforeRename = undefined
      kit = await openKit(
        spied(disk(), (call, args) => {
          if (counted !== beforeRename) [counted, n] = [beforeRename, 0]
          const renames = call === 'link' || (call === 'rename' && !String(args[1]).startsWith('journal'))
          if (renames) beforeRename?.(n++)
        })
      )
    })
    afterEach(() => kit.clean())
    const read = (path: string): string => readFileSync(kit.at(path), 'utf8')
    const file = (path: string, content = path): void => writeFileSync(kit.at(path), content)
    const visible = (): string[] =>
      readdirSync(kit.dir)
        .filter(n => !n.startsWith('.'))
        .sort()
    const move = (path: string, to: string): PlaceStep => {
      const { size, mtimeNs, ino } = lstatSync(kit.at(path), { bigint: true })
      const kind = lstatSync(kit.at(path)).isDirectory() ? 'directory' : 'file'
      return {
        kind: 'move',
        path: rel(path),
        to: rel(to),
        expected: { kind, sizeBytes: Number(size), mtimeNs, inode: ino }
      }
    }

    it('two names swap', async () => {
      file('a')
      file('b')
      assert.deepEqual(codes(await kit.root.placeGroup([move('a', 'b'), move('b', 'a')])), ['done', 'done'])
      assert.deepEqual([read('a'), read('b')], ['b', 'a'])
    })
    it('three names turn in a cycle, a directory among them', async () => {
      file('a')
      mkdirSync(kit.at('b'))
      file('b/inner')
      file('c')
      assert.deepEqual(codes(await kit.root.placeGroup([move('a', 'b'), move('b', 'c'), move('c', 'a')])), [
        'done',
        'done',
        'done'
      ])
      assert.deepEqual([read('b'), read('c/inner'), read('a')], ['a', 'b/inner', 'c'])
      assert.deepEqual(
        readdirSync(kit.dir).filter(n => n.startsWith('.')).length,
        1,
        'only the open staging place is left'
      )
    })
    it('a name that moves away is given to what comes, in whichever order they are asked for', async () => {
      file('f', 'old')
      await kit.stage({ n: 'new' })
      const create: PlaceStep = { kind: 'create', path: rel('f'), from: kit.from('n') }
      assert.deepEqual(codes(await kit.root.placeGroup([create, move('f', 'g')])), ['done', 'done'])
      assert.deepEqual([read('f'), read('g')], ['new', 'old'])
    })
    it('what is gone with its directory, or lies behind a link by now, is not done, and the rest with it', async () => {
      for (const [code, interfere] of [
        ['MISSING', () => rmSync(kit.at('d'), { recursive: true })],
        ['LINK_IN_PATH', () => symlinkSync('elsewhere', kit.at('d'))]
      ] as const) {
        file('a')
        mkdirSync(kit.at('d'))
        file('d/b')
        const steps = [move('a', 'c'), move('d/b', 'a')]
        if (code === 'LINK_IN_PATH') renameSync(kit.at('d'), kit.at('elsewhere'))
        interfere()
        assert.deepEqual(codes(await kit.root.placeGroup(steps)), [code, code])
        assert.equal(read('a'), 'a')
      }
    })
    it('a file becomes a directory, and a directory a file', async () => {
      file('f')
      mkdirSync(kit.at('d'))
      await kit.stage({ n: 'new' })
      const { ino } = lstatSync(kit.at('f'), { bigint: true })
      const results = await kit.root.placeGroup([
        { kind: 'remove', path: rel('f'), expected: { kind: 'file', inode: ino }, aside: kit.from('old/f') },
        { kind: 'make-directory', path: rel('f'), mode: 0o750 },
        { kind: 'remove-directory', path: rel('d') },
        { kind: 'create', path: rel('d'), from: kit.from('n') }
      ])
      assert.deepEqual(codes(results), ['done', 'done', 'done', 'done'])
      assert.equal(lstatSync(kit.at('f')).mode & 0o777, 0o750)
      assert.equal(read('d'), 'new')
      assert.equal(readFileSync(`${kit.staging.path}/tree/old/f`, 'utf8'), 'f')
    })
    it('a directory that is not empty takes the whole group back', async () => {
      mkdirSync(kit.at('d'))
      file('d/inner')
      file('a')
      await kit.stage({ n: 'new' })
      const results = await kit.root.placeGroup([
        move('a', 'z'),
        { kind: 'remove-directory', path: rel('d') },
        { kind: 'create', path: rel('d'), from: kit.from('n') }
      ])
      assert.deepEqual(codes(results), ['NOT_EMPTY', 'NOT_EMPTY', 'NOT_EMPTY'])
      assert.deepEqual(visible(), ['a', 'd'])
      assert.equal(read('d/inner'), 'd/inner')
    })
    it('whatever fails, at whatever step, everything is where it was', async () => {
      for (const at of [0, 1, 2, 3, 4, 5]) {
        file('a')
        file('b')
        file('c')
        beforeRename = n => {
          if (n === at) throw systemError('EIO')
        }
        const results = await kit.root.placeGroup([move('a', 'b'), move('b', 'c'), move('c', 'a')])
        assert.deepEqual(codes(results), ['DISK_ERROR', 'DISK_ERROR', 'DISK_ERROR'], `at ${at}`)
        assert.deepEqual([read('a'), read('b'), read('c')], ['a', 'b', 'c'])
      }
    })
    it('what lies within something else that moves, moves as well: turned inside out, and back whatever fails', async () => {
      const tree = (): string[] =>
        readdirSync(kit.dir, { recursive: true, encoding: 'utf8' })
          .filter(n => !n.startsWith('.'))
          .sort()
      const before = ['outer', 'outer/g', 'outer/inner', 'outer/inner/f']
      mkdirSync(kit.at('outer/inner'), { recursive: true })
      file('outer/inner/f', 'f')
      file('outer/g', 'g')
      const steps = (): PlaceStep[] => [
        move('outer/inner', 'inner'),
        move('outer', 'inner/outer'),
        move('outer/inner/f', 'inner/outer/f'),
        move('outer/g', 'g')
      ]
      for (let at = 0; at < 8; at++) {
        beforeRename = n => {
          if (n === at) throw systemError('EIO')
        }
        assert.deepEqual(codes(await kit.root.placeGroup(steps())), Array(4).fill('DISK_ERROR'), `at ${at}`)
        assert.deepEqual(tree(), before, `at ${at}`)
      }
      beforeRename = undefined
      assert.deepEqual(codes(await kit.root.placeGroup(steps())), Array(4).fill('done'))
      assert.deepEqual(tree(), ['g', 'inner', 'inner/outer', 'inner/outer/f'])
      assert.deepEqual([read('g'), read('inner/outer/f')], ['g', 'f'])
    })
    it('what is not as expected from the beginning: none of the group is done, and each step says so', async () => {
      file('a')
      file('b')
      const steps = [move('a', 'b'), move('b', 'a')]
      file('b', 'edited')
      assert.deepEqual(codes(await kit.root.placeGroup(steps)), ['CHANGED', 'CHANGED'])
      assert.deepEqual([read('a'), read('b')], ['a', 'edited'])
    })
    it('what was changed meanwhile takes the whole group back', async () => {
      file('a')
      file('b')
      beforeRename = n => {
        if (n === 1) writeFileSync(kit.at('b'), 'edited')
      }
      assert.deepEqual(codes(await kit.root.placeGroup([move('a', 'b'), move('b', 'a')])), ['CHANGED', 'CHANGED'])
      assert.deepEqual([read('a'), read('b')], ['a', 'edited'])
    })
    it('a name that somebody took meanwhile is theirs; what cannot go back is told and kept', async () => {
      file('a')
      file('b')
      beforeRename = n => {
        if (n === 2) writeFileSync(kit.at('a'), 'theirs')
      }
      const results = await kit.root.placeGroup([move('a', 'b'), move('b', 'a')])
      assert.equal(
        results.some(r => r.done),
        false
      )
      assert.equal(read('a'), 'theirs')
      const stuck = results.find(r => !r.done && r.problem.code === 'NOT_PUT_BACK')
      assert.ok(stuck !== undefined && !stuck.done)
      const where = /left at (\S+):/.exec(stuck.problem.message)![1]!
      assert.equal(read(where), 'a')
      const again = await kit.restart()
      assert.deepEqual(
        (await again.recover()).problems.map(p => p.code),
        ['NOT_PUT_BACK']
      )
      assert.equal(existsSync(kit.at(where)), true, 'it is not taken away')
    })
  })
}
