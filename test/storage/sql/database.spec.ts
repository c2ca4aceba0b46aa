import assert from 'node:assert/strict'
import {
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import type { SpacedriveError } from '../../../storage/base/index.js'
import { openInstance } from '../../../storage/instance/index.js'
import { closeReaders, type Database, openDatabase, openSqlite, withReader } from '../../../storage/sql/index.js'
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
  it('closed while a thread keeps a connection for its next read: no log is left full', async () => {
    const file = `${dir.path}/read.db`
    const read = await openDatabase({ file, schema: 'instance' })
    await read.write(counting.setMeta, { name: 'a', value: 'x'.repeat(3000) })
    const value = (): unknown =>
      withReader(file, sql => sql.prepare<{ value: string }>("SELECT value FROM meta WHERE name = 'a'").get()?.value)
    assert.equal(value(), 'x'.repeat(3000))
    assert.ok(statSync(`${file}-wal`).size > 0)
    await read.close()
    assert.equal(statSync(`${file}-wal`).size, 0)
    assert.equal(value(), 'x'.repeat(3000))
    closeReaders(file)
  })
  it('a page that was overwritten: the error names the file, whoever reads', async () => {
    const file = `${dir.path}/damaged.db`
    const whole = await openDatabase({ file, schema: 'instance' })
    for (let i = 0; i < 40; i++) await whole.write(counting.setMeta, { name: `${i}`, value: 'x'.repeat(3000) })
    const root = whole.get<{ rootpage: number }>("SELECT rootpage FROM sqlite_schema WHERE name = 'meta'")!.rootpage
    await whole.close()
    overwritePage(file, root)
    const damaged = await openDatabase({ file, schema: 'instance' })
    const named = {
      code: 'DATABASE_CORRUPT',
      message: `the database ${file} is damaged: database disk image is malformed`
    }
    assert.throws(() => damaged.get("SELECT value FROM meta WHERE name = '7'"), named)
    assert.throws(() => damaged.all('SELECT * FROM meta'), named)
    await assert.rejects(damaged.write(counting.setMeta, { name: '7', value: '1' }), named)
    await damaged.close()
  })
  it('many that share threads: a few threads write them all, each its own', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `many-${i}`)
    const open = (name: string): Promise<Database> =>
      openDatabase({ file: `${dir.path}/${name}.db`, schema: 'instance', sharesThread: true })
    const many = await Promise.all(names.map(open))
    try {
      await Promise.all(many.map((one, i) => one.write(counting.setMeta, { name: 'own', value: names[i]! })))
      const written = many.map(one => one.get<{ value: string }>("SELECT value FROM meta WHERE name = 'own'")?.value)
      assert.deepEqual(written, names)
      const threads = new Set(await Promise.all(many.map(one => one.maintain(counting.writerThread, null))))
      assert.ok(threads.size <= 4, `${threads.size} threads`)
      assert.ok(!threads.has(await db.maintain(counting.writerThread, null)), 'one that shares nothing is alone')
      await many[0]!.close()
      assert.equal((await many[1]!.maintain(counting.writerThread, null)) > 0, true, 'the others go on')
    } finally {
      await Promise.all(many.map(one => one.close()))
    }
  })
  it('the thread ends under them: each says so, and what is opened then is written by another one', async () => {
    const open = (name: string): Promise<Database> =>
      openDatabase({ file: `${dir.path}/${name}.db`, schema: 'instance', sharesThread: true })
    const all = await Promise.all(['a1', 'a2', 'a3', 'a4', 'a5'].map(open)) // two of them at least share one
    const threads = await Promise.all(all.map(one => one.maintain(counting.writerThread, null)))
    const dying = threads.find((id, i) => threads.indexOf(id) !== i)
    const [under, ...beside] = all.filter((_, i) => threads[i] === dying) as [Database, ...Database[]]
    const others = all.filter((_, i) => threads[i] !== dying)
    await assert.rejects(under.maintain(counting.die as never, null), { code: 'DATABASE_WRITER_DIED' })
    for (const one of beside)
      await assert.rejects(one.write(counting.setMeta, { name: 'a', value: '1' }), { code: 'DATABASE_WRITER_DIED' })
    for (const one of others) await one.write(counting.setMeta, { name: 'a', value: '1' })
    for (const one of all) await one.close()
    const again = await open('a1')
    await again.write(counting.setMeta, { name: 'a', value: '2' })
    await again.close()
  })
  it('after close a write is refused', async () => {
    const other = await openDatabase({ file: `${dir.path}/b.db`, schema: 'instance' })
    await other.close()
    await assert.rejects(other.write(counting.setMeta, { name: 'a', value: '1' }), { code: 'STOPPED' })
  })
})

/** Keeps its size; a page has 4 KiB. */
function overwritePage(file: string, page: number): void {
  const fd = openSync(file, 'r+')
  writeSync(fd, Buffer.alloc(4096, 0xa5), 0, 4096, (page - 1) * 4096)
  closeSync(fd)
}

