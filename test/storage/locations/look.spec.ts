import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import type { AbsPath, JobId, RelPath } from '../../../storage/base/index.js'
import { tempDir } from '../../temp.js'
import { type LocationsFixture, openLocations } from './fixture.js'

describe('a look at a part of a location', () => {
  const dir = tempDir()
  const tree = `${dir.path}/tree`
  let f: LocationsFixture
  before(async () => {
    mkdirSync(`${tree}/a/deep/er`, { recursive: true })
    mkdirSync(`${tree}/b`)
    f = await openLocations(dir.path as AbsPath)
  })
  after(async () => {
    await f.close()
    dir.clean()
  })

  const ended = async (job: JobId) => {
    const { state } = await f.jobs.outcome(job)
    const { kind, title, output } = f.jobs.info(job)
    const { created, deleted } = output as { created: number; deleted: number }
    return { state, kind, title, created, deleted }
  }

  it('records what changed there and nothing else, and does not count as a look at the whole', async () => {
    const id = await f.indexedFolder(tree, { watch: false })
    const { lastScanAt } = await f.info(id)
    for (const at of ['a', 'a/deep', 'a/deep/er', 'b']) writeFileSync(`${tree}/${at}/new`, at)
    const from = 'a' as RelPath
    const first = await ended(await f.locations.look(id, { from, scope: 'current' }))
    assert.deepEqual(first, { state: 'completed', kind: 'index-folder', title: 'index tree/a', created: 1, deleted: 0 })
    assert.equal((await ended(await f.locations.look(id, { from, maxDepth: 1 }))).created, 1)
    assert.equal((await ended(await f.locations.look(id, { from }))).created, 1)
    assert.deepEqual(
      f.paths(id).filter(p => p.endsWith('new')),
      ['a/deep/er/new', 'a/deep/new', 'a/new']
    )
    assert.equal((await f.info(id)).lastScanAt, lastScanAt)
    rmSync(`${tree}/a`, { recursive: true })
    assert.equal((await ended(await f.locations.look(id, { from }))).deleted, 6)
    const whole = await f.locations.look(id, { force: true })
    assert.deepEqual(await ended(whole), {
      ...{ state: 'completed', kind: 'index-location', title: 'index tree', created: 1, deleted: 0 }
    })
    await f.until(() => f.same(id))
  })

  it('waits while its library is closed, and goes on when it is open again', async () => {
    const { id } = (await f.locations.list())[0]!
    writeFileSync(`${tree}/b/later`, 'x')
    const { id: library } = f.library
    const started = new Promise<void>(resolve => f.events.on('job:started', () => resolve()))
    const job = await f.locations.look(id, { from: 'b' as RelPath, mode: 'content', force: true })
    await started
    await f.libraries.close(library)
    if (f.jobs.summary(job).state !== 'completed') assert.equal(f.jobs.summary(job).state, 'paused')
    await f.libraries.open(library)
    assert.equal((await ended(job)).state, 'completed')
  })

  it('by name from JSON: a path that leads out of the location is refused', async () => {
    const { id } = (await f.locations.list())[0]!
    const input = { library: f.library.id, location: id, name: 'x', mode: 'shallow', scope: 'recursive' }
    for (const from of ['..', '/etc', 'b/../..']) {
      await assert.rejects(f.jobs.dispatchByName('index-folder', { ...input, from }), { code: 'JOB_INPUT' })
    }
  })
})
