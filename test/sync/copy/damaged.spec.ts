import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { type AbsPath, type RelPath, workerPool } from '../../../storage/base/index.js'
import { Copier, type Disk, isFatal, nodeDisk, openFiles, ownerTag } from '../../../storage/files/index.js'
import { canMount, mountImage } from '../../mounts.js'
import { tempDir } from '../../temp.js'
import { openCopies } from './fixture.js'
import { file, makeTree, readTree } from './trees.js'

const DEBUGFS = '/usr/sbin/debugfs'

/** Bytes that a disk still reads before it comes to the damaged place. */
const READABLE = 300_000

function eio(): never {
  throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
}

/** The real disk; of one file (all others are smaller) only the beginning can be read. */
function damaged(): Disk {
  const disk = nodeDisk()
  const { quick } = disk
  return {
    ...disk,
    read: (fd, into, at) => (at + into.length > READABLE ? eio() : disk.read(fd, into, at)),
    quick: quick && {
      ...quick,
      copyRange: (from, to, at, length) => (at + length > READABLE ? eio() : quick.copyRange(from, to, at, length))
    }
  }
}

describe('copy: a damaged place of the disk', () => {
  for (const strategy of ['kernel', 'stream'] as const) {
    it(`${strategy}: is the problem of the file that lies there, and leaves nothing of it`, async () => {
      const temp = tempDir()
      const pool = workerPool(1)
      const files = openFiles({ pool, owner: ownerTag('test') })
      try {
        makeTree(temp.path, { 'from/good': file('good'), 'from/bad': file('b'.repeat(2 * READABLE)) })
        const root = await files.openRoot(`${temp.path}/to` as AbsPath, { create: true })
        const staging = await root.openStaging(randomUUID())
        const source = await files.openSource(`${temp.path}/from` as AbsPath)
        const ends = { source: source.handle, target: root.handle, staging: staging.handle }
        const copier = new Copier(damaged(), ends)
        const how = { strategy, owner: false, xattrs: false, between: async () => {} }
        const failed = await copier.stageFile('bad' as RelPath, '0' as RelPath, how).catch(err => err as Error)
        assert.equal((failed as { code?: string }).code, 'READ_ERROR')
        assert.match((failed as Error).message, /could not copy bad/)
        assert.equal(isFatal(failed), false)
        assert.equal((await copier.stageFile('good' as RelPath, '1' as RelPath, how)).stat.sizeBytes, 4)
        await assert.rejects(copier.hash('source', 'bad' as RelPath), { code: 'READ_ERROR' })
        assert.deepEqual(readdirSync(staging.contentPath), ['1'])
        copier.close()
      } finally {
        await files.close()
        await pool.close()
        temp.clean()
      }
    })
  }

  it('an error of the disk that is written to concerns all of it', async () => {
    const temp = tempDir()
    const pool = workerPool(1)
    const files = openFiles({ pool, owner: ownerTag('test') })
    try {
      makeTree(temp.path, { 'from/f': file('b'.repeat(2 * READABLE)) })
      const root = await files.openRoot(`${temp.path}/to` as AbsPath, { create: true })
      const staging = await root.openStaging(randomUUID())
      const source = await files.openSource(`${temp.path}/from` as AbsPath)
      const disk = nodeDisk()
      const broken = { ...disk, write: eio, quick: disk.quick && { ...disk.quick, copyRange: eio } }
      const ends = { source: source.handle, target: root.handle, staging: staging.handle }
      const copier = new Copier(broken, ends)
      for (const strategy of ['kernel', 'stream'] as const) {
        const how = { strategy, owner: false, xattrs: false, between: async () => {} }
        const failed = await copier.stageFile('f' as RelPath, '0' as RelPath, how).catch(err => err as Error)
        assert.equal((failed as { code?: string }).code, 'DISK_ERROR')
        assert.equal(isFatal(failed), true)
      }
      copier.close()
    } finally {
      await files.close()
      await pool.close()
      temp.clean()
    }
  })
})

const canDamage = existsSync(DEBUGFS) ? canMount : undefined
if (canDamage === undefined) process.stderr.write('\n  NOT RUN: "copy: from a damaged disk": debugfs is missing\n\n')
canDamage?.('copy: from a damaged disk', () => {
  it('what cannot be read is listed, the rest is copied', async () => {
    const image = mountImage('ext4', 16)
    const kit = await openCopies()
    try {
      mkdirSync(kit.at('disk'))
      image.mount(kit.at('disk'))
      makeTree(kit.at('disk/from'), { 'a/1': file('one'), 'a/2': file('two'), 'b/3': file('three'), 'z/4': file('4') })
      writeFileSync(kit.at('disk/from/a/large'), Buffer.alloc(1 << 20, 1))
      const wanted = readTree(kit.at('disk/from'))
      await image.unmount()
      // Where the blocks of a file and of a folder lie is written over.
      for (const path of ['/from/a/large', '/from/b']) {
        execFileSync(DEBUGFS, ['-w', '-R', `set_inode_field ${path} block[0] 0`, image.file], { stdio: 'ignore' })
      }
      image.mount(kit.at('disk'))
      const result = await kit.copy(['disk/from'], 'to')
      assert.equal(result.state, 'completed-with-problems')
      assert.deepEqual(result.problems.map(({ path, code }) => `${path} ${code}`).sort(), [
        'from/a/large READ_ERROR',
        'from/b READ_ERROR'
      ])
      const copied = Object.entries(readTree(kit.at('to')))
      assert.deepEqual(copied.map(([path]) => path).sort(), ['a', 'a/1', 'a/2', 'z', 'z/4'])
      for (const [path, node] of copied) assert.deepEqual(node, wanted[path], path)
    } finally {
      await kit.clean(() => image.clean())
    }
  })
})
