import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import type { RelPath } from '../../../storage/base/index.js'
import { FLAG, restedSince } from '../../../storage/entries/index.js'
import { DEFAULT_RULES, type IndexLocation } from '../../../storage/indexer/index.js'
import { openSqlite } from '../../../storage/sql/index.js'
import { type IndexFixture, idsOf, indexed, indexFixture, onDisk } from './index-fixture.js'
import { locating } from './locating.worker.js'

const rel = (path: string) => ({ path: path as RelPath })

describe('the indexer in hard cases', () => {
  let f: IndexFixture
  beforeEach(async () => {
    f = await indexFixture()
  })
  afterEach(() => f.close())
  const index = (location: IndexLocation, options = {}) => f.indexer.index({ library: f.library, location, ...options })
  const flagsOf = (name: string): number =>
    f.library.database.get<{ flags: number }>('SELECT flags FROM entries WHERE name = ?', [Buffer.from(name)])!.flags

  it('a root that is away: offline, and nothing is forgotten', async () => {
    writeFileSync(`${f.tree}/a`, 'a')
    const location = await f.location()
    await index(location)
    const before = indexed(f.library, location)
    renameSync(f.tree, `${f.tree}-away`)
    await assert.rejects(index(location), { code: 'LOCATION_OFFLINE' })
    await assert.rejects(f.indexer.applyChanges(f.library, location, [rel('a')]), { code: 'LOCATION_OFFLINE' })
    // The empty folder that stays under a mount point.
    mkdirSync(f.tree)
    await assert.rejects(index(location), { code: 'LOCATION_OFFLINE' })
    assert.deepEqual(indexed(f.library, location), before)
    rmSync(f.tree, { recursive: true })
    renameSync(`${f.tree}-away`, f.tree)
    assert.equal((await index(location)).deleted, 0)
  })
  it('a root that was emptied by hand is empty', async () => {
    writeFileSync(`${f.tree}/a`, 'a')
    const location = await f.location()
    await index(location)
    rmSync(`${f.tree}/a`)
    assert.equal((await index(location)).deleted, 1)
    assert.equal(indexed(f.library, location).size, 0)
  })
  it('a listing that began at once after a change proves more when nothing changed until the next look', async () => {
    mkdirSync(`${f.tree}/d`)
    const hourAgo = Date.now() / 1000 - 3600
    for (const dir of ['d', '.']) utimesSync(`${f.tree}/${dir}`, hourAgo, hourAgo)
    const location = await f.location()
    await index(location)
    const sql = openSqlite(f.library.database.file)
    try {
      const rested = (): boolean[] =>
        sql
          .prepare<{ scanned_at: bigint; mtime_ns: bigint }>('SELECT scanned_at, mtime_ns FROM directories', {
            bigint: true
          })
          .all()
          .map(d => restedSince(d.mtime_ns, Number(d.scanned_at)))
      assert.deepEqual(rested(), [true, true])
      sql.prepare('UPDATE directories SET scanned_at = mtime_ns / 1000000 + 10').run()
      assert.deepEqual(rested(), [false, false])
      const report = await index(location)
      assert.deepEqual(rested(), [true, true])
      assert.deepEqual([report.created, report.modified, report.directoriesSame], [0, 0, 2])
    } finally {
      sql.close()
    }
  })
  it('two runs over one location at a time are refused', async () => {
    const location = await f.location()
    const run = f.indexer.indexTree({ library: f.library, location })
    assert.throws(() => f.indexer.indexTree({ library: f.library, location }), { code: 'LOCATION_BUSY' })
    await run.close()
    await index(location)
  })
  it('a run that was aborted half way: the next one ends like an undisturbed one', async () => {
    for (let d = 0; d < 40; d++) {
      mkdirSync(`${f.tree}/d${d}`)
      for (let i = 0; i < 150; i++) writeFileSync(`${f.tree}/d${d}/f${i}`, '')
    }
    const location = await f.location()
    const controller = new AbortController()
    const reason = new Error('enough')
    await assert.rejects(
      f.indexer.index(
        { library: f.library, location },
        { signal: controller.signal, onProgress: () => controller.abort(reason) }
      ),
      err => err === reason
    )
    await index(location)
    assert.deepEqual(indexed(f.library, location), onDisk(f.tree))
  })
  it('a huge directory comes in parts, and goes on like any other', async () => {
    for (let i = 0; i < 17_000; i++) writeFileSync(`${f.tree}/file-${i}`, '')
    const location = await f.location()
    assert.equal((await index(location)).created, 17_001)
    const again = await index(location)
    assert.deepEqual([again.created, again.modified, again.deleted, again.rowsRead], [0, 0, 0, 0])
    // The ends of the parts, and what does not order as its text does.
    for (const name of ['file-0', 'file-16999', 'file-9999', 'file-2']) rmSync(`${f.tree}/${name}`)
    for (const name of ['0', 'file-00', 'zz', '\uff21', '\u{1f600}']) writeFileSync(`${f.tree}/${name}`, name)
    writeFileSync(Buffer.concat([Buffer.from(`${f.tree}/`), Buffer.from([0xff, 0xfe])]), '')
    renameSync(`${f.tree}/file-1`, `${f.tree}/renamed`)
    const id = idsOf(f.library, location).get('file-1')
    const third = await index(location)
    assert.deepEqual([third.created, third.deleted, third.moved], [6, 4, 1])
    assert.equal(idsOf(f.library, location).get('renamed'), id)
    assert.deepEqual(indexed(f.library, location), onDisk(f.tree))
  })
  it('rules flag and never omit; an excluded directory is not entered; bypassed it is', async () => {
    mkdirSync(`${f.tree}/.git`)
    writeFileSync(`${f.tree}/.git/config`, 'x')
    mkdirSync(`${f.tree}/build/in`, { recursive: true })
    writeFileSync(`${f.tree}/build/in/out.o`, 'x')
    writeFileSync(`${f.tree}/keep.log`, 'x')
    writeFileSync(`${f.tree}/drop.log`, 'x')
    writeFileSync(`${f.tree}/.spacedriveignore`, '*.log\n!keep.log\n')
    const location = await f.location(f.tree, { rules: { ...DEFAULT_RULES, ignore: ['build/'] } })
    await index(location)
    assert.deepEqual([...idsOf(f.library, location).keys()].sort(), [
      ...['.git', '.spacedriveignore', 'build', 'drop.log', 'keep.log']
    ])
    assert.equal(flagsOf('.git') & (FLAG.EXCLUDED | FLAG.NOT_ENTERED), FLAG.EXCLUDED | FLAG.NOT_ENTERED)
    assert.equal(flagsOf('drop.log') & FLAG.EXCLUDED, FLAG.EXCLUDED)
    assert.equal(flagsOf('keep.log') & FLAG.EXCLUDED, 0)
    // A changed ignore file changes what it governs.
    writeFileSync(`${f.tree}/.spacedriveignore`, '')
    await f.indexer.applyChanges(f.library, location, [rel('.spacedriveignore')])
    assert.equal(flagsOf('drop.log') & FLAG.EXCLUDED, 0)
    await index(location, { bypassFilters: true })
    assert.ok(idsOf(f.library, location).has('build/in/out.o'))
    assert.equal(flagsOf('out.o') & FLAG.EXCLUDED, FLAG.EXCLUDED)
    await index(location)
    assert.ok(idsOf(f.library, location).has('build/in/out.o'), 'what was seen once is not taken for gone')
  })
  it('links that loop are not followed; scope and depth bound the walk', async () => {
    mkdirSync(`${f.tree}/a/b/c`, { recursive: true })
    symlinkSync('../..', `${f.tree}/a/b/loop`)
    const location = await f.location()
    await index(location, { scope: 'current' })
    assert.deepEqual([...idsOf(f.library, location).keys()], ['a'])
    await index(location, { scope: 'recursive', maxDepth: 1 })
    assert.deepEqual([...idsOf(f.library, location).keys()], ['a', 'a/b'])
    await index(location)
    assert.deepEqual(indexed(f.library, location), onDisk(f.tree))
  })
  it('a location inside another shares its rows; taken out, the inner one keeps its ids', async () => {
    mkdirSync(`${f.tree}/in/deep`, { recursive: true })
    writeFileSync(`${f.tree}/in/deep/x`, 'x')
    writeFileSync(`${f.tree}/out`, 'o')
    const inner = await f.location(`${f.tree}/in`)
    await index(inner)
    const ids = idsOf(f.library, inner)
    const { seq } = await f.library.generation()
    const outer = await f.location()
    await index(outer)
    assert.deepEqual(indexed(f.library, outer), onDisk(f.tree))
    assert.equal(idsOf(f.library, outer).get('in/deep/x'), ids.get('deep/x'))
    const changed = f.library.database.all<{ name: Uint8Array }>('SELECT name FROM entries WHERE seq > ?', [seq])
    assert.deepEqual(changed.map(r => Buffer.from(r.name).toString()).sort(), [f.tree, 'out'].sort())
    await f.indexer.forget(f.library, outer)
    await f.library.database.write(locating.remove, { number: outer.number })
    assert.deepEqual(idsOf(f.library, inner), ids)
    assert.equal(f.library.database.get<{ n: number }>('SELECT count(*) AS n FROM entries')!.n, 3)
    await f.indexer.forget(f.library, inner)
    assert.equal(f.library.database.get<{ n: number }>('SELECT count(*) AS n FROM entries')!.n, 0)
  })
  it('contents: hashed, shared, and unknown again after an edit', async () => {
    writeFileSync(`${f.tree}/a`, 'same')
    writeFileSync(`${f.tree}/b`, 'same')
    const location = await f.location(f.tree, { mode: 'content', versioned: true })
    assert.equal((await index(location)).hashedFiles, 2)
    const content = (name: string) =>
      f.library.database.get<{ content: number; flags: number; version: string }>(
        'SELECT content, flags, version FROM entries WHERE name = ?',
        [Buffer.from(name)]
      )!
    assert.equal(content('a').content, content('b').content)
    const version = content('a').version
    appendFileSync(`${f.tree}/a`, '!')
    await f.indexer.applyChanges(f.library, location, [rel('a')])
    await f.indexer.settled(f.library)
    assert.notEqual(content('a').content, content('b').content)
    assert.notEqual(content('a').version, version, 'an edit by hand raises the version')
    const edited = content('a').version
    chmodSync(`${f.tree}/a`, 0o600)
    await f.indexer.applyChanges(f.library, location, [rel('a')])
    await f.indexer.settled(f.library)
    assert.equal(content('a').version, edited, 'a change of mode alone does not')
    assert.equal(content('a').flags & FLAG.STALE, 0)
  })
  it('what is ours is not entered, and temporary names are not seen', async () => {
    mkdirSync(`${f.tree}/.spacedrive`)
    writeFileSync(`${f.tree}/.spacedrive/root.json`, '{}')
    writeFileSync(`${f.tree}/.spacedrive-tmp-1`, 'x')
    const location = await f.location(f.dir, { rules: { ...DEFAULT_RULES, hidden: true } })
    await index(location)
    const paths = [...idsOf(f.library, location).keys()]
    assert.deepEqual(paths.sort(), ['data', 'tree', 'tree/.spacedrive'])
    assert.ok(flagsOf('data') & FLAG.UNKNOWN)
  })
})
