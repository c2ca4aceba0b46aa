import assert from 'node:assert/strict'
import { openSqlite, RowStatement } from '../../../storage/sql/index.js'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

describe('RowStatement', () => {
  const put = new RowStatement(2, rows => `INSERT OR REPLACE INTO t VALUES ${rows}`)
  const database = () => {
    const sql = openSqlite(':memory:')
    sql.exec('CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL) STRICT')
    return sql
  }

  for (const count of [0, 1, 63, 64, 65, 127, 200, 1000]) {
    it(`${count} rows are all written, and nothing else`, () => {
      const sql = database()
      put.run(
        sql,
        numbers(count).flatMap(i => [i, `row ${i}`])
      )
      const rows = sql.prepare<{ a: number; b: string }>('SELECT a, b FROM t ORDER BY a').all()
      assert.deepEqual(
        rows,
        numbers(count).map(i => ({ a: i, b: `row ${i}` }))
      )
      sql.close()
    })
  }

  it('of two rows with one key the later one stays, within a call and beyond it', () => {
    const sql = database()
    put.run(
      sql,
      numbers(300).flatMap(i => [i % 7, `row ${i}`])
    )
    const rows = sql
      .prepare<{ b: string }>('SELECT b FROM t ORDER BY a')
      .all()
      .map(row => row.b)
    assert.deepEqual(
      rows.sort(),
      numbers(7)
        .map(i => `row ${293 + i}`)
        .sort()
    )
    sql.close()
  })

  it('a value that does not fit is an error, and says which', () => {
    const sql = database()
    assert.throws(() => put.run(sql, [1, null]), /NOT NULL constraint failed: t\.b/)
    sql.close()
  })
})
