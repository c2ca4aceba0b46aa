import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type AbsPath, type RelPath, type WorkerPool, workerPool } from '../../../storage/base/index.js'
import { Copier, isTempName, openFiles, ownerTag } from '../../../storage/files/index.js'
import { randomFrom } from '../../random.js'
import { SimulatedDisk } from '../../storage/files/simulated-disk.js'

const NAMES = Array.from({ length: 20 }, (_, i) => `f${i}`)
const content = (name: string): string => `${name}|`.repeat(2_500)
const rel = (path: string): RelPath => path as RelPath

describe('copy: the power goes after each operation', () => {
  let pool: WorkerPool
  before(() => {
    pool = workerPool(1)
  })
  after(() => pool.close())

  for (const [title, init] of [
    ['one sync of the whole', {}],
    ['each file synced', { syncAll: false }],
    ['no rename that refuses to replace', { noReplace: false }]
  ] as const) {
    it(`a name holds its whole content or is not there, and the source is as it was (${title})`, async () => {
      let cut = 0
      for (let at = 3; ; at += 3) {
        const disk = prepared(init)
        disk.cutAt = at
        const done = await copy(disk, pool).then(
          () => true,
          () => false
        )
        disk.powerCut(randomFrom(at))
        check(disk, done)
        if (done) break
        cut++
      }
      assert.ok(cut > 20, `cut at ${cut} places`)
    })
  }
})

function prepared(init: ConstructorParameters<typeof SimulatedDisk>[0]): SimulatedDisk {
  const disk = new SimulatedDisk(init)
  const top = disk.openRoot('/')
  for (const name of ['from', 'to']) disk.makeDir(top, name, 0o755)
  const from = disk.openRoot('/from')
  for (const name of NAMES) {
    const fd = disk.open(from, name, 'create', 0o644)
    disk.write(fd, Buffer.from(content(name)), 0)
    disk.sync(fd)
    disk.close(fd)
  }
  for (const path of ['/', '/from', '/to']) disk.sync(disk.openRoot(path))
  return disk
}

/** As the job does it: two batches staged and named, then all of it on the disk. */
async function copy(disk: SimulatedDisk, pool: WorkerPool): Promise<void> {
  const files = openFiles({ pool, owner: ownerTag('test'), disk })
  const root = await files.openRoot('/to' as AbsPath)
  const staging = await root.openStaging(randomUUID())
  const { handle } = await files.openSource('/from' as AbsPath)
  const copier = new Copier(disk, { source: handle, target: root.handle, staging: staging.handle })
  copier.makeTarget(rel('in'), 0o755)
  for (const half of [NAMES.slice(0, 16), NAMES.slice(16)]) {
    const list = half.map(name => ({ staged: rel(`new/${name}`), path: rel(`in/${name}`) }))
    for (const [i, { staged }] of list.entries()) {
      const how = { strategy: 'stream', owner: false, xattrs: false, between: async () => {} } as const
      await copier.stageFile(rel(half[i]!), staged, how)
    }
    assert.deepEqual(await staging.placeNew(list, { durable: true }), [])
  }
  await root.sync()
}

function check(disk: SimulatedDisk, done: boolean): void {
  for (const name of NAMES) assert.equal(read(disk, '/from', name), content(name))
  const to = disk.list(disk.openRoot('/to')).filter(name => !isTempName(name))
  const there = to.includes('in') ? disk.list(disk.openRoot('/to/in')) : []
  for (const name of there) assert.equal(read(disk, '/to/in', name), content(name), `${name} is not whole`)
  if (done) assert.deepEqual(there.sort(), [...NAMES].sort())
}

function read(disk: SimulatedDisk, folder: string, name: string): string {
  const fd = disk.open(disk.openRoot(folder), name, 'read')
  const into = Buffer.alloc(disk.stat(fd).sizeBytes)
  disk.read(fd, into, 0)
  return into.toString()
}
