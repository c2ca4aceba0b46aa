import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AbsPath, type RelPath, workerPool } from '../../../storage/base/index.js'
import { type CopiedFile, Copier, type Disk, nodeDisk, openFiles, ownerTag } from '../../../storage/files/index.js'
import { tempDir } from '../../temp.js'

const SIZE = 300_000

/** The real disk, on which files share their blocks as told: `clone` is what the system answers. */
function sharing(clone: (disk: Disk, from: number, to: number) => void): Disk {
  const disk = nodeDisk()
  return { ...disk, quick: disk.quick && { ...disk.quick, clone: (from, to) => clone(disk, from, to) } }
}

function answers(code: string): () => never {
  return () => {
    throw Object.assign(new Error(code), { code })
  }
}

async function copied(disk: Disk): Promise<{ result: CopiedFile; content: Buffer; mode: number; mtimeMs: number }> {
  const temp = tempDir()
  const pool = workerPool(1)
  const files = openFiles({ pool, owner: ownerTag('test') })
  try {
    mkdirSync(join(temp.path, 'from'))
    writeFileSync(join(temp.path, 'from/f'), Buffer.alloc(SIZE, 'shared'), { mode: 0o640 })
    const root = await files.openRoot(join(temp.path, 'to') as AbsPath, { create: true })
    const staging = await root.openStaging(randomUUID())
    const source = await files.openSource(join(temp.path, 'from') as AbsPath)
    const copier = new Copier(disk, { source: source.handle, target: root.handle, staging: staging.handle })
    const how = { strategy: 'reflink', owner: false, xattrs: false, mtimeNs: 5_000_000_000n } as const
    const result = await copier.stageFile('f' as RelPath, 's' as RelPath, { ...how, between: async () => {} })
    copier.close()
    const path = join(staging.contentPath, 's')
    const { mode, mtimeMs } = statSync(path)
    return { result, content: readFileSync(path), mode: mode & 0o777, mtimeMs }
  } finally {
    await files.close()
    await pool.close()
    temp.clean()
  }
}

const native = nodeDisk().quick === undefined ? undefined : describe
if (native === undefined)
  process.stderr.write('\n  NOT RUN: "a copy that shares blocks": there is no call for it here\n\n')
native?.('a copy that shares blocks', () => {
  it('is made by one call where the file system can', async () => {
    let calls = 0
    const disk = sharing((real, from, to) => {
      calls++
      assert.equal(real.quick!.copyRange(from, to, 0, SIZE), SIZE)
    })
    const { result, content, mode, mtimeMs } = await copied(disk)
    assert.deepEqual([result.strategy, calls], ['reflink', 1])
    assert.ok(content.equals(Buffer.alloc(SIZE, 'shared')))
    assert.deepEqual([mode, mtimeMs], [0o640, 5000])
  })

  for (const code of ['EOPNOTSUPP', 'EXDEV', 'EINVAL', 'ENOTTY', 'EPERM', 'EIO']) {
    it(`${code}: it cannot, and the kernel copies`, async () => {
      const { result, content } = await copied(sharing(answers(code)))
      assert.equal(result.strategy, 'kernel')
      assert.ok(content.equals(Buffer.alloc(SIZE, 'shared')))
    })
  }

  it('a full disk is none of these', async () => {
    await assert.rejects(copied(sharing(answers('ENOSPC'))), { code: 'NO_SPACE' })
  })
})
