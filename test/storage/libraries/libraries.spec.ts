import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AbsPath } from '../../../storage/base/index.js'
import { tagging } from '../../../storage/entries/index.js'
import { openSqlite } from '../../../storage/sql/index.js'
import { type IndexFixture, idsOf, indexed, indexFixture, onDisk } from '../indexer/index-fixture.js'

describe('libraries', () => {
  let f: IndexFixture
  beforeEach(async () => {
    f = await indexFixture()
    mkdirSync(`${f.tree}/a`)
    writeFileSync(`${f.tree}/a/one.txt`, 'one')
  })
  afterEach(() => f.close())
  const database = (): string => join(f.library.path, 'database.db')
  const reopen = async () => {
    await f.manager.close(f.library.path)
    return await f.manager.open(f.library.path)
  }

  it('opened again it is the same index; its ids and sequence go on', async () => {
    const location = await f.location()
    await f.indexer.index({ library: f.library, location })
    const before = await f.library.generation({ durable: true })
    const again = await reopen()
    const after = await again.generation()
    assert.equal(after.index, before.index)
    assert.ok(after.seq >= before.seq)
    writeFileSync(`${f.tree}/two`, '2')
    await f.indexer.index({ library: again, location })
    const [two, ...others] = [...idsOf(again, location)].sort((a, b) => b[1] - a[1])
    assert.equal(two?.[0], 'two')
    assert.ok(others.every(([, id]) => id < two![1]))
  })
  it('one that was put back has a new index id', async () => {
    const { index } = await f.library.generation()
    await f.manager.close(f.library.path)
    copyFileSync(database(), `${f.dir}/old.db`)
    await f.manager.open(f.library.path)
    await f.manager.close(f.library.path)
    copyFileSync(`${f.dir}/old.db`, database())
    const back = await f.manager.open(f.library.path)
    assert.notEqual((await back.generation()).index, index)
  })
  it('a copy beside the open one is refused; alone it is another index with the same entries', async () => {
    const location = await f.location()
    await f.indexer.index({ library: f.library, location })
    const entries = indexed(f.library, location)
    const { index, seq } = await f.library.generation()
    const copy = `${f.dir}/Copy.sdlibrary` as AbsPath
    await f.manager.close(f.library.path)
    cpSync(f.library.path, copy, { recursive: true })
    await f.manager.open(f.library.path)
    await assert.rejects(f.manager.open(copy), { code: 'LIBRARY_OPEN' })
    await f.manager.close(f.library.path)
    const opened = await f.manager.open(copy)
    const now = await opened.generation()
    assert.notEqual(now.index, index)
    assert.ok(now.seq >= seq)
    assert.deepEqual(indexed(opened, location), entries)
  })
  it('on another device its locations stay those of the first', async () => {
    await f.location()
    const { host } = f.library
    await f.manager.close(f.library.path)
    const other = await indexFixture()
    try {
      cpSync(f.library.path, `${other.dir}/Moved.sdlibrary`, { recursive: true })
      const opened = await other.manager.open(`${other.dir}/Moved.sdlibrary`)
      assert.notEqual(opened.host, host)
      assert.deepEqual(opened.database.all('SELECT host FROM locations'), [{ host }])
    } finally {
      await other.close()
    }
  })
  it('a newer database and a newer library.json are refused', async () => {
    await f.manager.close(f.library.path)
    const sql = openSqlite(database())
    const version = Number(sql.pragma('user_version'))
    sql.pragma('user_version = 900')
    sql.close()
    await assert.rejects(f.manager.open(f.library.path), { code: 'DATABASE_NEWER' })
    const fixed = openSqlite(database())
    fixed.pragma(`user_version = ${version}`)
    fixed.close()
    const config = join(f.library.path, 'library.json')
    const text = readFileSync(config, 'utf8')
    writeFileSync(config, text.replace('"version": 1', '"version": 2'))
    await assert.rejects(f.manager.open(f.library.path), { code: 'LIBRARY_NEWER' })
    writeFileSync(config, text)
    await f.manager.open(f.library.path)
  })
  it('a damaged database is refused and kept; rebuilt it has its tags again, and they find their files', async () => {
    const location = await f.location()
    await f.indexer.index({ library: f.library, location })
    await f.library.database.write(tagging.add, {
      ...{ host: f.library.host, nowMs: 1, name: 'keep', color: 'red' },
      targets: [{ path: `${f.tree}/a/one.txt` as AbsPath, inode: null, birthNs: null }]
    })
    await f.manager.close(f.library.path)
    // The index of entries by name is overwritten; what people said lies elsewhere.
    const sql = openSqlite(database())
    const { rootpage } = sql
      .prepare<{ rootpage: number }>("SELECT rootpage FROM sqlite_master WHERE name = 'entries'")
      .get()!
    const pageSize = Number(sql.pragma('page_size'))
    sql.pragma('wal_checkpoint(TRUNCATE)') // else the journal still holds the page
    sql.close()
    writeSync(openSync(database(), 'r+'), Buffer.alloc(pageSize, 0xff), 0, pageSize, (rootpage - 1) * pageSize)
    await assert.rejects(f.manager.open(f.library.path), (err: Error & { code: string; hint: string }) => {
      assert.equal(err.code, 'DATABASE_CORRUPT')
      assert.match(err.hint, /library rebuild/)
      return true
    })
    assert.ok(readdirSync(join(f.library.path, 'backups')).some(n => n.startsWith('database.db.damaged')))
    const report = await f.manager.rebuild(f.library.path)
    assert.deepEqual(report.saved, { locations: 1, tags: 1, metadata: 1 })
    const library = f.manager.get(f.library.path)
    await f.indexer.index({ library, location })
    assert.deepEqual(indexed(library, location), onDisk(f.tree))
    assert.equal(
      library.database.get<{ n: number }>('SELECT count(*) AS n FROM metadata WHERE entry IS NOT NULL')?.n,
      1
    )
  })
  it('the library of the instance itself, damaged, is built anew at the start', async () => {
    const { own } = f.manager
    const { index } = await own.generation()
    const file = own.database.file
    await f.manager.stop()
    writeSync(openSync(file, 'r+'), Buffer.alloc(4_096, 0xff), 0, 4_096, 0)
    await f.manager.start()
    assert.notEqual((await f.manager.own.generation()).index, index)
    assert.equal((await f.manager.own.check()).ok, true)
    assert.ok(readdirSync(join(f.manager.own.path, 'backups')).some(n => n.startsWith('database.db.damaged')))
  })
  it('one that is damaged at the start is told with what to do, wherever the current one is asked for', async () => {
    const { path } = f.library
    const file = database()
    await f.manager.stop()
    writeSync(openSync(file, 'r+'), Buffer.alloc(4_096, 0xff), 0, 4_096, 0)
    await f.manager.start()
    const told = f.manager.list().find(l => l.path === path)!.problem!
    assert.equal(told.code, 'DATABASE_CORRUPT')
    assert.match(told.hint!, /library rebuild/)
    assert.throws(() => f.manager.current(), { code: 'DATABASE_CORRUPT', hint: /library rebuild/ })
    await f.manager.rebuild(path)
    assert.equal(f.manager.current().path, path)
  })
  it('a second process cannot open it; kill -9 of the first frees it', async () => {
    const { path } = f.library
    await f.manager.close(path)
    const child = fork(fileURLToPath(new URL('./holder-entry.js', import.meta.url)), [path], { stdio: 'ignore' })
    await once(child, 'message')
    await assert.rejects(f.manager.open(path), { code: 'LOCKED' })
    child.kill('SIGKILL')
    await once(child, 'exit')
    await f.manager.open(path)
  })
  it('delete leaves the indexed files alone', async () => {
    const location = await f.location()
    await f.indexer.index({ library: f.library, location })
    assert.deepEqual(await f.manager.delete(f.library.path), [])
    assert.ok(!existsSync(f.library.path))
    assert.ok(existsSync(`${f.tree}/a/one.txt`))
    rmSync(f.tree, { recursive: true })
  })
  it('names that no folder can have are refused', async () => {
    for (const name of ['', ' x', '.x', 'a/b', 'x'.repeat(246)])
      await assert.rejects(f.manager.create({ name }), { code: 'LIBRARY_NAME' }, name)
    await f.manager.create({ name: 'x'.repeat(245) })
    await assert.rejects(f.manager.create({ name: 'Test' }), { code: 'EXISTS' })
  })
})
