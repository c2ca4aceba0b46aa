import assert from 'node:assert/strict'
import { migrate, openSqlite, readMigrations, type Sql, type SqlValue } from '../../../storage/sql/index.js'
import { changing } from '../../../sync/session/changes.worker.js'
import { pathKey } from '../../../sync/session/path-key.js'
import { syncWrites } from '../../../sync/session/syncs.worker.js'

const migrations = readMigrations('instance')
const BEFORE = 171

const key = (path: string): Uint8Array => pathKey(path as never)
const hash = (n: number): Uint8Array => new Uint8Array(32).fill(n)

/** A database of two syncs and their runs, as it was written when a row of a change held the name of its run. */
function before(): Sql {
  const sql = openSqlite(':memory:')
  migrate(
    sql,
    migrations.filter(m => m.number < BEFORE)
  )
  for (const uuid of ['one', 'two'])
    syncWrites.add(sql, {
      ...{ uuid, name: uuid, mode: 'mirror', policy: 'p', source: '{}', destination: '{}', options: '{}', addedAt: 1 },
      agreement: null
    })
  const run = sql.prepare('INSERT INTO sync_runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const runs: SqlValue[][] = [
    ['run-b', 1, 20, 25, 'converged', '{"state":"converged"}', 'run', 1, 2, 3, 4],
    ['run-a', 2, 10, 15, 'problems', '{"state":"problems"}', 'run', 0, 0, 0, 0],
    ['run-c', 1, 30, null, null, null, 'undo', 0, 0, 5, 0],
    ['run-d', 1, 40, 41, 'converged', '{}', 'run', 0, 0, 0, 0]
  ]
  for (const values of runs) run.run(values)
  const change = sql.prepare('INSERT INTO sync_changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const changes: SqlValue[][] = [
    ['run-b', 0, 1, 21, 1, key('d/a'), null, 'create', 'created', null, hash(1)],
    ['run-b', 1, 1, 21, 1, key('d'), null, 'attributes', 'directory-time', null, null],
    ['run-b', 7, 1, 24, 0, key('d/\udcff'), key('e'), 'move', 'moved', hash(2), hash(2)],
    ['run-a', 0, 2, 11, 1, key('d/a'), null, 'replace', 'edited', hash(3), hash(4)],
    ['run-c', 0, 1, 31, 1, key('d/a'), null, 'remove', 'created', hash(1), null]
  ]
  for (const values of changes) change.run(values)
  sql.prepare('INSERT INTO sync_intents VALUES (?, ?, ?, ?, ?)').run(['run-c', 1, 0, 32, '[]'])
  return sql
}

const migrated = (): Sql => {
  const sql = before()
  migrate(sql, migrations)
  return sql
}

/** All that others ask of runs. */
const told = (sql: Sql): unknown => {
  const all = (text: string): unknown => sql.prepare(text).all()
  const runs = `id, sync, began_at, ended_at, state, result, kind, source_removed, source_replaced, destination_removed,
    destination_replaced`
  const changes = 'run, n, sync, done_at, at, path, to_path, kind, reason, before, after'
  return {
    runs: all(`SELECT ${runs} FROM sync_runs ORDER BY id`),
    changes: all(`SELECT ${changes} FROM sync_changes ORDER BY run, n`),
    intents: all('SELECT run, n, at, begun_at, changes FROM sync_intents')
  }
}

describe('runs and what they did, in a database in which each row held the name of its run', () => {
  it('nothing is lost when it is opened', () => {
    const [old, sql] = [before(), migrated()]
    assert.deepEqual(told(sql), told(old))
    assert.deepEqual(sql.prepare('PRAGMA foreign_key_check').all(), [])
    assert.deepEqual(sql.prepare("SELECT name FROM sqlite_master WHERE name LIKE '%\\_before' ESCAPE '\\'").all(), [])
    old.close()
    sql.close()
  })

  it('a run that was under way goes on, and what it does comes beside what it did', () => {
    const sql = migrated()
    const one = { n: 0, path: 'd/new', kind: 3, marks: 0, reason: 'seldom' }
    const record = (run: string, n: number): void =>
      changing.record(sql, {
        ...{ run, sync: 1, doneAtMs: 33, intent: 1 },
        changes: {
          ...{ ns: new Float64Array([n]), paths: one.path, reasons: one.reason, to: new Map() },
          ...{ facts: new Uint8Array([1, one.kind, one.marks]), hashes: new Uint8Array(64) }
        }
      })
    changing.begin(sql, { run: 'run-c', sync: 1, kind: 'undo', beganAtMs: 30 })
    record('run-c', 1)
    // The same once more, as after a crash, and a run that begins.
    record('run-c', 1)
    changing.begin(sql, { run: 'run-e', sync: 1, kind: 'run', beganAtMs: 50 })
    record('run-e', 0)
    const rows = sql.prepare("SELECT run, n, kind, reason FROM sync_changes WHERE reason = 'seldom' ORDER BY run").all()
    const what = { kind: 'make-directory', reason: 'seldom' }
    assert.deepEqual(rows, [
      { run: 'run-c', n: 1, ...what },
      { run: 'run-e', n: 0, ...what }
    ])
    assert.deepEqual(sql.prepare('SELECT * FROM sync_intents').all(), [])
    sql.close()
  })

  it('with a sync go its runs, all that they did and were about to do, and nothing of another one', () => {
    const sql = migrated()
    syncWrites.remove(sql, { id: 1, left: [], nowMs: 1 })
    const names = (table: string, column: string): unknown =>
      sql.prepare(`SELECT DISTINCT ${column} AS name FROM ${table}`).all()
    assert.deepEqual(names('sync_runs', 'id'), [{ name: 'run-a' }])
    assert.deepEqual(names('sync_changes', 'run'), [{ name: 'run-a' }])
    assert.deepEqual(names('sync_intents', 'run'), [])
    sql.close()
  })
})
