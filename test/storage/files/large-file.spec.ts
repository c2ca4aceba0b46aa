import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { appendFileSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FileName, type RelPath, ROOT, type WorkerPool, workerPool } from '../../../storage/base/index.js'
import { hashBytes, PIECE_BYTES } from '../../../storage/content/index.js'
import { type FileRoot, type Files, openFiles, ownerTag, type Staging } from '../../../storage/files/index.js'
import { tempDir } from '../../temp.js'

const FILE = 'big' as RelPath
const content = Buffer.alloc(3 * PIECE_BYTES + 77)
for (let i = 0, x = 1; i < content.length; i++) content[i] = x = (x * 167 + 13) & 255
const sizeBytes = content.length
const hash = hashBytes(content)
const chunk = (from: number, to: number): Uint8Array => new Uint8Array(content.subarray(from, to))

describe('a large file in chunks', () => {
  let pool: WorkerPool
  let files: Files
  let root: FileRoot
  let staging: Staging
  let dir: ReturnType<typeof tempDir>
  before(() => {
    pool = workerPool(2)
  })
  after(() => pool.close())
  beforeEach(async () => {
    dir = tempDir()
    files = openFiles({ pool, owner: ownerTag('one') })
    root = await files.openRoot(dir.path)
    staging = await root.openStaging(randomUUID())
  })
  afterEach(async () => {
    await files.close()
    dir.clean()
  })
  const staged = (): string => join(staging.path, 'tree', FILE)

  it('chunks sent without waiting are written in order', async () => {
    const file = await staging.openFile(FILE, { sizeBytes })
    const sent: Promise<void>[] = []
    for (let i = 0; i < sizeBytes; i += 100_000) sent.push(file.append(chunk(i, i + 100_000)))
    await Promise.all(sent)
    assert.deepEqual(await file.finish({ hash, mode: 0o600, mtimeNs: 3n }), { hash })
    await staging.moveInto(ROOT, [{ from: 'big' as FileName }])
    assert.ok(readFileSync(join(dir.path, 'big')).equals(content))
    assert.equal(lstatSync(join(dir.path, 'big'), { bigint: true }).mtimeNs, 3n)
  })
  it('resumes where it was closed, says what is there, and meanwhile how much of it was read', async () => {
    const first = await staging.openFile(FILE, { sizeBytes })
    await first.append(chunk(0, 2 * PIECE_BYTES + 5))
    await first.close()
    const read: number[] = []
    const second = await staging.openFile(FILE, { sizeBytes, onBytes: bytes => void read.push(bytes) })
    assert.equal(second.positionBytes, 2 * PIECE_BYTES + 5)
    assert.deepEqual(read, [PIECE_BYTES, PIECE_BYTES, 5])
    assert.equal(await second.prefixHash(), hashBytes(content.subarray(0, second.positionBytes)))
    await second.append(chunk(second.positionBytes, sizeBytes))
    assert.deepEqual(await second.finish({ hash }), { hash })
  })
  it('a hole takes no place on the disk and counts in the hash', async () => {
    const hole = 8 * PIECE_BYTES + 3
    const sparse = Buffer.concat([content, Buffer.alloc(hole), content, Buffer.alloc(hole)])
    const first = await staging.openFile(FILE, { sizeBytes: sparse.length })
    await first.append(chunk(0, sizeBytes))
    await first.appendHole(hole)
    await first.close()
    const second = await staging.openFile(FILE, { sizeBytes: sparse.length })
    assert.equal(second.positionBytes, sizeBytes + hole)
    void second.append(chunk(0, sizeBytes))
    await second.appendHole(hole)
    await assert.rejects(second.appendHole(1), { code: 'SIZE_EXCEEDED' })
    assert.deepEqual(await second.finish({}), { hash: hashBytes(sparse) })
    assert.ok(readFileSync(staged()).equals(sparse))
    assert.ok(lstatSync(staged()).blocks * 512 < sizeBytes * 2 + PIECE_BYTES)
  })
  it('a prefix that is not the sender`s begins again', async () => {
    const first = await staging.openFile(FILE, { sizeBytes })
    await first.append(new Uint8Array(1000))
    await first.restart()
    assert.equal(first.positionBytes, 0)
    await first.append(chunk(0, sizeBytes))
    assert.deepEqual(await first.finish({ hash }), { hash })
    assert.ok(readFileSync(staged()).equals(content))
  })
  it('not a byte more than announced is taken, and the file can go on', async () => {
    const file = await staging.openFile(FILE, { sizeBytes })
    await assert.rejects(file.append(new Uint8Array(sizeBytes + 1)), { code: 'SIZE_EXCEEDED' })
    await file.append(chunk(0, sizeBytes))
    await assert.rejects(file.append(new Uint8Array(1)), { code: 'SIZE_EXCEEDED' })
    assert.deepEqual(await file.finish({ hash }), { hash })
  })
  it('one that is incomplete or other than announced is not finished', async () => {
    const file = await staging.openFile(FILE, { sizeBytes })
    await file.append(chunk(0, sizeBytes - 1))
    await assert.rejects(file.finish({ hash }), { code: 'INCOMPLETE' })
    await file.append(new Uint8Array([content.at(-1)! ^ 1]))
    await assert.rejects(file.finish({ hash }), { code: 'HASH_MISMATCH' })
    assert.equal(file.positionBytes, 0)
    assert.equal(lstatSync(staged()).size, 0)
  })
  it('what lies there beyond the announced size is not continued', async () => {
    const first = await staging.openFile(FILE, { sizeBytes })
    await first.append(chunk(0, 10))
    await first.close()
    appendFileSync(staged(), content)
    const second = await staging.openFile(FILE, { sizeBytes })
    assert.equal(second.positionBytes, 0)
  })
  it('an empty file is a file', async () => {
    const file = await staging.openFile(FILE, { sizeBytes: 0 })
    assert.deepEqual(await file.finish({}), { hash: hashBytes(new Uint8Array(0)) })
  })
  it('after close it takes nothing, and closing the staging place closes it', async () => {
    const file = await staging.openFile(FILE, { sizeBytes })
    await staging.close()
    await assert.rejects(file.append(chunk(0, 1)), { code: 'STOPPED' })
    await file.close()
    writeFileSync(staged(), content)
  })
  it('an aborted signal ends the writer with its reason and keeps what is there', async () => {
    const controller = new AbortController()
    const file = await staging.openFile(FILE, { sizeBytes, signal: controller.signal })
    await file.append(chunk(0, 5))
    const reason = new Error('enough')
    controller.abort(reason)
    await file.close()
    await assert.rejects(file.append(chunk(5, 6)), reason)
    assert.equal((await staging.openFile(FILE, { sizeBytes })).positionBytes, 5)
  })
})
