import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type AbsPath, eventBus, silentLog, type WorkerPool, workerPool } from '../../../storage/base/index.js'
import { CONSUMER_LIFETIME_MS, changesOf, KEEP_DELETED_MS, MAX_DELETED } from '../../../storage/entries/index.js'
import { type InstanceDatabase, openInstance } from '../../../storage/instance/index.js'
import { FIRST_ROUND_MS, ROUND_MS } from '../../../storage/libraries/caretaker.js'
import { type Library, type LibraryManager, libraries } from '../../../storage/libraries/index.js'
import { migrate, openDatabase, openSqlite, readMigrations } from '../../../storage/sql/index.js'
import { type ManualClock, manualClock } from '../../manual-clock.js'
import { tempDir } from '../../temp.js'
import { burying } from './tidy.worker.js'

describe('what nobody needs any more', () => {
  const temp = tempDir('sd-tidy-')
  let clock: ManualClock
  let instance: InstanceDatabase
  let pool: WorkerPool
  let manager: LibraryManager
  let library: Library

  before(async () => {
    clock = manualClock()
    instance = await openInstance(join(temp.path, 'data') as AbsPath)
    pool = workerPool(2)
    const device = () => ({ name: 'test', id: null })
    manager = libraries({ database: instance, pool, clock, events: eventBus(), log: silentLog, device })
    await manager.start()
    library = await manager.create({ name: 'Test' })
  })
  after(async () => {
    await manager.stop()
    await pool.close()
    await instance.close()
    temp.clean()
  })

  const counts = () => library.database.write(burying.counts, undefined)
  const bury = (count: number, deletedAt = clock.nowMs()) => library.database.write(burying.bury, { count, deletedAt })
  const since = (seq: number) => pool.run(changesOf.since, { databaseFile: library.database.file, seq })
  /** A round is a series of writes: over when one that is begun after it has come back. */
  async function advance(ms: number): Promise<void> {
    await clock.advance(ms)
    await manager.own.maintain()
    await library.maintain()
  }

  it('goes after 30 days, by itself, with the contents that only it had', async () => {
    await bury(10)
    await clock.advance(FIRST_ROUND_MS)
    await clock.advance(KEEP_DELETED_MS - ROUND_MS)
    assert.deepEqual(await counts(), { deleted: 10, contents: 10 })
    assert.equal((await since(0)).gap, false)
    await clock.advance(ROUND_MS)
    while ((await counts()).contents > 0) await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual(await counts(), { deleted: 0, contents: 0 })
  })

  it('who followed no further than what was dropped is told of the gap', async () => {
    assert.deepEqual([(await since(9)).gap, (await since(10)).gap], [true, false])
  })

  it('a consumer who has not seen it keeps it; one that was away for half a year keeps nothing', async () => {
    await bury(4)
    await library.database.write(changesOf.seen, { consumer: 'a', seq: 12, nowMs: clock.nowMs() })
    await advance(KEEP_DELETED_MS + ROUND_MS)
    assert.equal((await counts()).deleted, 2)
    assert.equal((await since(12)).gap, false)
    await advance(CONSUMER_LIFETIME_MS)
    assert.equal((await counts()).deleted, 0)
    assert.equal((await since(12)).gap, true)
  })

  it('beyond the limit the oldest go, whoever has not seen them', async () => {
    assert.equal(MAX_DELETED, 2_000_000)
    const input = { nowMs: clock.nowMs(), limit: 100, maxKept: 6 }
    await library.database.write(changesOf.seen, { consumer: 'b', seq: 14, nowMs: clock.nowMs() })
    await bury(6)
    assert.equal(await library.database.write(burying.drop, input), 0)
    await bury(1)
    assert.equal(await library.database.write(burying.drop, input), 1)
    assert.deepEqual([(await since(14)).gap, (await since(15)).gap], [true, false])
  })

  it('what is still in the trigram index waits', async () => {
    const deletedAt = clock.nowMs() - 2 * KEEP_DELETED_MS
    await library.database.write(changesOf.left, { consumer: 'b' })
    await library.database.write(burying.bury, { count: 1, deletedAt, namesSeen: false })
    await advance(0)
    assert.equal((await counts()).deleted, 7)
  })

  it('a database of the first version gets its index, after a copy of it was kept', async () => {
    const file = join(temp.path, 'old.db')
    const [first] = readMigrations('library')
    const old = openSqlite(file)
    migrate(old, [first!])
    burying.bury(old, { count: 3, deletedAt: 1 })
    old.close()
    const opened = await openDatabase({ file, schema: 'library', backupDir: join(temp.path, 'backups') })
    assert.deepEqual(await opened.write(burying.counts, undefined), { deleted: 3, contents: 3 })
    assert.equal(opened.all("SELECT name FROM sqlite_master WHERE name = 'deleted_by_content'").length, 1)
    await opened.close()
    assert.ok(existsSync(join(temp.path, 'backups', 'old.db.v1')))
  })
})
