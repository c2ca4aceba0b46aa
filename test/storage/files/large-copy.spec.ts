import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { join } from 'node:path'
import { type AbsPath, type RelPath, type WorkerPool, workerPool } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import { Copier, type Disk, type Files, nodeDisk, openFiles, ownerTag } from '../../../storage/files/index.js'
import { tempDir } from '../../temp.js'
import { SimulatedDisk } from './simulated-disk.js'

const MIB = 1024 * 1024
const rel = (path: string): RelPath => path as RelPath
const STAGED = rel('large/0/key')

/** A try to copy a file, cut short or not. */
interface Try {
  readonly found: number
  /** Bytes that were copied, without those found. */
  readonly copied: number
  readonly hash?: string | undefined
}

async function tryToCopy(
  copier: Copier,
  { everyBytes, strategy, stopAfter = Number.POSITIVE_INFINITY }: How & { stopAfter?: number }
): Promise<Try> {
  let found = 0
  let copied = 0
  const stop = new AbortController()
  try {
    const { hash } = await copier.stageFile(rel('f'), STAGED, {
      ...{ strategy, owner: false, xattrs: false },
      checkpoints: {
        everyBytes,
        found(bytes) {
          found = bytes
        }
      },
      async between(bytes) {
        copied += bytes
        if (copied >= stopAfter) stop.abort()
        stop.signal.throwIfAborted()
      }
    })
    return { found, copied, hash }
  } catch (err) {
    if (!stop.signal.aborted) throw err
    return { found, copied }
  }
}

interface How {
  readonly everyBytes: number
  readonly strategy: 'kernel' | 'stream'
}

describe('the copy of a large file goes on where the disk has it', () => {
  let pool: WorkerPool
  let files: Files
  let temp: ReturnType<typeof tempDir>
  let copier: Copier
  let stagedPath: string
  const source = (): string => join(temp.path, 'from/f')
  const content = Buffer.alloc(50 * MIB + 77)
  for (let at = 0; at + 4 < content.length; at += 4096) content.writeUInt32LE(at ^ 0x5bd1e995, at)
  before(() => {
    pool = workerPool(1)
  })
  after(() => pool.close())
  beforeEach(async () => {
    temp = tempDir()
    files = openFiles({ pool, owner: ownerTag('test') })
    const target = await files.openRoot(join(temp.path, 'to') as AbsPath, { create: true })
    await files.openRoot(join(temp.path, 'from') as AbsPath, { create: true })
    writeFileSync(source(), content, { mode: 0o440 })
    const { handle } = await files.openSource(join(temp.path, 'from') as AbsPath)
    const staging = await target.openStaging(randomUUID())
    stagedPath = join(staging.contentPath, STAGED)
    copier = new Copier(nodeDisk(), { source: handle, target: target.handle, staging: staging.handle })
  })
  afterEach(async () => {
    copier.close()
    await files.close()
    temp.clean()
  })
  const isWhole = (): void => assert.ok(readFileSync(stagedPath).equals(readFileSync(source())))

  for (const strategy of ['kernel', 'stream'] as const) {
    it(`${strategy}: nothing before the last checkpoint is copied twice`, async () => {
      const how = { everyBytes: 8 * MIB, strategy }
      const first = await tryToCopy(copier, { ...how, stopAfter: 30 * MIB })
      assert.equal(first.found, 0)
      const second = await tryToCopy(copier, { ...how, stopAfter: 1 })
      assert.ok(second.found >= first.copied - how.everyBytes, `${second.found} of ${first.copied}`)
      const third = await tryToCopy(copier, how)
      assert.ok(third.found >= second.found)
      assert.equal(third.found + third.copied, content.length)
      isWhole()
      if (strategy === 'stream') assert.equal(third.hash, hashBytes(content))
    })

    for (const [what, change] of [
      ['was written to', () => appendFileSync(source(), 'more')],
      ['has another time', () => utimesSync(source(), 5, 5)],
      [
        'is another file of that name',
        () => {
          copyFileSync(source(), `${source()}2`)
          renameSync(`${source()}2`, source())
        }
      ]
    ] as const) {
      it(`${strategy}: a source that ${what} meanwhile is copied anew`, async () => {
        const how = { everyBytes: 8 * MIB, strategy }
        await tryToCopy(copier, { ...how, stopAfter: 30 * MIB })
        change()
        const { found, copied } = await tryToCopy(copier, how)
        assert.deepEqual([found, copied], [0, readFileSync(source()).length])
        isWhole()
      })
    }
  }

  it('what lies there is compared with what was read, where a hash is wanted', async () => {
    const how = { everyBytes: 8 * MIB, strategy: 'stream' } as const
    await tryToCopy(copier, { ...how, stopAfter: 30 * MIB })
    const damaged = readFileSync(stagedPath)
    damaged[5 * MIB]! ^= 1
    writeFileSync(stagedPath, damaged)
    const { found, hash } = await tryToCopy(copier, how)
    assert.deepEqual([found, hash], [0, hashBytes(content)])
    isWhole()
  })

  it('what is written to while it is copied is not copied, also where its size and time are put back', async () => {
    utimesSync(source(), 1_000, 1_000)
    const { ctimeNs } = lstatSync(source(), { bigint: true })
    let written = false
    const between = async (): Promise<void> => {
      if (written) return
      written = true
      do {
        const fd = openSync(source(), 'r+')
        for (const at of [0, 40 * MIB]) writeSync(fd, 'edited', at)
        closeSync(fd)
        utimesSync(source(), 1_000, 1_000)
      } while (lstatSync(source(), { bigint: true }).ctimeNs <= ctimeNs)
    }
    const how = { owner: false, xattrs: false, strategy: 'stream' } as const
    await assert.rejects(copier.stageFile(rel('f'), STAGED, { ...how, between }), { code: 'CHANGED' })
    assert.ok(written)
    assert.deepEqual(readdirSync(join(stagedPath, '..')), [])
  })

  it('an error leaves nothing of it, a file that is no larger than a checkpoint leaves nothing either', async () => {
    const how = { everyBytes: 8 * MIB, strategy: 'kernel' } as const
    const failing = { owner: false, xattrs: false, strategy: 'kernel' } as const
    let n = 0
    const between = async (bytes: number): Promise<void> => {
      n += bytes
      if (n > 20 * MIB) appendFileSync(source(), 'x')
    }
    const checkpoints = { everyBytes: how.everyBytes, found() {} }
    await assert.rejects(copier.stageFile(rel('f'), STAGED, { ...failing, checkpoints, between }), { code: 'CHANGED' })
    assert.deepEqual(readdirSync(join(stagedPath, '..')), [])
    await tryToCopy(copier, { ...how, everyBytes: 80 * MIB, stopAfter: 30 * MIB })
    assert.deepEqual(readdirSync(join(stagedPath, '..')), [])
  })
})

