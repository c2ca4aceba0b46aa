import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AbsPath, systemRandom, type WorkerPool, workerPool } from '../../../storage/base/index.js'
import { openFiles, ownerTag } from '../../../storage/files/index.js'
import { analyse, checkStaleness, indexPlaces } from '../../../sync/analysis/index.js'
import { openLocalEndpoint } from '../../../sync/endpoints/index.js'
import { type LocationsFixture, openLocations } from '../../storage/locations/fixture.js'
import { tempDir } from '../../temp.js'
import { lastWord } from './fixture.js'

describe('an analysis of a location that is watched', () => {
  const temp = tempDir()
  let f: LocationsFixture
  let pool: WorkerPool
  before(async () => {
    pool = workerPool(2)
    f = await openLocations(join(temp.path, 'instance') as AbsPath)
  })
  after(async () => {
    await f.close()
    await pool.close()
    temp.clean()
  })

  it('what came a moment ago is known from the index, because the watcher told', async () => {
    const tree = join(temp.path, 'tree') as AbsPath
    mkdirSync(join(tree, 'a/b'), { recursive: true })
    writeFileSync(join(tree, 'a/1'), 'x')
    const id = await f.indexedFolder(tree)
    writeFileSync(join(tree, 'a/b/new'), 'x')
    mkdirSync(join(tree, 'made'))
    writeFileSync(join(tree, 'made/2'), 'x')
    await f.until(() => f.same(id))
    const places = indexPlaces({ pool, libraries: f.libraries, locations: f.locations })
    const watched = async (): Promise<boolean> => (await places.placesOf(tree))[0]?.watched === true
    await f.until(watched)
    const facts = { fileSystem: 'ext4', network: false, timeStepNs: 1n }
    const check = async () => {
      const [place] = await places.placesOf(tree)
      return { place: place!, report: await checkStaleness({ pool, place: place!, facts }) }
    }
    await f.until(async () => (await check()).report.staleDirectories === 0)
    const { place, report } = await check()
    assert.deepEqual([report.fresh, report.confidence, report.reasons], [[''], 'medium', ['by-the-watcher']])
    assert.equal(places.locationsBelow(temp.path as AbsPath)[0]?.id, id)
    const files = openFiles({ pool, owner: ownerTag('watched') })
    const endpoint = await openLocalEndpoint({
      ...{ pool, files, path: tree, ours: () => [], trash: { put: async () => [] } },
      volumes: { volumeOf: async () => undefined }
    })
    const analysis = analyse({ endpoint, place, pool, random: systemRandom })
    const last = await lastWord(analysis)
    assert.deepEqual([...last.keys()], ['', 'a', 'a/1', 'a/b', 'a/b/new', 'made', 'made/2'])
    assert.ok([...last.values()].every(w => w.from === 'index'))
    assert.equal(analysis.summary().confidence, 'medium')
    await endpoint.close()
    await files.close()
  })
})
