import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { AHEAD_ENTRIES } from '../../../sync/analysis/index.js'
import { applyEdit, edits } from '../../storage/indexer/edits.js'
import { type AnalysisFixture, analysisFixture, lastWord, shownBy, write } from './fixture.js'

describe('an analysis', () => {
  let f: AnalysisFixture
  let n = 0
  before(async () => {
    f = await analysisFixture()
  })
  after(() => f.close())

  it('a tree that rested comes from the index alone, and the walk adds nothing', async () => {
    const path = f.folder('rested')
    write(path, ['a/1', 'a/2', 'b/c/3', 'd/', '4'])
    const place = await f.indexed(path)
    assert.deepEqual(place.sums, { files: 4, directories: 4, bytes: 28 })
    const analysis = await f.analyse(path, place)
    const last = await lastWord(analysis)
    assert.deepEqual([...last.keys()], ['', '4', 'a', 'a/1', 'a/2', 'b', 'b/c', 'b/c/3', 'd'])
    assert.ok([...last.values()].every(w => w.from === 'index'))
    const { known, found, vanished, complete, confidence, notes } = analysis.summary()
    assert.deepEqual(
      [known, found],
      [
        { files: 4, directories: 5, bytes: 28 },
        { files: 0, directories: 0, bytes: 0 }
      ]
    )
    assert.deepEqual(
      { vanished, complete, confidence, notes },
      { vanished: 0, complete: true, confidence: 'high', notes: [] }
    )
  })
  it('what the index does not hold comes from the disk, with the reason', async () => {
    const path = f.folder('mixed')
    write(path, ['keep/1', 'keep/2', 'stale/1', 'node_modules/x/y', '.git/config', 'gone/1'])
    const place = await f.indexed(path, { rules: { ignore: ['node_modules'] } })
    writeFileSync(join(path, 'keep/1'), 'edited in place')
    write(path, ['stale/new'])
    rmSync(join(path, 'gone'), { recursive: true })
    const analysis = await f.analyse(path, place)
    const last = await lastWord(analysis)
    const told = [...last].map(([p, { from, entry }]) => [p, from, entry.why])
    const of = (p: string): unknown => told.find(t => t[0] === p)?.slice(1)
    assert.deepEqual(of('keep/2'), ['index', undefined])
    assert.deepEqual(of('keep/1'), ['disk', 'changed'])
    assert.deepEqual(of('node_modules/x/y'), ['disk', 'filtered'])
    assert.deepEqual(of('.git/config'), ['disk', 'filtered'])
    assert.deepEqual(of('stale/new'), ['disk', 'stale'])
    assert.deepEqual(of('stale/1'), ['disk', 'stale'])
    assert.deepEqual(of('keep'), ['index', undefined], 'a directory below one that changed is judged by itself')
    assert.equal(of('gone/1'), undefined)
  })
  for (const [prepare, what] of [
    ['auto', 'is exactly the disk'],
    ['scan', 'is exactly the disk'],
    ['index', 'has the names of the disk']
  ] as const) {
    it(`with ${prepare}, whatever happened to a tree since it was indexed, what is told last ${what}`, async () => {
      await fc.assert(
        fc.asyncProperty(edits(), edits(), fc.boolean(), async (first, then, aged) => {
          const path = f.folder(`p${n++}`)
          let serial = 0
          for (const edit of first) applyEdit(path, edit, serial++)
          const place = await f.indexed(path, { aged })
          for (const edit of then) applyEdit(path, edit, serial++)
          const endpoint = await f.endpoint(path)
          const shown = await shownBy(endpoint)
          const analysis = await f.analyse(path, place, prepare)
          const last = await lastWord(analysis)
          const vanished = [...last].filter(([p, w]) => w.from === 'index' && !shown.has(p))
          for (const [p] of vanished) last.delete(p)
          assert.deepEqual([...last.keys()].sort(), [...shown.keys()].sort())
          if (prepare !== 'index') {
            assert.equal(analysis.summary().vanished, vanished.length)
            for (const [p, { entry }] of last) {
              const { kind, sizeBytes, mtimeNs, ctimeNs, mode } = shown.get(p)!.stat
              const { stat } = entry
              assert.deepEqual([stat.kind, stat.mode], [kind, mode], p)
              if (kind !== 'directory') {
                assert.deepEqual([stat.sizeBytes, stat.mtimeNs, stat.ctimeNs], [sizeBytes, mtimeNs, ctimeNs], p)
              }
            }
          }
          await endpoint.close()
        }),
        { numRuns: 25 }
      )
    })
  }
  it('without an index the disk answers, and a note says so', async () => {
    const path = f.folder('unknown')
    write(path, ['a/1', '2'])
    assert.deepEqual(await f.places.placesOf(path), [])
    const analysis = await f.analyse(path, undefined)
    const last = await lastWord(analysis)
    assert.deepEqual([...last.keys()], ['', '2', 'a', 'a/1'])
    assert.deepEqual(
      analysis.summary().notes.map(note => note.code),
      ['NO_INDEX']
    )
    assert.deepEqual(analysis.summary().reasons, ['no-index'])
  })
  it('an index that cannot be read is a note, and the disk answers', async () => {
    const path = f.folder('broken')
    write(path, ['a/1'])
    const place = await f.indexed(path)
    const file = join(f.index.dir, 'no-database')
    writeFileSync(file, 'this is no database at all, however long one looks at it'.repeat(100))
    const analysis = await f.analyse(path, { ...place, databaseFile: file }, 'index')
    const last = await lastWord(analysis)
    assert.deepEqual([...last.keys()], ['', 'a', 'a/1'])
    assert.deepEqual(
      analysis.summary().notes.map(note => note.code),
      ['INDEX_FAILED', 'TOO_STALE']
    )
  })
  it('a library that was closed meanwhile is a note too', async () => {
    const path = f.folder('closed')
    write(path, ['a/1'])
    const place = await f.indexed(path)
    const analysis = await f.analyse(path, { ...place, databaseFile: join(f.index.dir, 'gone.db') })
    assert.deepEqual([...(await lastWord(analysis)).keys()], ['', 'a', 'a/1'])
    assert.equal(analysis.summary().notes[0]?.code, 'INDEX_FAILED')
  })
  it('a large directory is told whole, over all stretches and pages, in tree order', async () => {
    const path = f.folder('large')
    const names = Array.from({ length: 1300 }, (_, i) => `n${String(i).padStart(4, '0')}`)
    write(
      path,
      names.map((name, i) => (i % 400 === 7 ? `${name}/in` : name))
    )
    const place = await f.indexed(path)
    const analysis = await f.analyse(path, place)
    const told: string[] = []
    for await (const { from, entries } of analysis.pages()) {
      assert.equal(from, 'index')
      told.push(...entries.map(e => e.path))
    }
    assert.deepEqual(told, [...(await shownBy(await f.endpoint(path))).keys()])
  })
  for (const [what, limits] of [
    ['what is not told by the index for want of room', { told: 3 }],
    ['stale directories that are too many to be walked one by one', { passedOver: 1 }]
  ] as const) {
    it(`${what}: the disk tells of it`, async () => {
      const path = f.folder(`limit-${Object.keys(limits)[0]}`)
      write(path, ['a/1', 'b/2', 'c/3', 'd/4'])
      const place = await f.indexed(path)
      write(path, ['a/new', 'b/new'])
      for (const prepare of ['auto', 'index'] as const) {
        const analysis = await f.analyse(path, place, prepare, limits)
        const last = await lastWord(analysis)
        assert.deepEqual([...last.keys()].sort(), [
          '',
          'a',
          'a/1',
          'a/new',
          'b',
          'b/2',
          'b/new',
          'c',
          'c/3',
          'd',
          'd/4'
        ])
        const notes = analysis.summary().notes.map(note => note.code)
        assert.deepEqual(notes, prepare === 'index' ? ['TOO_STALE'] : [])
      }
      const enough = await f.analyse(path, place, 'index', { told: 100, passedOver: 2 })
      assert.equal((await lastWord(enough)).size, 11)
      assert.deepEqual(enough.summary().notes, [])
    })
  }
  it('a part of a tree is told with paths of the whole', async () => {
    const path = f.folder('parts')
    write(path, ['a/b/1', 'a/2', 'c/3'])
    await f.indexed(path)
    const [place] = await f.places.placesOf(`${path}/a` as typeof path)
    writeFileSync(join(path, 'a/b/new'), '')
    const endpoint = await f.endpoint(path)
    const { analyse } = await import('../../../sync/analysis/index.js')
    const { systemRandom } = await import('../../../storage/base/index.js')
    const analysis = analyse({ endpoint, path: 'a' as never, place, pool: f.index.pool, random: systemRandom })
    assert.deepEqual([...(await lastWord(analysis)).keys()].sort(), ['a', 'a/2', 'a/b', 'a/b/1', 'a/b/new'])
  })
  it('ending the loop early, or aborting, ends the work behind it', async () => {
    const path = f.folder('early')
    mkdirSync(join(path, 'd'))
    for (let i = 0; i < 3000; i++) writeFileSync(join(path, `d/${i}`), '')
    const place = await f.indexed(path)
    const analysis = await f.analyse(path, place)
    for await (const { entries } of analysis.pages()) {
      assert.ok(entries.length < AHEAD_ENTRIES)
      break
    }
    assert.equal(analysis.summary().complete, false)
  })
  it('a directory that was replaced by another of its name is not believed', async () => {
    const path = f.folder('replaced')
    write(path, ['dir/old', 'other/new'])
    const place = await f.indexed(path)
    renameSync(join(path, 'dir'), join(path, 'was'))
    renameSync(join(path, 'other'), join(path, 'dir'))
    const last = await lastWord(await f.analyse(path, place))
    assert.deepEqual([...last.keys()].filter(p => p !== 'other' && p !== 'other/new').sort(), [
      ...['', 'dir', 'dir/new', 'was', 'was/old']
    ])
    assert.ok([...last].every(([p, w]) => w.from === 'disk' || p.startsWith('other')))
  })
})
