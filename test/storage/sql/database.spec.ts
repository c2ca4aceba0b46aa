import assert from 'node:assert/strict'
import { openInstance } from '../../../storage/instance/index.js'
import { type Database, openDatabase, openSqlite } from '../../../storage/sql/index.js'
import { tempDir } from '../../temp.js'
import { counting } from '../base/counting.worker.js'

describe('openDatabase', () => {
  const dir = tempDir()
  let db: Database
  before(async () => {
    db = await openDatabase({ file: `${dir.path}/a.db`, schema: 'instance' })
  })
  after(async () => {
    await db.close()
    dir.clean()
  })

  it('a write is seen by the next read', async () => {
    await db.write(counting.setMeta, { name: 'a', value: '1' })
    assert.deepEqual(db.get('SELECT value FROM meta WHERE name = ?', ['a']), { value: '1' })
  })
  it('writes that share a commit: the one that throws takes back itself alone', async () => {
    const outcomes = await Promise.allSettled([
      db.write(counting.setMeta, { name: 'x', value: '1' }),
      db.write(counting.setMeta, { name: 'y', value: '1', fail: true }),
      db.write(counting.setMeta, { name: 'z', value: '1' })
    ])
    assert.deepEqual(
      outcomes.map(o => o.status),
      ['fulfilled', 'rejected', 'fulfilled']
    )
    assert.deepEqual(db.all("SELECT name FROM meta WHERE name IN ('x', 'y', 'z') ORDER BY name"), [
      { name: 'x' },
      { name: 'z' }
    ])
  })
  it('a database of a newer version is refused', async () => {
    const other = openSqlite(`${dir.path}/newer.db`)
    other.pragma('user_version = 999')
    other.close()
    await assert.rejects(openDatabase({ file: `${dir.path}/newer.db`, schema: 'instance' }), { code: 'DATABASE_NEWER' })
  })
  it('after close a write is refused', async () => {
    const other = await openDatabase({ file: `${dir.path}/b.db`, schema: 'instance' })
    await other.close()
    await assert.rejects(other.write(counting.setMeta, { name: 'a', value: '1' }), { code: 'STOPPED' })
  })
})

describe('openInstance', () => {
  it('a data directory has one owner at a time', async () => {
    const dir = tempDir()
    const first = await openInstance(dir.path)
    await assert.rejects(openInstance(dir.path), { code: 'LOCKED' })
    await first.close()
    await (await openInstance(dir.path)).close()
    dir.clean()
  })
})
