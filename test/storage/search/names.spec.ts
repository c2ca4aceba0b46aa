import assert from 'node:assert/strict'
import fc from 'fast-check'
import { indexNames, mergeNames, NAME_START, searchText } from '../../../storage/entries/index.js'
import { migrate, openSqlite, readMigrations, type Sql } from '../../../storage/sql/index.js'
import { tempDir } from '../../temp.js'

describe('names in the trigram index', () => {
  const dir = tempDir()
  let sql: Sql
  let nextId = 1
  before(() => {
    sql = openSqlite(`${dir.path}/names.db`, { synchronous: 'NORMAL' })
    migrate(sql, readMigrations('library'))
  })
  after(() => {
    sql.close()
    dir.clean()
  })

  const add = (names: readonly Uint8Array[]): number[] =>
    sql.transaction(() => {
      const insert = sql.prepare(`INSERT INTO entries VALUES (?, ?, ?, 0, 0, 0, 0, 0, 0, ?, 0, 0, 0, NULL, ?, NULL)`)
      return names.map(name => {
        insert.run([nextId, nextId, name, nextId, nextId])
        return nextId++
      })
    })
  const takeUp = (limit: number): number => {
    let goes = 1
    while (sql.transaction(() => indexNames(sql, limit).more)) goes++
    return goes
  }
  const beginning = (text: string): number[] =>
    sql
      .prepare<{ rowid: number }>('SELECT rowid FROM names WHERE names MATCH ? ORDER BY rowid')
      .all([`"${(NAME_START + text).replaceAll('"', '""')}"`])
      .map(r => r.rowid)
  const lists = (): number => sql.prepare<{ n: number }>('SELECT count(DISTINCT segid) AS n FROM names_idx').get()!.n
  const set = (name: string): number =>
    sql.prepare<{ v: number }>('SELECT v FROM names_config WHERE k = ?').get([name])!.v

  it('many at once are merged behind, once, and found all the while', () => {
    const odd = [Buffer.from('m\xe9lange', 'latin1'), Buffer.from('mélange'), Buffer.from('日本.txt')]
    const ids = add([...Array.from({ length: 20_000 }, (_, i) => Buffer.from(`file-${i}.txt`)), ...odd])
    assert.equal(takeUp(500), 41)
    assert.ok(lists() > 30, 'not merged on the way')
    const found = (): number[][] => [beginning('fi'), beginning('mé'), beginning('m\ufffd'), beginning('日本')]
    const expected = [ids.slice(0, 20_000), ids.slice(20_001, 20_002), ids.slice(20_000, 20_001), ids.slice(20_002)]
    assert.deepEqual(found(), expected)
    let all = true
    for (; sql.transaction(() => mergeNames(sql, all)); all = false) assert.equal(beginning('mé').length, 1)
    assert.equal(lists(), 1)
    assert.deepEqual(found(), expected)
    assert.equal(set('automerge'), 4, 'from here on they are merged as they come')
  })

  it('every name is taken up as the text that is searched, whatever its bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 20 }), raw => {
        // A name holds neither a slash nor a zero.
        const names = raw.map(name => name.map(byte => (byte === 0 || byte === 0x2f ? 0x61 : byte)))
        const ids = add(names)
        takeUp(8)
        for (const [i, name] of names.entries()) {
          const start = [...searchText(name)].slice(0, 2).join('')
          if ([...start].length === 2) assert.ok(beginning(start).includes(ids[i]!), Buffer.from(name).toString('hex'))
        }
      })
    )
  })
})
