import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AbsPath,
  type Clock,
  type RelPath,
  systemClock,
  systemRandom,
  workerPool
} from '../../../storage/base/index.js'
import { openFiles, ownerTag } from '../../../storage/files/index.js'
import { openSqlite, type Sql } from '../../../storage/sql/index.js'
import type { Looked, SeenThing } from '../../../sync/endpoints/index.js'
import { compareVersions } from '../../../sync/reconcile/index.js'
import { type FolderVectors, KEEP_GONE_MS, MAX_GONE, type Vectors, vectors } from '../../../sync/session/index.js'
import { MAX_NAMES } from '../../../sync/session/vector-rows.js'
import { TIDY_ROWS, tidyingVectors } from '../../../sync/session/vectors-tidy.worker.js'
import { tempDir } from '../../temp.js'
import { openHere } from './fixture.js'

const rel = (text: string): RelPath => text as RelPath
const DAY_MS = 24 * 3_600_000
/** What these tests tell of stands nowhere. */
const nobodyCanTell = async (paths: readonly RelPath[]): Promise<Looked[]> =>
  paths.map(path => ({ path, problem: { path, code: 'NO_PERMISSION', message: 'nobody can tell' } }))

describe('what goes of the versions of entries in time', () => {
  const pool = workerPool(1)
  const files = openFiles({ pool, owner: ownerTag('/of this test' as AbsPath), clock: systemClock })
  let temp: { path: string; clean(): void }
  let aheadMs = 0
  const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs }
  let store: Vectors
  let here: FolderVectors

  const open = async (name: string): Promise<FolderVectors> => {
    mkdirSync(join(temp.path, name), { recursive: true })
    const endpoint = await openHere(join(temp.path, name), { pool, files, dir: join(temp.path, 'data') as AbsPath })
    try {
      return await store.of({ about: o => endpoint.about(o), local: endpoint.local, look: nobodyCanTell }, 'a sync')
    } finally {
      await endpoint.close()
    }
  }
  const thing = (path: string, more: Partial<SeenThing> = {}): SeenThing => ({
    ...{
      path: rel(path),
      kind: 'file',
      content: 'one',
      mode: 0o644,
      mtimeNs: 1n,
      inode: 7n,
      birthNs: 7n,
      agreed: false
    },
    ...more
  })
  const gone = (path: string): SeenThing => thing(path, { kind: 'gone', content: '' })
  const see = async (of: FolderVectors, ...things: SeenThing[]) => {
    const { upto } = await of.changed({ after: 0 })
    return of.observe(things, upto)
  }
  /** What stands in the file. */
  function stored<T>(use: (sql: Sql) => T): T {
    const sql = openSqlite(join(temp.path, 'data/vectors.db'))
    try {
      return use(sql)
    } finally {
      sql.close()
    }
  }
  const paths = (): string[] =>
    stored(sql => sql.prepare<{ path: Uint8Array }>('SELECT path FROM entries ORDER BY path').all()).map(row =>
      Buffer.from(row.path).toString().replaceAll('\0', '/')
    )
  const names = (): number => stored(sql => sql.prepare<{ n: number }>('SELECT count(*) AS n FROM names').get()!.n)

  beforeEach(async () => {
    aheadMs = 0
    temp = tempDir('sd-vectors-')
    mkdirSync(join(temp.path, 'data'))
    const dataDir = join(temp.path, 'data') as AbsPath
    store = vectors({ dataDir, clock, random: systemRandom, deviceName: () => 'ada' })
    here = await open('folder')
  })
  afterEach(async () => {
    await store.close()
    temp.clean()
  })
  after(async () => {
    await files.close()
    await pool.close()
  })

  it('a deletion that is older than a year is forgotten, what is there and younger deletions are not', async () => {
    await see(here, thing('there'), thing('old'), thing('young'))
    await see(here, gone('old'))
    aheadMs = DAY_MS
    await see(here, gone('young'))
    await store.tidy()
    assert.deepEqual(paths(), ['old', 'there', 'young'])
    aheadMs = KEEP_GONE_MS + DAY_MS / 2
    here = await open('folder')
    await store.tidy()
    assert.deepEqual(paths(), ['there', 'young'])
    // Of what was forgotten nothing is said any more; what comes there again is a change like any other.
    assert.deepEqual(await see(here, gone('old')), [undefined])
    assert.equal(Object.keys((await see(here, thing('old')))[0]!).length, 1)
  })

  it('of more deletions than are remembered the oldest are forgotten', async () => {
    const all = ['a', 'b', 'c', 'd', 'e']
    await see(here, ...all.map(path => thing(path)), thing('there'))
    for (const path of all) await see(here, gone(path))
    await store.tidy({ maxGone: 5 })
    assert.deepEqual(paths(), [...all, 'there'])
    await store.tidy({ maxGone: 3 })
    assert.deepEqual(paths(), ['c', 'd', 'e', 'there'])
    const [before] = await see(here, gone('e'))
    const [after] = await see(here, thing('e', { content: 'two' }))
    assert.equal(compareVersions(after, before), 'newer')
  })

  it('they are remembered up to the very limit, and go in portions', async () => {
    const folder = stored(sql => sql.prepare<{ id: number }>('SELECT id FROM folders').get()!.id)
    const more = TIDY_ROWS + 1
    stored(sql =>
      sql
        .prepare(
          `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
           INSERT INTO entries SELECT ?, CAST(printf('%08d', i) AS BLOB), 0, '', 0, 0, i, i, ? + i, '', '', i, 1 FROM n`
        )
        .run([MAX_GONE + more, folder, clock.nowMs()])
    )
    await see(here, thing('there'))
    await store.tidy()
    const { n, first } = stored(sql =>
      sql
        .prepare<{ n: number; first: Uint8Array }>(
          'SELECT count(*) AS n, min(path) AS first FROM entries WHERE gone IS NOT NULL'
        )
        .get()
    )!
    assert.deepEqual([n, Number(Buffer.from(first).toString())], [MAX_GONE, more + 1])
  })

  it('a folder that no sync opens any more goes with all that was known of it; one that is opened stays', async () => {
    const other = await open('other')
    await see(here, thing('mine'))
    await see(other, thing('theirs'))
    for (let days = 0; days <= 390; days += 30) {
      aheadMs = days * DAY_MS
      await open('folder')
    }
    await store.tidy()
    assert.deepEqual(paths(), ['mine'])
    assert.equal((await open('folder')).replica, here.replica)
    assert.notEqual((await open('other')).replica, other.replica)
  })

  it('names that nobody bears make room for others when there are too many', async () => {
    const bob = { 'bob.0123456789abcdef': 5 }
    await see(here, thing('x'))
    await here.learn([{ path: rel('x'), version: bob }])
    const borne = names()
    stored(sql =>
      sql
        .prepare(
          `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
           INSERT INTO names (name) SELECT 'eve.' || i FROM n`
        )
        .run([MAX_NAMES - borne])
    )
    const cid = { 'cid.0123456789abcdef': 6 }
    await assert.rejects(here.learn([{ path: rel('x'), version: cid }]), { code: 'TOO_MANY' })
    await store.tidy()
    assert.equal(names(), borne)
    await here.learn([{ path: rel('x'), version: cid }])
    const [version] = await see(here, thing('x'))
    assert.deepEqual(version, { ...version, ...bob, ...cid })
  })

  it('a file that is mostly empty gives its room back', async () => {
    await see(here, ...Array.from({ length: 900 }, (_, i) => thing(`${i} ${'x'.repeat(200)}`)))
    const pages = (): number => stored(sql => Number(sql.pragma('page_count')))
    const before = pages()
    stored(sql => {
      assert.equal(tidyingVectors.shrink(sql, { freeBytes: 1 }), false)
      sql.exec('DELETE FROM entries')
      assert.equal(tidyingVectors.shrink(sql, {}), false, 'it is not worth it')
      assert.equal(tidyingVectors.shrink(sql, { freeBytes: 1 }), true)
    })
    assert.ok(pages() < before / 2)
  })
})
