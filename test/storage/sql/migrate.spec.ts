import assert from 'node:assert/strict'
import { openSqlite } from '../../../storage/sql/index.js'
import { type Migration, migrate, readMigrations } from '../../../storage/sql/migrate.js'
import { tempDir } from '../../temp.js'

describe('migrations', () => {
  const dir = tempDir()
  let files = 0
  after(() => dir.clean())
  const made = (number: number): Migration => ({ number, name: `t${number}`, text: `CREATE TABLE t${number} (a)` })
  const broken = (number: number): Migration => ({ number, name: 'broken', text: 'CREATE TABLE half (a); CREATE oh' })
  const database = () => openSqlite(`${dir.path}/${files++}.db`)
  const tables = (sql: ReturnType<typeof database>): string[] =>
    sql
      .prepare<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
      .all()
      .map(t => t.name)
  const version = (sql: ReturnType<typeof database>): number => Number(sql.pragma('user_version'))

  it('a new database is made whole or not at all', () => {
    const sql = database()
    assert.throws(() => migrate(sql, [made(1), made(2), broken(3)]), { code: 'MIGRATION_FAILED', message: /version 3/ })
    assert.deepEqual([version(sql), tables(sql)], [0, []])
    migrate(sql, [made(1), made(2)])
    assert.deepEqual([version(sql), tables(sql)], [2, ['migrations', 't1', 't2']])
    sql.close()
  })

  it('an older one keeps each step that was taken, and nothing of the one that failed', () => {
    const sql = database()
    migrate(sql, [made(1)])
    assert.throws(() => migrate(sql, [made(1), made(2), broken(3)]), { code: 'MIGRATION_FAILED' })
    assert.deepEqual([version(sql), tables(sql)], [2, ['migrations', 't1', 't2']])
    migrate(sql, [made(1), made(2), made(3)])
    assert.deepEqual([version(sql), tables(sql)], [3, ['migrations', 't1', 't2', 't3']])
    sql.close()
  })

  for (const schema of ['instance', 'library', 'snapshot', 'vectors'] as const) {
    it(`${schema}: a new one, and one that was brought here step by step, are the same`, () => {
      const migrations = readMigrations(schema)
      const [fresh, older] = [database(), database()]
      migrate(fresh, migrations)
      for (let n = 1; n <= migrations.length; n++) migrate(older, migrations.slice(0, n))
      const schemaOf = (sql: typeof fresh): unknown =>
        sql.prepare('SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name').all()
      assert.deepEqual(schemaOf(fresh), schemaOf(older))
      assert.equal(version(fresh), version(older))
      fresh.close()
      older.close()
    })
  }
})
