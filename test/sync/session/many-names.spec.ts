import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type RelPath, SpacedriveError } from '../../../storage/base/index.js'
import { migrate, openSqlite, readMigrations, type Sql } from '../../../storage/sql/index.js'
import type { LearnedVersion, TreeEntry } from '../../../sync/endpoints/index.js'
import { Beside } from '../../../sync/session/beside.js'
import { following } from '../../../sync/session/followed.worker.js'
import { countHidden, SHOWN } from '../../../sync/session/hidden.worker.js'
import { Ignored } from '../../../sync/session/ignored.js'
import { Learned } from '../../../sync/session/learned.js'
import { pathKey } from '../../../sync/session/path-key.js'
import { snapshotting } from '../../../sync/session/snapshot.worker.js'

/** More than may be the arguments of one call. */
const MANY = 200_000
const rel = (path: string): RelPath => path as RelPath
const STAT = {
  ...{ sizeBytes: 1, mtimeNs: 5n, ctimeNs: 5n, birthNs: 7n, inode: 9n, mode: 0o755 },
  ...{ device: 1n, mount: 1n, links: 1, uid: 0 }
} as const
const folder = (path: string): TreeEntry => ({ path: rel(path), stat: { ...STAT, kind: 'directory' } })
const file = (path: string): TreeEntry => ({ path: rel(path), stat: { ...STAT, inode: 10n, kind: 'file' } })

/** A snapshot in which all was compared, and `big` holds so many files at an end. */
function snapshot(at: 0 | 1, count: number): Sql {
  const sql = openSqlite(':memory:')
  migrate(sql, readMigrations('snapshot'))
  sql.prepare(`INSERT INTO compared VALUES (1, 'all')`).run()
  const put = `INSERT INTO seen (at, path, kind, size, mtime, ctime, birth, inode, mode)`
  sql.prepare(`${put} VALUES (?, ?, 1, 1, 5, 5, 7, 9, ?)`).run([at, pathKey(rel('big')), STAT.mode])
  sql
    .prepare(
      `${put} WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       SELECT ?, CAST(x'62696700' || printf('%07d', i) AS BLOB), 0, 1, 5, 5, 7, 1000 + i, 420 FROM n`
    )
    .run([count, at])
  return sql
}

const countOf = (sql: Sql, text: string): number =>
  sql.prepare<{ n: number }>(`SELECT count(*) n FROM ${text}`).get()!.n
const under = (sql: Sql, name: string): number =>
  countOf(sql, `seen WHERE path >= CAST('${name}' AS BLOB) AND path < CAST('${name}' || x'01' AS BLOB)`)

describe('a folder of more names than may be the arguments of a call', () => {
  it('here is gone', () => {
    const sql = snapshot(0, MANY)
    snapshotting.hinted(sql, { at: 'source', hints: [{ path: rel('big'), subtree: false }] })
    assert.deepEqual([countOf(sql, 'seen'), countOf(sql, 'touched')], [0, MANY + 1])
  })

  it('here has another name, and something else came', () => {
    const sql = snapshot(0, MANY)
    const hints = [folder('moved'), file('new')].map(entry => ({ path: entry.path, subtree: true, entry }))
    snapshotting.hinted(sql, { at: 'source', hints: [{ path: rel('big'), subtree: false }, ...hints] })
    assert.deepEqual([under(sql, 'big'), under(sql, 'moved')], [0, MANY + 1])
    assert.equal(countOf(sql, 'touched'), 2 * (MANY + 1) + 1)
  })

  it('at another device is gone', () => {
    const sql = snapshot(1, MANY)
    following.changed(sql, { at: 'destination', moves: [], entries: [], gone: [rel('big')], mark: 'mark' })
    assert.deepEqual([countOf(sql, 'seen'), countOf(sql, 'touched')], [0, MANY + 1])
  })

  it('at another device has another name, and something else came', () => {
    const sql = snapshot(1, MANY)
    const moves = [{ path: rel('big'), to: rel('moved'), inode: STAT.inode, birthNs: STAT.birthNs }]
    following.changed(sql, { at: 'destination', moves, entries: [file('new')], gone: [], mark: 'mark' })
    assert.deepEqual([under(sql, 'big'), under(sql, 'moved')], [0, MANY + 1])
    assert.equal(countOf(sql, 'touched'), 2 * (MANY + 1) + 1)
  })
})

