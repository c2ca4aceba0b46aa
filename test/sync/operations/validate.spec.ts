import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync, rmSync, utimesSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { AbsPath, JobId } from '../../../storage/base/index.js'
import type { JobInfo } from '../../../storage/jobs/index.js'
import { canMount, mountImage, type TestImage } from '../../mounts.js'
import { tempDir } from '../../temp.js'
import { untilVouched } from '../../vouched.js'
import { type OperationsFixture, openOperations } from './fixture.js'

/** Indexes a folder that nobody watches, late enough that the stats vouch for the hashes. */
async function index({ peer, ended }: OperationsFixture, path: string): Promise<void> {
  const library = peer.libraries.findCurrent() ?? (await peer.libraries.create({ name: 'Mine' }))
  await untilVouched(path)
  const { job } = await peer.locations.add(library, { path: path as AbsPath, watch: false })
  assert.equal((await ended(job)).state, 'completed')
}

async function validate({ peer, ended }: OperationsFixture, ...paths: string[]): Promise<JobInfo> {
  return ended((await peer.operations.validate(paths)) as JobId)
}

describe('validation', () => {
  let fixture: OperationsFixture
  beforeEach(async () => {
    fixture = await openOperations()
  })
  afterEach(() => fixture.close())

  it('whole files are whole, edits are edits, files without a record are said to be', async () => {
    fixture.write({ 'in/same': 'same', 'in/edited': 'before', 'in/sneaky': 'before', 'in/gone': 'x', out: 'out' })
    await index(fixture, fixture.at('in'))
    writeFileSync(fixture.at('in/edited'), 'longer than before')
    writeFileSync(fixture.at('in/sneaky'), 'erofeb') // size and mtime as before: ctime tells
    utimesSync(fixture.at('in/sneaky'), 1_000, 1_000)
    rmSync(fixture.at('in/gone'))
    const { state, output } = await validate(fixture, fixture.dir)
    assert.equal(state, 'completed')
    assert.deepEqual(output, { whole: 1, corrupt: 0, changed: 2, unreadable: 0, unrecorded: 1, bytes: 4 })
  })

  it('a file alone, and a folder that is not there', async () => {
    fixture.write({ 'in/a': 'a', 'in/b': 'b' })
    await index(fixture, fixture.at('in'))
    assert.equal((await validate(fixture, fixture.at('in/a'))).output?.['whole' as never], 1)
    await assert.rejects(validate(fixture, fixture.at('nothing')), { code: 'NOT_FOUND' })
  })
})

canMount('validation of a disk that forgets', () => {
  let fixture: OperationsFixture
  let image: TestImage
  const disk = tempDir()
  before(async () => {
    fixture = await openOperations()
    image = mountImage('ext4', 16)
  })
  after(async () => {
    await fixture.close()
    image.clean()
    disk.clean()
  })

  it('other bytes under the same size and times are corruption: told, noted at the entry, and gone with the next whole read', async () => {
    const place = disk.path
    image.mount(place)
    const mark = 'bytes that the disk shall forget '
    writeFileSync(join(place, 'photo'), mark.repeat(1_000))
    writeFileSync(join(place, 'other'), 'other')
    await index(fixture, place)

    const flip = async (from: string, to: string): Promise<void> => {
      await image.unmount()
      const bytes = readFileSync(image.file)
      const at = bytes.indexOf(from.repeat(20)) + from.length
      assert.ok(at >= from.length)
      const fd = openSync(image.file, 'r+')
      writeSync(fd, to, at)
      closeSync(fd)
      image.mount(place)
    }
    await flip(mark, 'B')
    const { state, output, problemList } = await validate(fixture, place)
    assert.equal(state, 'completed-with-problems')
    assert.equal((output as { corrupt: number }).corrupt, 1)
    assert.deepEqual(
      problemList.map(p => [p.path, p.code]),
      [[join(place, 'photo'), 'CORRUPT']]
    )
    assert.equal((await problemOf(fixture, join(place, 'photo')))?.code, 'CORRUPT')
    assert.equal(await problemOf(fixture, join(place, 'other')), null)

    await image.unmount()
    const bytes = readFileSync(image.file)
    const fd = openSync(image.file, 'r+')
    writeSync(fd, 'b', bytes.indexOf(`${mark}B`) + mark.length)
    closeSync(fd)
    image.mount(place)
    assert.equal((await validate(fixture, place)).state, 'completed')
    assert.equal(await problemOf(fixture, join(place, 'photo')), null)
  })
})

async function problemOf({ peer }: OperationsFixture, path: string): Promise<{ code: string } | null> {
  const { fileInfo } = await import('../../../node/operations/file-info.js')
  const context = { peer, signal: new AbortController().signal, emit: () => {} }
  return (await fileInfo.run(context, fileInfo.input.parse({ path }))).problem
}
