import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RelPath, type WorkerPool, workerPool } from '../../../storage/base/index.js'
import { type Files, openFiles, ownerTag, type Staging, stagingWriter } from '../../../storage/files/index.js'
import { tempDir } from '../../temp.js'
import { pack } from './pack.js'

const rel = (path: string): RelPath => path as RelPath

describe('a staging place from within a task', () => {
  let pool: WorkerPool
  let files: Files
  let staging: Staging
  let dir: ReturnType<typeof tempDir>
  before(() => {
    pool = workerPool(2)
  })
  after(() => pool.close())
  beforeEach(async () => {
    dir = tempDir()
    files = openFiles({ pool, owner: ownerTag('one') })
    staging = await (await files.openRoot(dir.path)).openStaging(randomUUID())
  })
  afterEach(async () => {
    await files.close()
    dir.clean()
  })
  const staged = (path: string): string => join(staging.path, 'tree', path)

  it('removes what will not come whole, and nothing through a link', () => {
    const writer = stagingWriter(staging.handle)
    const { entries, data } = pack({ 'd/half': 'half', 'd/whole': 'whole' })
    writer.write(entries, data)
    writer.remove(rel('d/half'))
    writer.remove(rel('d/half'))
    writer.remove(rel('never/there'))
    assert.equal(existsSync(staged('d/half')), false)
    assert.equal(readFileSync(staged('d/whole'), 'utf8'), 'whole')
    mkdirSync(join(dir.path, 'outside'))
    writeFileSync(join(dir.path, 'outside/kept'), '')
    symlinkSync(join(dir.path, 'outside'), staged('way'))
    assert.throws(() => writer.remove(rel('way/kept')), { code: 'LINK_IN_PATH' })
    assert.equal(existsSync(join(dir.path, 'outside/kept')), true)
    writer.close()
  })

  it('a directory that has its final mode can be written into again', () => {
    const first = stagingWriter(staging.handle)
    first.write([{ kind: 'directory', path: rel('locked') }], new Uint8Array(0))
    assert.deepEqual(first.setDirectoryAttributes([{ path: rel('locked'), mode: 0o000 }]), [])
    first.close()
    const second = stagingWriter(staging.handle)
    const { entries, data } = pack({ 'locked/late': 'late' })
    assert.deepEqual(second.write([{ kind: 'directory', path: rel('locked') }, ...entries], data).problems, [])
    assert.equal(lstatSync(staged('locked')).mode & 0o777, 0o700)
    second.close()
  })
})
