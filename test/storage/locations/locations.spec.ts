import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { AbsPath, Clock, JobId } from '../../../storage/base/index.js'
import { CHECK_INTERVAL_MS, CHECK_JITTER } from '../../../storage/locations/limits.js'
import { jumpClock } from '../../jump-clock.js'
import { seedOfRun } from '../../random.js'
import { tempDir } from '../../temp.js'
import { WAIT_MS } from '../../waits.js'
import { locating } from '../indexer/locating.worker.js'
import { randomEdits } from '../watcher/random-edits.js'
import { type LocationsFixture, openLocations } from './fixture.js'

/** `npm run soak:locations` asks for 10,000. */
const EDITS = Number(process.env.SPACEDRIVE_TEST_EDITS ?? 1_500)

describe('locations', () => {
  const dir = tempDir()
  let n = 0
  let base: AbsPath
  const opened: LocationsFixture[] = []
  const open = async (clock?: Clock): Promise<LocationsFixture> => {
    const f = await openLocations(base, clock)
    opened.push(f)
    return f
  }
  beforeEach(() => {
    base = `${dir.path}/${n++}` as AbsPath
    mkdirSync(`${base}/tree/a/b`, { recursive: true })
    writeFileSync(`${base}/tree/a/f.txt`, 'one')
  })
  afterEach(async () => {
    for (const f of opened.splice(0)) await f.close()
  })
  after(() => dir.clean())

  it('adds a folder, indexes it and sees what changes', async () => {
    const f = await open()
    const id = await f.indexedFolder(`${base}/tree`)
    assert.deepEqual(f.paths(id), ['a', 'a/b', 'a/f.txt'])
    const info = await f.info(id)
    assert.deepEqual([info.name, info.files, info.directories, info.watchedBy], ['tree', 1, 2, 'folders'])
    await f.until(async () => (await f.info(id)).freshness === 'fresh')
    const { path, library, watchedBy, activity, freshness } = await f.info(id)
    assert.deepEqual(f.locations.states(), [{ id, library, path, activity, watchedBy, freshness }])
    writeFileSync(`${base}/tree/a/b/new`, 'x')
    await f.until(() => f.same(id))
    mkdirSync(`${base}/tree/deep/er`, { recursive: true })
    writeFileSync(`${base}/tree/deep/er/f`, 'x')
    await f.until(() => f.same(id))
    assert.ok(f.said.some(e => e.type === 'location:added'))
  })

  it('random edits while watching: afterwards the index equals the disk exactly', async () => {
    const f = await open()
    const id = await f.indexedFolder(`${base}/tree`)
    const seed = seedOfRun()
    await randomEdits(`${base}/tree`, { seed, count: EDITS, oddNames: true })
    const limit = setTimeout(() => assert.fail(`seed ${seed}: not the same after a while`), WAIT_MS)
    await f.until(() => f.same(id))
    clearTimeout(limit)
    const { output } = await f.jobs.outcome(await f.locations.rescan(id, { force: true }))
    const { created, modified, moved, deleted } = output as Record<string, number>
    assert.deepEqual([created, modified, moved, deleted], [0, 0, 0, 0], `seed ${seed}: a fresh scan found more`)
  })

  it('random edits while it is being indexed for the first time', async () => {
    const f = await open()
    const seed = seedOfRun()
    await randomEdits(`${base}/tree`, { seed, count: 600 })
    const { location, job } = await f.locations.add(f.library, { path: `${base}/tree` as AbsPath })
    await randomEdits(`${base}/tree`, { seed: seed + 1, count: 400 })
    await f.jobs.outcome(job)
    const limit = setTimeout(() => assert.fail(`seed ${seed}: not the same after a while`), WAIT_MS)
    await f.until(() => f.same(location.id))
    clearTimeout(limit)
  })

  describe('what is refused', () => {
    it('the same folder twice, also by a link', async () => {
      const f = await open()
      await f.indexedFolder(`${base}/tree`)
      symlinkSync('tree', `${base}/link`)
      for (const path of ['tree', 'link', 'tree/a/..']) {
        await assert.rejects(f.locations.add(f.library, { path: `${base}/${path}` as AbsPath }), {
          code: 'LOCATION_EXISTS'
        })
      }
    })
    for (const [what, path, code] of [
      ['a file', 'tree/a/f.txt', 'NOT_A_FOLDER'],
      ['nothing', 'nowhere', 'NOT_FOUND'],
      ['a link that leads round', 'loop', 'NOT_FOUND'],
      ['our own data', 'data', 'LOCATION_OURS'],
      ['something in our own data', 'data/own', 'LOCATION_OURS'],
      ['our staging', 'tree/.spacedrive-tmp-x', 'LOCATION_OURS'],
      ['what we keep of a synced folder', 'tree/.spacedrive/versions', 'LOCATION_OURS']
    ] as const) {
      it(what, async () => {
        symlinkSync('loop', `${base}/loop`)
        mkdirSync(`${base}/tree/.spacedrive-tmp-x`)
        mkdirSync(`${base}/tree/.spacedrive/versions`, { recursive: true })
        writeFileSync(`${base}/tree/.spacedrive/root.json`, '{}')
        const f = await open()
        await assert.rejects(f.locations.add(f.library, { path: `${base}/${path}` as AbsPath }), { code })
        assert.deepEqual(await f.locations.list(f.library), [])
      })
    }
    it('what the kernel makes up', async () => {
      const f = await open()
      await assert.rejects(f.locations.add(f.library, { path: '/proc' as AbsPath }), { code: 'NO_VOLUME' })
    })
    it('rules that make no sense', async () => {
      const f = await open()
      for (const rules of [
        { maxSizeBytes: 0 },
        { maxSizeBytes: 1.5 },
        { extensions: ['a/b'] },
        { ignore: [''] },
        { ignore: ['a\nb'] }
      ]) {
        await assert.rejects(f.locations.add(f.library, { path: `${base}/tree` as AbsPath, rules }), {
          code: 'LOCATION_RULES'
        })
      }
    })
    if (process.getuid?.() !== 0) {
      it('a folder that this user may not read', async () => {
        mkdirSync(`${base}/private`)
        chmodSync(`${base}/private`, 0)
        const f = await open()
        await assert.rejects(f.locations.add(f.library, { path: `${base}/private` as AbsPath }), {
          code: 'NO_PERMISSION'
        })
      })
    }
  })

  it('a folder that goes is offline and keeps its entries; back, it goes on', async () => {
    const f = await open()
    const id = await f.indexedFolder(`${base}/tree`)
    renameSync(`${base}/tree`, `${base}/away`)
    await f.until(async () => (await f.info(id)).activity === 'offline')
    assert.equal(f.paths(id).length, 3)
    assert.equal((await f.info(id)).problem?.code, 'GONE')
    await assert.rejects(f.locations.rescan(id), { code: 'LOCATION_OFFLINE' })
    writeFileSync(`${base}/away/while`, 'x')
    renameSync(`${base}/away`, `${base}/tree`)
    await f.until(async () => (await f.info(id)).activity === 'idle' && f.same(id))
    assert.deepEqual(
      f.said.filter(e => e.type === 'location:offline' || e.type === 'location:online').map(e => e.type),
      ['location:offline', 'location:online']
    )
  })

  it('an empty folder in its place is no "everything was deleted"; one that holds something on the same disk is taken for it', async () => {
    const f = await open()
    const id = await f.indexedFolder(`${base}/tree`)
    rmSync(`${base}/tree`, { recursive: true })
    mkdirSync(`${base}/tree`)
    await f.until(async () => (await f.info(id)).problem?.code === 'EMPTY_PLACE')
    assert.equal(f.paths(id).length, 3)
    writeFileSync(`${base}/tree/fresh`, 'x')
    await f.until(() => f.paths(id).join() === 'fresh')
  })

  it('emptied by hand it is empty', async () => {
    const f = await open()
    const id = await f.indexedFolder(`${base}/tree`)
    rmSync(`${base}/tree/a`, { recursive: true })
    await f.until(() => f.paths(id).length === 0)
  })

  it('what changed while the program was off is seen at the next start', async () => {
    const first = await open()
    const id = await first.indexedFolder(`${base}/tree`)
    await first.close()
    opened.splice(0)
    writeFileSync(`${base}/tree/a/b/off`, 'x')
    rmSync(`${base}/tree/a/f.txt`)
    const second = await open()
    await second.until(() => second.same(id))
    assert.deepEqual(second.paths(id), ['a', 'a/b', 'a/b/off'])
  })

  it('a location inside another one shares its rows and its watch, and gets its own when the outer one goes', async () => {
    const f = await open()
    const outer = await f.indexedFolder(`${base}/tree`)
    const inner = await f.indexedFolder(`${base}/tree/a`)
    assert.equal((await f.info(inner)).watchedBy, 'outer')
    writeFileSync(`${base}/tree/a/b/x`, 'x')
    await f.until(() => f.same(inner) && f.same(outer))
    await f.locations.update(outer, { watch: false })
    await f.until(async () => (await f.info(inner)).watchedBy === 'folders')
    writeFileSync(`${base}/tree/a/b/y`, 'x')
    await f.until(() => f.same(inner))
    await f.locations.remove(outer)
    assert.ok(f.same(inner))
    assert.equal((await f.locations.list(f.library)).length, 1)
  })

  it('what no watch told is found by the look of every hour, without a job', async () => {
    const clock = jumpClock()
    const f = await open(clock)
    const id = await f.indexedFolder(`${base}/tree`, { watch: false })
    await f.until(async () => (await f.info(id)).activity === 'idle')
    writeFileSync(`${base}/tree/untold`, 'x')
    const jobs = f.jobs.list().length
    clock.jump(CHECK_INTERVAL_MS * (1 - CHECK_JITTER) - 60_000)
    assert.equal(f.same(id), false)
    clock.jump(CHECK_INTERVAL_MS * 2 * CHECK_JITTER + 120_000)
    await f.until(() => f.same(id))
    assert.equal(f.jobs.list().length, jobs)
  })

  it('update: watching off and on again, mode and rules look anew', async () => {
    const f = await open()
    const id = await f.indexedFolder(`${base}/tree`)
    await f.locations.update(id, { watch: false, name: 'Trees' })
    const info = await f.info(id)
    assert.deepEqual([info.name, info.watch, info.watchedBy, info.freshness], ['Trees', false, null, 'stale'])
    writeFileSync(`${base}/tree/unseen`, 'x')
    await f.locations.update(id, { watch: true })
    await f.until(() => f.same(id))
    const { job, location } = await f.locations.update(id, {
      rules: { extensions: ['.TXT', '*.md'], maxSizeBytes: 10 }
    })
    assert.deepEqual(location.rules.extensions, ['txt', 'md'])
    assert.equal((await f.jobs.outcome(job!)).state, 'completed')
    const again = await f.locations.update(id, { rules: { extensions: null, maxSizeBytes: null } })
    assert.equal(again.location.rules.extensions, undefined)
    assert.equal((await f.locations.update(id, { name: 'Same' })).job, null)
  })

  it('found by id, either end of it, name and path; two of one name are both named', async () => {
    const f = await open()
    const id = await f.indexedFolder(`${base}/tree`)
    mkdirSync(`${base}/other/tree`, { recursive: true })
    for (const which of [id, id.slice(0, 20), id.slice(-8), 'tree', `${base}/tree`]) {
      assert.equal(f.locations.find(which).id, id)
    }
    await f.indexedFolder(`${base}/other/tree`)
    assert.throws(() => f.locations.find('tree'), { code: 'AMBIGUOUS' })
    assert.throws(() => f.locations.find('nonesuch'), { code: 'LOCATION_NOT_FOUND' })
  })

  it('remove takes it out of the index and leaves the files', async () => {
    const f = await open()
    const id = await f.indexedFolder(`${base}/tree`)
    const { library } = f
    await f.locations.remove(id)
    assert.equal(library.database.get<{ n: number }>('SELECT count(*) AS n FROM entries')!.n, 0)
    assert.throws(() => f.locations.find(id), { code: 'LOCATION_NOT_FOUND' })
    assert.ok(f.said.some(e => e.type === 'location:removed'))
    const again = await f.indexedFolder(`${base}/tree`)
    assert.equal(f.paths(again).length, 3)
  })

  it('one that a sync stands on is not removed', async () => {
    const f = await open()
    const id = await f.indexedFolder(`${base}/tree`)
    await f.library.database.write(locating.stoodOn, { id })
    const { id: library } = f.library
    await f.libraries.close(library)
    await f.libraries.open(library)
    await f.until(() => f.locations.states().some(l => l.id === id))
    await assert.rejects(f.locations.remove(id), { code: 'LOCATION_IN_USE', hint: /sync list/ })
    assert.equal((await f.info(id)).files, 1)
  })

  it('a library that is closed lets go of its locations; open again they go on', async () => {
    const f = await open()
    const id = await f.indexedFolder(`${base}/tree`)
    const { id: library } = f.library
    await f.libraries.close(library)
    assert.deepEqual(await f.locations.list(), [])
    writeFileSync(`${base}/tree/closed`, 'x')
    await f.libraries.open(library)
    await f.until(() => f.library !== undefined && f.same(id))
  })

  it('a job that a person pauses stays so; rescan lets it go on', async () => {
    for (let i = 0; i < 3000; i++) writeFileSync(`${base}/tree/a/b/${i}`, `${i}`)
    const f = await open()
    const paused = new Promise<void>((resolve, reject) => {
      f.events.on('job:started', e => f.jobs.pause(e.job as JobId).then(resolve, reject))
    })
    const { location, job } = await f.locations.add(f.library, { path: `${base}/tree` as AbsPath })
    await paused
    await f.until(async () => (await f.info(location.id)).activity === 'paused')
    await f.close()
    opened.splice(0)
    const second = await open()
    await second.until(async () => (await second.info(location.id)).watchedBy !== null)
    assert.equal(second.jobs.info(job).state, 'paused')
    assert.equal(await second.locations.rescan(location.id), job)
    assert.equal((await second.jobs.outcome(job)).state, 'completed')
    await second.until(() => second.same(location.id))
  })
})
