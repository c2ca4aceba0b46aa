import assert from 'node:assert/strict'
import { appendFileSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AbsPath } from '../../../storage/base/index.js'
import { MAX_TRASH_BATCH } from '../../../storage/files/index.js'
import type { ThrownAway } from '../../../storage/trash/index.js'
import { exists, itemAt, openTrash, type TrashFixture, writeTree } from './fixture.js'

const options = { command: 'file.delete' }

describe('trash', () => {
  let fixture: TrashFixture
  const at = (path: string): AbsPath => join(fixture.dir, path) as AbsPath
  const throwAway = async (...paths: string[]): Promise<readonly ThrownAway[]> =>
    fixture.trash.put(
      paths.map(p => itemAt(at(p))),
      options
    )
  const idsOf = (results: readonly ThrownAway[]): number[] =>
    results.map(r => (r.done ? r.id : assert.fail(r.problem.message)))

  beforeEach(async () => {
    fixture = await openTrash()
  })
  afterEach(() => fixture.close())

  it('a file, a link and a tree go and come back as they were', async () => {
    writeTree(fixture.dir, { a: 'one', 'tree/b': 'two!', 'tree/deep/c': 'three', 'tree/empty/': '' })
    symlinkSync('nowhere', at('link'))
    const before = ['a', 'link', 'tree', 'tree/deep/c'].map(p => lstatSync(at(p), { bigint: true }))
    const results = await throwAway('a', 'link', 'tree')
    assert.deepEqual(
      results.map(r => r.done && [r.files, r.bytes]),
      [
        [1, 3],
        [1, 7],
        [2, 9]
      ]
    )
    for (const path of ['a', 'link', 'tree']) assert.equal(exists(at(path)), false)
    const { entries, totals } = await fixture.trash.list()
    assert.deepEqual(totals, { items: 3, files: 4, bytes: 19 })
    assert.deepEqual(entries.map(e => e.path).sort(), [at('a'), at('link'), at('tree')])

    const back = await fixture.trash.restore(idsOf(results))
    assert.deepEqual(
      back.map(r => r.done && r.path),
      [at('a'), at('link'), at('tree')]
    )
    for (const [i, path] of ['a', 'link', 'tree', 'tree/deep/c'].entries()) {
      const now = lstatSync(at(path), { bigint: true })
      assert.deepEqual([now.ino, now.mtimeNs, now.mode], [before[i]!.ino, before[i]!.mtimeNs, before[i]!.mode], path)
    }
    assert.equal((await fixture.trash.list()).totals.items, 0)
    assert.equal(exists(join(fixture.dataDir, 'trash')), true)
  })

  it('restoring never replaces anything, and makes parents that are gone', async () => {
    writeTree(fixture.dir, { 'x/f.txt': 'old', 'gone/deep/g': 'g' })
    const ids = idsOf(await throwAway('x/f.txt', 'gone/deep/g'))
    writeFileSync(at('x/f.txt'), 'new')
    rmSync(at('gone'), { recursive: true })
    const back = await fixture.trash.restore(ids)
    assert.deepEqual(
      back.map(r => r.done && r.path),
      [at('x/f (1).txt'), at('gone/deep/g')]
    )
    assert.equal(readFileSync(at('x/f.txt'), 'utf8'), 'new')
    assert.equal(readFileSync(at('x/f (1).txt'), 'utf8'), 'old')
  })

  it('to another folder: under the old name', async () => {
    writeTree(fixture.dir, { f: 'content', 'other/': '' })
    const [back] = await fixture.trash.restore(idsOf(await throwAway('f')), { to: at('other') })
    assert.ok(back?.done)
    assert.equal(back.path, at('other/f'))
  })

  it('what is not as expected stays', async () => {
    writeTree(fixture.dir, { a: 'seen', b: 'b' })
    const [a, b] = [itemAt(at('a')), itemAt(at('b'))]
    appendFileSync(at('a'), ' and changed')
    rmSync(at('b'))
    const results = await fixture.trash.put([a, b], options)
    assert.deepEqual(
      results.map(r => !r.done && r.problem.code),
      ['CHANGED', 'MISSING']
    )
    assert.equal(readFileSync(at('a'), 'utf8'), 'seen and changed')
    assert.equal((await fixture.trash.list()).totals.items, 0)
  })

  it('what a copy moved aside is kept under the name it had', async () => {
    writeTree(fixture.dir, { '.aside/0': 'replaced', 'place/': '' })
    await fixture.trash.put([{ ...itemAt(at('.aside/0')), origin: at('place/name.txt') }], { command: 'file.copy' })
    const { entries } = await fixture.trash.list({ path: at('place') })
    assert.deepEqual(
      entries.map(e => [e.path, e.command]),
      [[at('place/name.txt'), 'file.copy']]
    )
    const [back] = await fixture.trash.restore(entries.map(e => e.id))
    assert.ok(back?.done)
    assert.equal(readFileSync(at('place/name.txt'), 'utf8'), 'replaced')
  })

  it('by path: what was at it or below it, not beside it', async () => {
    writeTree(fixture.dir, { 'a/x': '1', 'a/y/z': '2', a0: '3', 'a.txt': '4' })
    await throwAway('a/x', 'a/y/z', 'a0', 'a.txt')
    const { entries } = await fixture.trash.list({ path: at('a') })
    assert.deepEqual(entries.map(e => e.path).sort(), [at('a/x'), at('a/y/z')])
  })

  it('emptying takes all, or what is older', async () => {
    writeTree(fixture.dir, { old: '1', 'tree/new': '22', 'tree/locked/x': '333' })
    await throwAway('old')
    fixture.setDay(3)
    await throwAway('tree')
    const day = 24 * 60 * 60 * 1000
    assert.deepEqual(await fixture.trash.remove({ beforeMs: Date.now() + 2 * day }), {
      items: 1,
      files: 1,
      bytes: 1,
      problems: []
    })
    const seen: number[] = []
    const all = await fixture.trash.remove({}, { onProgress: ({ bytes }) => seen.push(bytes) })
    assert.deepEqual(all, { items: 1, files: 2, bytes: 5, problems: [] })
    assert.equal(seen.at(-1), 5)
    assert.deepEqual(await fixture.trash.list(), { entries: [], totals: { items: 0, files: 0, bytes: 0 }, lastId: 0 })
  })

  it('the cleaner takes what is older than the days, and the oldest where it is too much, never what is of today', async () => {
    writeTree(fixture.dir, { a: 'a', b: 'b', c: 'c' })
    await throwAway('a')
    fixture.setDay(20)
    await throwAway('b')
    fixture.setDay(31)
    await throwAway('c')
    assert.equal((await fixture.trash.sweep()).items, 1)
    assert.deepEqual(
      (await fixture.trash.list()).entries.map(e => e.path),
      [at('c'), at('b')]
    )
    fixture.keepFor.percent = 0
    assert.equal((await fixture.trash.sweep()).items, 1)
    assert.deepEqual(
      (await fixture.trash.list()).entries.map(e => e.path),
      [at('c')]
    )
  })

  it('a lost database loses nothing', async () => {
    writeTree(fixture.dir, { 'one\\tab\t': '1', 'tree/x': '22' })
    await throwAway('one\\tab\t', 'tree')
    await fixture.restart(dataDir => {
      for (const end of ['', '-wal', '-shm']) rmSync(join(dataDir, `instance.db${end}`), { force: true })
    })
    const { entries } = await fixture.trash.list()
    assert.deepEqual(entries.map(e => e.path).sort(), [at('one\\tab\t'), at('tree')])
    const back = await fixture.trash.restore(entries.map(e => e.id))
    assert.ok(back.every(r => r.done))
    assert.equal(readFileSync(at('tree/x'), 'utf8'), '22')
  })

  it('a thousand things at once, and not one more', async () => {
    const names = Array.from({ length: MAX_TRASH_BATCH + 1 }, (_, i) => `many/f${i}`)
    writeTree(fixture.dir, Object.fromEntries(names.map(n => [n, n])))
    const items = names.map(n => itemAt(at(n)))
    const refused = await fixture.trash.put(items, options)
    assert.ok(refused.every(r => !r.done && r.problem.code === 'BATCH_TOO_LARGE'))
    const results = await fixture.trash.put(items.slice(0, MAX_TRASH_BATCH), options)
    assert.ok(results.every(r => r.done))
    assert.equal(exists(at(names.at(-1)!)), true)
  })

  it('two who restore one thing: one of them does', async () => {
    writeTree(fixture.dir, { f: 'content' })
    const ids = idsOf(await throwAway('f'))
    const both = await Promise.all([fixture.trash.restore(ids), fixture.trash.restore(ids)])
    assert.equal(both.flat().filter(r => r.done).length, 1)
    assert.equal(readFileSync(at('f'), 'utf8'), 'content')
    assert.equal(exists(at('f (1)')), false)
  })

  it('what was taken from the bin by hand is said and forgotten', async () => {
    writeTree(fixture.dir, { f: 'content' })
    const ids = idsOf(await throwAway('f'))
    rmSync(join(fixture.dataDir, 'trash'), { recursive: true })
    mkdirSync(join(fixture.dataDir, 'trash'))
    const [back] = await fixture.trash.restore(ids)
    assert.ok(back !== undefined && !back.done)
    assert.equal(back.problem.code, 'GONE')
    assert.equal((await fixture.trash.list()).totals.items, 0)
  })
})