describe('what is told of many names at once', () => {
  it('names that a walk did not meet come in pieces', () => {
    const sql = snapshot(0, 10_000)
    const beside = new Beside(sql, 'source', rel(''))
    const gone: RelPath[] = []
    for (const piece of [...beside.next([folder('big'), file('big/0005000')]), ...beside.rest()]) {
      assert.ok(piece.gone.length <= 4_096)
      gone.push(...piece.gone)
    }
    assert.equal(gone.length, 10_000 - 1)
    assert.equal(new Set(gone).size, gone.length)
    assert.ok(!gone.includes(rel('big/0005000')))
  })

  it('of another device they go as they come', () => {
    const sql = snapshot(1, 10_000)
    const entries = [folder('big'), file('big/0005000')]
    snapshotting.walked(sql, { at: 'destination', path: rel(''), after: undefined, entries })
    snapshotting.walked(sql, { at: 'destination', path: rel(''), after: rel('big/0005000'), entries: [] })
    assert.deepEqual([countOf(sql, 'seen'), countOf(sql, 'touched')], [2, 10_000])
  })

  it('versions are told while the plan is done, and those that wait for something when it is', async () => {
    const told: LearnedVersion[] = []
    const vectors = {
      learn: async (notes: readonly LearnedVersion[]) => {
        assert.ok(notes.length <= 1_000)
        told.push(...notes)
      }
    }
    const learned = new Learned({ ends: { source: { vectors }, destination: {} } })
    const add = (id: number, needs: readonly number[]): void =>
      learned.add({
        ...{ kind: 'version', id, needs, end: 'source', path: rel(`p${id}`), reason: 'metadata', version: { a: id } }
      })
    for (let id = 1; id <= 10_500; id++) {
      add(id, id % 1_000 === 0 ? [id % 2_000] : [])
      if (id % 1_000 !== 0) continue
      await learned.tellSome()
      assert.ok(id - told.length < 1_100, `${told.length} were told of ${id}`)
    }
    await learned.tell(new Set([1_000]))
    assert.equal(told.length, 10_500 - 5)
    assert.equal(new Set(told.map(({ path }) => path)).size, told.length)
    assert.ok(!told.some(({ path }) => path === 'p3000'))
  })

  it('one that could not be told ends it', async () => {
    const vectors = { learn: () => Promise.reject(new SpacedriveError('UNREACHABLE', 'it is away')) }
    const learned = new Learned({ ends: { source: { vectors }, destination: {} } })
    learned.add({ kind: 'version', id: 0, needs: [], end: 'source', path: rel('a'), reason: 'metadata', version: {} })
    await assert.rejects(learned.tell(new Set()), { code: 'UNREACHABLE' })
  })
})

describe('how much rules leave out', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[ab](\/[ab]){0,3}$/), { maxLength: 20 })
  const rules = fc.array(fc.constantFrom('a/', 'b', '/a/b', '!a', '*/b'), { maxLength: 3 })

  it('is what they say of each path, whichever end has it', () => {
    fc.assert(
      fc.property(names, names, rules, (source, destination, texts) => {
        const sql = openSqlite(':memory:')
        migrate(sql, readMigrations('snapshot'))
        const isFolder = new Map<string, boolean>()
        for (const [at, list] of [source, destination].entries())
          for (const path of list) {
            const directory = list.some(other => other.startsWith(`${path}/`))
            isFolder.set(path, directory || isFolder.get(path) === true)
            sql
              .prepare(
                'INSERT INTO seen (at, path, kind, size, mtime, ctime, birth, inode, mode) VALUES (?, ?, ?, 0, 0, 0, 0, 0, 0)'
              )
              .run([at, pathKey(rel(path)), directory ? 1 : 0])
          }
        const made = [{ folder: rel(''), text: texts.join('\n') }]
        const ignored = new Ignored(made)
        let [hidden, of] = [0, 0]
        const order = (a: string, b: string): number => Buffer.compare(pathKey(rel(a)), pathKey(rel(b)))
        for (const path of [...isFolder.keys()].sort(order)) {
          const said = ignored.next(rel(path), isFolder.get(path)!)
          if (isFolder.get(path)) continue
          of++
          if (said !== 'no') hidden++
        }
        assert.deepEqual(countHidden(sql, made), { ignored: hidden, of })
        sql.close()
      })
    )
  })

  it('is found without sorting the names of both ends anew', () => {
    const steps = snapshot(0, 10).prepare<{ detail: string }>(`EXPLAIN QUERY PLAN ${SHOWN}`).all()
    assert.ok(!steps.some(({ detail }) => detail.includes('TEMP B-TREE')), JSON.stringify(steps))
  })
})