describe('the copy of a large file, when the power goes after each operation', () => {
  const content = Buffer.alloc(3 * MIB + 5)
  for (let at = 0; at < content.length; at++) content[at] = (at >> 12) ^ at
  let pool: WorkerPool
  before(() => {
    pool = workerPool(1)
  })
  after(() => pool.close())

  it('what is found is what was written, and the end is whole', async () => {
    let resumed = 0
    let done = false
    for (let at = 1; !done; at++) {
      const disk = new SimulatedDisk()
      prepare(disk)
      const id = randomUUID()
      disk.cutAt = at
      done = await onDisk(disk, id).then(
        () => true,
        () => false
      )
      disk.powerCut(randomFrom(at))
      const { found, hash } = await onDisk(disk, id)
      if (found > 0) resumed++
      assert.equal(hash, hashBytes(content))
      assert.ok(staged(disk, id).equals(content), `cut at ${at}`)
    }
    assert.ok(resumed > 4, `${resumed} went on`)
  })

  async function onDisk(disk: Disk, id: string): Promise<Try> {
    const files = openFiles({ pool, owner: ownerTag('test'), disk })
    const target = await files.openRoot('/to' as AbsPath)
    const staging = await target.openStaging(id)
    const { handle } = await files.openSource('/from' as AbsPath)
    const copier = new Copier(disk, { source: handle, target: target.handle, staging: staging.handle })
    return tryToCopy(copier, { everyBytes: MIB, strategy: 'stream' })
  }

  function prepare(disk: SimulatedDisk): void {
    const top = disk.openRoot('/')
    for (const name of ['from', 'to']) disk.makeDir(top, name, 0o755)
    const from = disk.openRoot('/from')
    const fd = disk.open(from, 'f', 'create', 0o440)
    disk.write(fd, content, 0)
    for (const handle of [fd, from, top]) disk.sync(handle)
  }

  function staged(disk: SimulatedDisk, id: string): Buffer {
    const to = disk.openRoot('/to')
    const place = disk.list(to).find(name => name.includes(id))!
    const fd = disk.open(disk.openRoot(`/to/${place}/tree/large/0`), 'key', 'read')
    const into = Buffer.alloc(disk.stat(fd).sizeBytes)
    disk.read(fd, into, 0)
    return into
  }
})

/** A small generator with a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
