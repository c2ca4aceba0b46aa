import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import type { Expected, PlaceResult, PlaceStep } from '../../../storage/files/index.js'
import { MAX_BATCH_BYTES, MAX_PLACED_STEPS } from '../../../storage/files/index.js'
import { DISKS, type Kit, openKit, rel, spied } from './kit.js'

/** What a scan would have seen there. */
function seenAt(path: string): Expected {
  const s = lstatSync(path, { bigint: true })
  const kind = s.isFile() ? 'file' : s.isDirectory() ? 'directory' : s.isSymbolicLink() ? 'symlink' : 'other'
  return { kind, sizeBytes: Number(s.size), mtimeNs: s.mtimeNs, ctimeNs: s.ctimeNs, inode: s.ino }
}
const codes = (results: readonly PlaceResult[]): string[] => results.map(r => (r.done ? 'done' : r.problem.code))

for (const [name, disk] of DISKS) {
  describe(`place: ${name}`, () => {
    let kit: Kit
    let interfere: (() => void) | undefined
    beforeEach(async () => {
      interfere = undefined
      const racing = spied(disk(), (call, args) => {
        // Right before the first change of the person's name.
        if (interfere === undefined || !['rename', 'link'].includes(call) || !args.includes('f')) return
        const now = interfere
        interfere = undefined
        now()
      })
      kit = await openKit(racing)
    })
    afterEach(() => kit.clean())
    const read = (path: string): string => readFileSync(kit.at(path), 'utf8')
    const staged = (path: string): string => readFileSync(`${kit.staging.path}/tree/${path}`, 'utf8')
    const create = (path: string, from = path): PlaceStep => ({ kind: 'create', path: rel(path), from: kit.from(from) })
    const replace = (path: string, from: string): PlaceStep => ({
      kind: 'replace',
      path: rel(path),
      from: kit.from(from),
      expected: seenAt(kit.at(path)),
      aside: kit.from(`aside/${path}`)
    })
    const remove = (path: string): PlaceStep => ({
      kind: 'remove',
      path: rel(path),
      expected: seenAt(kit.at(path)),
      aside: kit.from(`aside/${path}`)
    })

    it('what is not staged, or gone with its directory, is a problem of its own: the rest is done, and said to be', async () => {
      await kit.stage({ a: '1', b: '2' })
      mkdirSync(kit.at('dir'))
      for (const path of ['dir/gone', 'gone', 'there', 'replaced']) writeFileSync(kit.at(path), path)
      const attributes = (path: string): PlaceStep => ({
        ...{ kind: 'attributes', path: rel(path), expected: seenAt(kit.at(path)), mode: 0o600 }
      })
      const steps = [
        ...[create('a'), create('none'), create('b/none', 'in/none'), replace('replaced', 'in/none')],
        ...[attributes('dir/gone'), attributes('gone'), attributes('there')]
      ]
      rmSync(kit.at('dir'), { recursive: true })
      rmSync(kit.at('gone'))
      assert.deepEqual(codes(await kit.root.place(steps)), [
        ...['done', 'MISSING', 'MISSING', 'MISSING', 'MISSING', 'CHANGED', 'done']
      ])
      assert.deepEqual([read('a'), read('replaced')], ['1', 'replaced'])
    })
    it('what somebody takes away with its folder while others are placed was done, and what it replaced is told', async () => {
      await kit.stage({ new: 'new', f: 'f' })
      mkdirSync(kit.at('d'))
      for (const path of ['d/replaced', 'd/set', 'd/moved']) writeFileSync(kit.at(path), path)
      const [set, moved] = [seenAt(kit.at('d/set')), seenAt(kit.at('d/moved'))]
      // More folders than are kept open at once.
      const folders = Array.from({ length: 70 }, (_, i) => `n${i}`)
      const steps: PlaceStep[] = [
        replace('d/replaced', 'new'),
        { kind: 'attributes', path: rel('d/set'), expected: set, mode: 0o600 },
        { kind: 'move', path: rel('d/moved'), to: rel('d/to'), expected: moved },
        ...folders.map((path): PlaceStep => ({ kind: 'make-directory', path: rel(path), mode: 0o700 })),
        create('f')
      ]
      interfere = () => renameSync(kit.at('d'), kit.at('taken'))
      const results = await kit.root.place(steps)
      assert.deepEqual(
        codes(results),
        steps.map(() => 'done')
      )
      const [replaced] = results
      assert.ok(replaced?.done && replaced.stat === undefined && replaced.aside?.sizeBytes === 'd/replaced'.length)
      assert.deepEqual([read('taken/replaced'), read('taken/to')], ['new', 'd/moved'])
      assert.equal(staged('aside/d/replaced'), 'd/replaced')
    })
    it('creates files and links in directories that it made, with their times last', async () => {
      await kit.stage({ a: 'alpha' })
      await kit.staging.write([{ kind: 'symlink', path: rel('l'), target: 'a' }], new Uint8Array(0))
      const results = await kit.root.place([
        { kind: 'make-directory', path: rel('d'), mode: 0o750, mtimeNs: 5_000_000_000n },
        { kind: 'make-directory', path: rel('d/e'), mtimeNs: 6_000_000_000n },
        create('d/e/a', 'a'),
        create('d/l', 'l')
      ])
      assert.deepEqual(codes(results), ['done', 'done', 'done', 'done'])
      assert.equal(read('d/e/a'), 'alpha')
      assert.equal(readlinkSync(kit.at('d/l')), 'a')
      const dir = lstatSync(kit.at('d'), { bigint: true })
      assert.deepEqual([dir.mtimeNs, Number(dir.mode) & 0o777], [5_000_000_000n, 0o750])
      assert.equal(lstatSync(kit.at('d/e'), { bigint: true }).mtimeNs, 6_000_000_000n)
      const [, , file] = results
      assert.ok(file?.done && file.stat?.ctimeNs === lstatSync(kit.at('d/e/a'), { bigint: true }).ctimeNs)
    })
    for (const [what, make] of [
      ['a file', (path: string) => writeFileSync(path, 'mine')],
      ['a directory', (path: string) => mkdirSync(path)],
      ['a dangling link', (path: string) => symlinkSync('nowhere', path)],
      ['a FIFO', (path: string) => void execFileSync('mkfifo', [path])]
    ] as const) {
      it(`never creates where ${what} stands`, async () => {
        make(kit.at('f'))
        const before = seenAt(kit.at('f'))
        await kit.stage({ f: 'theirs' })
        assert.deepEqual(codes(await kit.root.place([create('f')])), ['EXISTS'])
        assert.deepEqual(seenAt(kit.at('f')), before)
        assert.equal(staged('f'), 'theirs')
        assert.equal(existsSync(kit.at('nowhere')), false)
      })
    }
    it('a file that appears in the last moment keeps its name', async () => {
      await kit.stage({ f: 'theirs' })
      interfere = () => writeFileSync(kit.at('f'), 'mine')
      assert.deepEqual(codes(await kit.root.place([create('f')])), ['EXISTS'])
      assert.equal(read('f'), 'mine')
    })
    it('replaces what was expected; the old content is aside', async () => {
      writeFileSync(kit.at('f'), 'old')
      await kit.stage({ n: 'new' })
      const [result] = await kit.root.place([replace('f', 'n')])
      assert.equal(result?.done, true)
      assert.deepEqual([read('f'), staged('aside/f')], ['new', 'old'])
    })
    it('replaces a link itself, not what it leads to', async () => {
      writeFileSync(kit.at('secret'), 'mine')
      symlinkSync('secret', kit.at('f'))
      await kit.stage({ n: 'new' })
      assert.deepEqual(codes(await kit.root.place([replace('f', 'n')])), ['done'])
      assert.deepEqual([read('f'), read('secret')], ['new', 'mine'])
      assert.equal(readlinkSync(`${kit.staging.path}/tree/aside/f`), 'secret')
    })
    it('another name of a replaced file keeps the old content', async () => {
      writeFileSync(kit.at('f'), 'old')
      linkSync(kit.at('f'), kit.at('other'))
      await kit.stage({ n: 'new' })
      assert.deepEqual(codes(await kit.root.place([replace('f', 'n')])), ['done'])
      assert.deepEqual([read('f'), read('other')], ['new', 'old'])
    })
    for (const [what, change] of [
      ['was edited', (path: string) => writeFileSync(path, 'edited')],
      [
        'was replaced by another of the same size',
        (path: string) => {
          writeFileSync(`${path}2`, 'OLD')
          renameSync(`${path}2`, path)
        }
      ],
      [
        'became a directory',
        (path: string) => {
          renameSync(path, `${path}.was`)
          mkdirSync(path)
          writeFileSync(`${path}/inner`, 'mine')
        }
      ]
    ] as const) {
      it(`what ${what} before the step is neither replaced nor removed`, async () => {
        writeFileSync(kit.at('f'), 'old')
        await kit.stage({ n: 'new' })
        const steps = [replace('f', 'n'), remove('f')]
        change(kit.at('f'))
        const after = seenAt(kit.at('f'))
        assert.deepEqual(codes(await kit.root.place(steps)), ['CHANGED', 'CHANGED'])
        assert.deepEqual(seenAt(kit.at('f')), after)
        assert.equal(staged('n'), 'new')
      })
      it(`what ${what} in the last moment is put back: replace`, async () => {
        writeFileSync(kit.at('f'), 'old')
        await kit.stage({ n: 'new' })
        const steps = [replace('f', 'n')]
        interfere = () => change(kit.at('f'))
        const [result] = await kit.root.place(steps)
        assert.ok(result?.done === false && result.problem.code === 'CHANGED' && result.keptAt === undefined)
        assert.notEqual(lstatSync(kit.at('f')).isFile() && read('f'), 'new')
        assert.equal(staged('n'), 'new')
      })
      it(`what ${what} in the last moment is put back: remove`, async () => {
        writeFileSync(kit.at('f'), 'old')
        const steps = [remove('f')]
        interfere = () => change(kit.at('f'))
        assert.deepEqual(codes(await kit.root.place(steps)), ['CHANGED'])
        assert.equal(existsSync(kit.at('f')), true)
      })
    }
    it('removes what was expected; it is aside, and can be looked at again', async () => {
      writeFileSync(kit.at('f'), 'old')
      const [result] = await kit.root.place([remove('f')])
      assert.ok(result?.done && result.aside !== undefined)
      assert.equal(existsSync(kit.at('f')), false)
      const list = [{ at: kit.from('aside/f'), stat: result.aside }]
      assert.deepEqual(await kit.root.lookAgain(list), [])
      writeFileSync(`${kit.staging.path}/tree/aside/f`, 'a program still had it open')
      assert.deepEqual(await kit.root.lookAgain(list), [0])
    })
    it('a FIFO and a directory are never replaced or removed', async () => {
      execFileSync('mkfifo', [kit.at('fifo')])
      mkdirSync(kit.at('dir'))
      await kit.stage({ n: 'new' })
      const steps = [replace('fifo', 'n'), remove('fifo'), replace('dir', 'n'), remove('dir')]
      assert.deepEqual(codes(await kit.root.place(steps)), Array(4).fill('NOT_A_FILE'))
      assert.deepEqual(
        readdirSync(kit.dir)
          .filter(n => !n.startsWith('.'))
          .sort(),
        ['dir', 'fifo']
      )
    })
    it('moves files and directories, and never onto anything', async () => {
      mkdirSync(kit.at('d'))
      writeFileSync(kit.at('d/x'), 'x')
      writeFileSync(kit.at('f'), 'f')
      const move = (path: string, to: string): PlaceStep => ({
        kind: 'move',
        path: rel(path),
        to: rel(to),
        expected: seenAt(kit.at(path))
      })
      assert.deepEqual(codes(await kit.root.place([move('d', 'e'), move('f', 'e')])), ['done', 'EXISTS'])
      assert.deepEqual([read('e/x'), read('f')], ['x', 'f'])
    })
    it('a directory goes only when it is empty', async () => {
      mkdirSync(kit.at('d'))
      writeFileSync(kit.at('d/x'), 'x')
      const step: PlaceStep = { kind: 'remove-directory', path: rel('d') }
      assert.deepEqual(codes(await kit.root.place([step])), ['NOT_EMPTY'])
      assert.deepEqual(codes(await kit.root.place([remove('d/x'), step])), ['done', 'done'])
    })
    it('changes mode and time without touching content, and only of what was expected', async () => {
      writeFileSync(kit.at('f'), 'old')
      const step: PlaceStep = {
        kind: 'attributes',
        path: rel('f'),
        expected: seenAt(kit.at('f')),
        mode: 0o4600,
        mtimeNs: 9_000_000_000n
      }
      assert.deepEqual(codes(await kit.root.place([step, step])), ['done', 'CHANGED'])
      const s = lstatSync(kit.at('f'), { bigint: true })
      assert.deepEqual([Number(s.mode) & 0o7777, s.mtimeNs], [0o600, 9_000_000_000n])
    })
    it('what lies below something that did not come to be fails with the same cause; the rest is done', async () => {
      writeFileSync(kit.at('d'), 'in the way')
      await kit.stage({ a: '1', b: '2', c: '3' })
      const results = await kit.root.place([
        { kind: 'make-directory', path: rel('d') },
        create('d/a', 'a'),
        create('d/x/b', 'b'),
        create('c')
      ])
      assert.deepEqual(codes(results), ['EXISTS', 'EXISTS', 'EXISTS', 'done'])
      assert.deepEqual(
        results.map(r => !r.done && r.problem.path),
        ['d', 'd/a', 'd/x/b', false]
      )
    })
    it('a link in the way is not followed', async () => {
      mkdirSync(kit.at('outside'))
      symlinkSync('outside', kit.at('link'))
      await kit.stage({ a: '1' })
      assert.deepEqual(codes(await kit.root.place([create('link/a', 'a')])), ['LINK_IN_PATH'])
      assert.deepEqual(readdirSync(kit.at('outside')), [])
    })
    it('commits what was achieved, after it is durable', async () => {
      await kit.stage({ f: '1' })
      const seen: string[][] = []
      await kit.root.place([create('f'), create('f')], { commit: async results => void seen.push(codes(results)) })
      assert.deepEqual(seen, [['done', 'MISSING']])
    })
    it('a batch of exactly the most steps is taken, one more is not', async () => {
      const step: PlaceStep = { kind: 'remove-directory', path: rel('none') }
      assert.equal((await kit.root.place(Array(MAX_PLACED_STEPS).fill(step))).length, MAX_PLACED_STEPS)
      await assert.rejects(kit.root.place(Array(MAX_PLACED_STEPS + 1).fill(step)), { code: 'BATCH_TOO_LARGE' })
    })
  })
}

describe('place: bytes of a batch', () => {
  it('two files that hold more than the most are not placed together, one alone is', async () => {
    const kit = await openKit()
    try {
      const big = await kit.staging.openFile(rel('big'), { sizeBytes: MAX_BATCH_BYTES })
      // Sparse: only its size counts here.
      execFileSync('truncate', ['-s', String(MAX_BATCH_BYTES), `${kit.staging.path}/tree/big`])
      await big.close()
      await kit.stage({ one: '1' })
      const step = (path: string): PlaceStep => ({ kind: 'create', path: rel(path), from: kit.from(path) })
      await assert.rejects(kit.root.place([step('big'), step('one')]), { code: 'BATCH_TOO_LARGE' })
      assert.deepEqual(codes(await kit.root.place([step('big')])), ['done'])
    } finally {
      await kit.clean()
    }
  })
})
