import assert from 'node:assert/strict'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { type AbsPath, fsPath, isWithin } from '../../../storage/base/index.js'
import { checkStaleness, type IndexPlace, MAX_REPORTED, type StalenessReport } from '../../../sync/analysis/index.js'
import { applyEdit, edits, listAll } from '../../storage/indexer/edits.js'
import { indexed } from '../../storage/indexer/index-fixture.js'
import { type AnalysisFixture, age, analysisFixture, write } from './fixture.js'

const FACTS = { fileSystem: 'ext4', network: false, timeStepNs: 1n }

describe('staleness of an indexed tree', () => {
  let f: AnalysisFixture
  let n = 0
  before(async () => {
    f = await analysisFixture()
  })
  after(() => f.close())
  const check = (place: IndexPlace, facts = FACTS): Promise<StalenessReport> =>
    checkStaleness({ pool: f.index.pool, place, facts })

  it('a tree that rested is fresh through and through', async () => {
    const path = f.folder('rested')
    write(path, ['a/b/1', 'a/2', 'c/3'])
    const report = await check(await f.indexed(path))
    assert.deepEqual(report, {
      ...{ directories: 4, staleDirectories: 0, fullyStale: false, stale: [], fresh: [''] },
      ...{ truncated: false, confidence: 'high', reasons: [] }
    })
  })
  it('what changed is named, and what holds beside and below it', async () => {
    const path = f.folder('changed')
    write(path, ['a/b/deep/1', 'a/2', 'c/3', 'd/e/4', 'gone/x', 'swapped/x', 'sock/5', 'node_modules/y'])
    const place = await f.indexed(path, { rules: { ignore: ['node_modules'] } })
    writeFileSync(join(path, 'a/b/new'), '')
    rmSync(join(path, 'gone'), { recursive: true })
    renameSync(join(path, 'swapped'), join(path, 'd/swapped'))
    symlinkSync('c', join(path, 'swapped'))
    writeFileSync(join(path, 'c/3'), 'edited in place: its directory holds')
    const report = await check(place)
    assert.equal(report.fullyStale, true)
    assert.deepEqual(
      report.stale.map(s => [s.path, s.why]),
      [
        ['', 'changed'],
        ['a/b', 'changed'],
        ['d', 'changed'],
        ['gone', 'gone'],
        ['node_modules', 'never-listed'],
        ['swapped', 'gone']
      ]
    )
    assert.deepEqual(report.fresh, ['a/b/deep', 'c', 'd/e', 'sock'])
    assert.deepEqual([report.staleDirectories, report.directories], [6, 11])
  })
  it('a directory that was listed at once after its change is believed only when it is watched', async () => {
    const path = f.folder('recent')
    write(path, ['a/1'])
    // However long the machine takes to list it.
    const justNow = Date.now() / 1000 + 60
    for (const dir of ['a', '']) utimesSync(join(path, dir), justNow, justNow)
    const place = await f.indexed(path, { aged: false })
    const alone = await check(place)
    assert.deepEqual(
      alone.stale.map(s => s.why),
      ['too-recent', 'too-recent']
    )
    f.said.set(path, { watchedBy: 'parcel', freshness: 'fresh', activity: 'idle' })
    const [watched] = await f.places.placesOf(path)
    const report = await check(watched!)
    assert.deepEqual([report.fresh, report.confidence, report.reasons], [[''], 'medium', ['by-the-watcher']])
  })
  it('what the watcher told is known', async () => {
    const path = f.folder('told')
    write(path, ['a/1', 'b/2'])
    const place = await f.indexed(path)
    f.said.set(path, { watchedBy: 'parcel', freshness: 'fresh', activity: 'idle' })
    writeFileSync(join(path, 'a/new'), '')
    writeFileSync(join(path, 'b/new'), '')
    const { library, indexer } = f.index
    const location = { ...(await f.index.location(join(path, 'other'))), number: 1, id: place.location, path }
    const row = library.database.get<{ id: number }>('SELECT id FROM locations WHERE path = ?', [Buffer.from(path)])!
    await indexer.applyChanges(library, { ...location, number: row.id }, [{ path: 'a/new' as never }])
    const [watched] = await f.places.placesOf(path)
    const report = await check(watched!)
    assert.deepEqual(
      report.stale.map(s => s.path),
      ['b'],
      'nobody told of b yet'
    )
    assert.equal(report.confidence, 'medium')
  })
  it('it says how little it proves where times are coarse or another machine`s', async () => {
    const path = f.folder('coarse')
    write(path, ['a/1'])
    const place = await f.indexed(path)
    const network = await check(place, { fileSystem: 'nfs4', network: true, timeStepNs: 1n })
    assert.deepEqual([network.confidence, network.reasons], ['low', ['network']])
    const fat = await check(place, { fileSystem: 'vfat', network: false, timeStepNs: 2_000_000_000n })
    assert.deepEqual([fat.confidence, fat.reasons], ['low', ['coarse-times']])
  })
  it('a report names a thousand subtrees and counts the rest', async () => {
    const path = f.folder('many')
    for (let i = 0; i < MAX_REPORTED + 1; i++) mkdirSync(join(path, `d${i}`))
    const place = await f.indexed(path)
    for (let i = 0; i < MAX_REPORTED + 1; i++) mkdirSync(join(path, `d${i}/new`))
    const report = await check(place)
    assert.deepEqual(
      [report.stale.length, report.staleDirectories, report.truncated],
      [MAX_REPORTED, MAX_REPORTED + 1, true]
    )
    age(path)
    const fresh = await check(await f.indexed(path))
    assert.deepEqual([fresh.fresh, fresh.truncated], [[''], false])
  })
  it('whatever happened, no directory is called fresh whose names are others than in the index', async () => {
    await fc.assert(
      fc.asyncProperty(edits(), edits(), fc.boolean(), async (first, then, aged) => {
        const path = f.folder(`p${n++}`)
        let serial = 0
        for (const edit of first) applyEdit(path, edit, serial++)
        const place = await f.indexed(path, { aged })
        for (const edit of then) applyEdit(path, edit, serial++)
        const report = await check(place)
        const row = f.index.library.database.get<{ id: number }>('SELECT id FROM locations WHERE path = ?', [
          Buffer.from(path)
        ])!
        const known = [...indexed(f.index.library, { number: row.id } as never).keys()]
        const namesKnown = (dir: string): string[] => known.filter(p => parentOf(p) === dir).map(nameOf)
        for (const dir of ['', ...listAll(path).filter(p => isDirectory(path, p))]) {
          if (!report.fresh.some(fresh => isWithin(dir, fresh))) continue
          const names = readdirSync(fsPath(join(path, dir) as AbsPath))
          assert.deepEqual(names.sort(), namesKnown(dir).sort(), `${dir} is called fresh`)
        }
        for (const stale of report.stale) assert.ok(!report.fresh.some(fresh => isWithin(stale.path, fresh)))
        chmodSync(path, 0o755)
      }),
      { numRuns: 25 }
    )
  })
})

const parentOf = (path: string): string => (path.includes('/') ? dirname(path) : '')
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const isDirectory = (root: string, path: string): boolean => lstatSync(join(root, path)).isDirectory()