describe('openInstance', () => {
  it('a damaged database is not opened, and the way on is said', async () => {
    for (const damage of [(file: string) => overwritePage(file, 1), (file: string) => truncateSync(file, 40_000)]) {
      const dir = tempDir()
      await (await openInstance(dir.path)).close()
      damage(`${dir.path}/instance.db`)
      const err = await openInstance(dir.path).then(
        () => assert.fail('it was opened'),
        (e: SpacedriveError) => e
      )
      assert.equal(err.code, 'DATABASE_CORRUPT')
      assert.match(err.message, /instance\.db is damaged/)
      assert.match(err.hint ?? '', /move .*instance\.db .*away/)
      rmSync(`${dir.path}/instance.db`)
      await (await openInstance(dir.path)).close()
      dir.clean()
    }
  })
  it('what is damaged further in is told when it is read, with the way on', async () => {
    const dir = tempDir()
    const file = `${dir.path}/instance.db`
    const whole = await openInstance(dir.path)
    const root = whole.get<{ rootpage: number }>("SELECT rootpage FROM sqlite_schema WHERE name = 'jobs'")!.rootpage
    await whole.close()
    overwritePage(file, root)
    const damaged = await openInstance(dir.path)
    for (const read of [() => damaged.get('SELECT * FROM jobs'), () => damaged.all('SELECT * FROM jobs')])
      assert.throws(read, (err: SpacedriveError) => err.code === 'DATABASE_CORRUPT' && /away/.test(err.hint ?? ''))
    await damaged.close()
    dir.clean()
  })

  const LOSSES: readonly [string, (file: string) => void][] = [
    ['is empty', file => truncateSync(file, 0)],
    ['is not there', file => rmSync(file)]
  ]
  for (const [state, lose] of LOSSES) {
    it(`a database that ${state} beside what an instance left: refused with the way on, untouched, and made anew only when that is said`, async () => {
      const dir = tempDir()
      const file = `${dir.path}/instance.db`
      await (await openInstance(dir.path)).close()
      lose(file)
      mkdirSync(`${dir.path}/own`)
      writeFileSync(`${dir.path}/own/library.json`, '{}')
      mkdirSync(`${dir.path}/backups`)
      writeFileSync(`${dir.path}/backups/instance.db.v150`, 'older')
      writeFileSync(`${file}-wal`, 'what was written last')
      const before = readdirSync(dir.path).sort()
      const err = await openInstance(dir.path).then(
        () => assert.fail('it began anew'),
        (e: SpacedriveError) => e
      )
      assert.equal(err.code, 'DATABASE_LOST')
      assert.equal(
        err.message,
        `the database ${file} ${state}, and an instance lived here: own, instance.db-wal, backups`
      )
      assert.match(
        err.hint ?? '',
        /Put back a copy.*revoked since it was made are trusted again.*backups\/instance\.db\.v150.*start --new-database/
      )
      assert.deepEqual(readdirSync(dir.path).sort(), before)
      const anew = await openInstance(dir.path, { newDatabase: true })
      await anew.close()
      const kept = readdirSync(`${dir.path}/backups`).filter(name => name.startsWith('instance.db-wal.'))
      assert.equal(readFileSync(`${dir.path}/backups/${kept[0]}`, 'utf8'), 'what was written last')
      await (await openInstance(dir.path)).close()
      dir.clean()
    })
  }
  it('a copy that is put back is opened, and a new one is not made over it', async () => {
    const dir = tempDir()
    const file = `${dir.path}/instance.db`
    const first = await openInstance(dir.path)
    await first.write(counting.setMeta, { name: 'mine', value: '1' })
    await first.close()
    cpSync(file, `${dir.path}/copy`)
    truncateSync(file, 0)
    writeFileSync(`${dir.path}/identity.key`, 'key')
    await assert.rejects(openInstance(dir.path), { code: 'DATABASE_LOST' })
    cpSync(`${dir.path}/copy`, file)
    const again = await openInstance(dir.path, { newDatabase: true })
    assert.deepEqual(again.get("SELECT value FROM meta WHERE name = 'mine'"), { value: '1' })
    await again.close()
    dir.clean()
  })
  it('a first start that was cut off is made again: settings and a log lie there before there is a database', async () => {
    const dir = tempDir()
    for (const name of ['instance.db', 'instance.db-wal']) writeFileSync(`${dir.path}/${name}`, '')
    writeFileSync(`${dir.path}/config.json`, '{}')
    mkdirSync(`${dir.path}/logs`)
    writeFileSync(`${dir.path}/logs/daemon.log`, 'x')
    await (await openInstance(dir.path)).close()
    dir.clean()
  })

  it('a data directory has one owner at a time', async () => {
    const dir = tempDir()
    const first = await openInstance(dir.path)
    await assert.rejects(openInstance(dir.path), { code: 'LOCKED' })
    await first.close()
    await (await openInstance(dir.path)).close()
    dir.clean()
  })
})
