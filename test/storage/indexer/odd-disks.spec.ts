import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { type AbsPath, type WorkerPool, workerPool } from '../../../storage/base/index.js'
import { DEFAULT_RULES } from '../../../storage/indexer/index.js'
import { canMount, mountImage, type TestImage } from '../../mounts.js'
import { tempDir } from '../../temp.js'
import { applyEdit, type Edit, edits } from './edits.js'
import { type IndexFixture, indexed, indexFixture, onDisk } from './index-fixture.js'

const RULES = { ...DEFAULT_RULES, hidden: true }

/** A pool whose looks at a root say what those at FAT, SMB or FUSE say: inode numbers do not last. */
function withoutInodes(pool: WorkerPool): WorkerPool {
  return {
    ...pool,
    get size() {
      return pool.size
    },
    async run(task, input, options) {
      const result = await pool.run(task, input, options)
      return typeof result === 'object' && result !== null && 'nameless' in result
        ? { ...result, nameless: true }
        : result
    }
  } as WorkerPool
}

/** After each round of edits the index holds what the disk holds, as far as that disk can tell one file from another. */
async function check(
  f: IndexFixture,
  root: string,
  rounds: readonly (readonly Edit[])[],
  inodes: boolean
): Promise<void> {
  mkdirSync(root)
  const location = await f.location(root, { rules: RULES })
  const comparable = (rows: Map<string, Record<string, unknown>>) =>
    [...rows].map(([path, row]) => [path, inodes ? row : { ...row, inode: undefined }]).sort()
  await f.indexer.index({ library: f.library, location })
  let serial = 0
  for (const round of rounds) {
    for (const edit of round) applyEdit(root, edit, serial++)
    await f.indexer.index({ library: f.library, location })
    assert.deepEqual(comparable(indexed(f.library, location)), comparable(onDisk(root)))
    assert.deepEqual(f.library.database.all('SELECT * FROM limbo'), [])
  }
  const { created, modified, moved, deleted } = await f.indexer.index({ library: f.library, location, force: true })
  assert.deepEqual([created, modified, moved, deleted], [0, 0, 0, 0], 'a fresh look finds nothing to correct')
}

const rounds = fc.array(edits(), { minLength: 1, maxLength: 3 })

describe('the index on disks that tell less', () => {
  it('inode numbers that do not last: random edits are found by name', async () => {
    const pool = workerPool(2)
    const f = await indexFixture({ pool: withoutInodes(pool) })
    let n = 0
    try {
      await fc.assert(
        fc.asyncProperty(rounds, r => check(f, join(f.tree, `t${n++}`), r, false)),
        { numRuns: 15 }
      )
      assert.deepEqual(f.library.database.all('SELECT 1 FROM entries WHERE parent > 0 AND inode <> 0'), [])
    } finally {
      await f.close()
      await pool.close()
    }
  })
})

canMount('the index on small disks of its own', () => {
  let image: TestImage
  let place: ReturnType<typeof tempDir>
  const mounted = (...mkfs: string[]): AbsPath => {
    image = mountImage('ext4', 48, ...mkfs)
    image.mount(place.path)
    return place.path
  }
  beforeEach(() => {
    place = tempDir('sd-small-')
  })
  afterEach(() => {
    image.clean()
    place.clean()
  })

  it('no times of birth and whole seconds: random edits, inodes given to other files at once', async () => {
    const f = await indexFixture({ dir: mounted('-I', '128') })
    let n = 0
    try {
      await fc.assert(
        fc.asyncProperty(rounds, r => check(f, join(f.tree, `t${n++}`), r, true)),
        { numRuns: 15 }
      )
    } finally {
      await f.close()
    }
  })

  it('a disk that is full while it is indexed: said in words, nothing lost, and it goes on when there is room', async () => {
    const f = await indexFixture({ dir: mounted() })
    const ballast = `${place.path}/ballast`
    try {
      for (let d = 0; d < 30; d++) {
        mkdirSync(`${f.tree}/d${d}`)
        for (let i = 0; i < 100; i++) writeFileSync(`${f.tree}/d${d}/a name that takes some room in the index ${i}`, '')
      }
      const location = await f.location()
      await f.indexer.index({ library: f.library, location, from: 'd0' as never })
      const before = indexed(f.library, location)
      assert.throws(() => {
        for (;;) appendFileSync(ballast, Buffer.alloc(4096))
      }, /ENOSPC/)
      await assert.rejects(f.indexer.index({ library: f.library, location }), { code: 'NO_SPACE' })
      const after = indexed(f.library, location)
      for (const [path, row] of before) if (path.startsWith('d0/')) assert.deepEqual(after.get(path), row)
      rmSync(ballast)
      await f.indexer.index({ library: f.library, location })
      assert.deepEqual(indexed(f.library, location), onDisk(f.tree))
      assert.equal((await f.library.check()).ok, true)
    } finally {
      rmSync(ballast, { force: true })
      await f.close()
    }
  })
})
