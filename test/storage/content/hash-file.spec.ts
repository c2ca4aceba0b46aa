import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type WorkerPool, workerPool } from '../../../storage/base/index.js'
import { fsPath } from '../../../storage/base/paths.js'
import { hashBytes, hashing, hashSource, isRacy, PIECE_BYTES, type ReadSource } from '../../../storage/content/index.js'
import { tempDir } from '../../temp.js'

const bytes = (length: number, seed = 7): Buffer => {
  const b = Buffer.alloc(length)
  for (let i = 0, x = seed; i < length; i++) b[i] = x = (x * 167 + 13) & 255
  return b
}

describe('hashFile', () => {
  const dir = tempDir()
  let pool: WorkerPool
  before(() => {
    pool = workerPool(2)
  })
  after(async () => {
    await pool.close()
    dir.clean()
  })
  const file = (name: string, content: Buffer): string => {
    const path = join(dir.path, name)
    writeFileSync(fsPath(path), content)
    return path
  }

  for (const length of [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES]) {
    it(`a file of ${length} bytes`, async () => {
      const content = bytes(length)
      const { hash, sizeBytes } = await pool.run(hashing.hashFile, { path: file(`f${length}`, content) })
      assert.equal(hash, hashBytes(content))
      assert.equal(sizeBytes, length)
    })
  }
  it('a range: the prefix that a resumed transfer compares', async () => {
    const content = bytes(2 * PIECE_BYTES + 5)
    const path = file('range', content)
    const prefix = await pool.run(hashing.hashFile, { path, lengthBytes: PIECE_BYTES + 3 })
    assert.equal(prefix.hash, hashBytes(content.subarray(0, PIECE_BYTES + 3)))
    const middle = await pool.run(hashing.hashFile, { path, fromBytes: 10, lengthBytes: 100 })
    assert.equal(middle.hash, hashBytes(content.subarray(10, 110)))
  })
  it('a range that the file no longer has was changed meanwhile', async () => {
    const path = file('short', bytes(10))
    await assert.rejects(pool.run(hashing.hashFile, { path, lengthBytes: 11 }), { code: 'CHANGED_WHILE_READING' })
    await assert.rejects(pool.run(hashing.hashFile, { path, lengthBytes: 2 * PIECE_BYTES }), {
      code: 'CHANGED_WHILE_READING'
    })
  })
  it('a name that is not UTF-8', async () => {
    const path = file('odd-\udcff', bytes(20))
    assert.equal((await pool.run(hashing.hashFile, { path })).hash, hashBytes(bytes(20)))
  })
  it('a symlink, a directory and a FIFO are no files, and none is waited for', async () => {
    file('real', bytes(5))
    symlinkSync('real', join(dir.path, 'link'))
    mkdirSync(join(dir.path, 'folder'))
    execFileSync('mkfifo', [join(dir.path, 'fifo')])
    for (const name of ['link', 'folder', 'fifo']) {
      await assert.rejects(pool.run(hashing.hashFile, { path: join(dir.path, name) }), { code: 'NOT_A_FILE' })
    }
  })
  it('many files in one message: what is missing is a problem in its place', async () => {
    const paths = [file('one', bytes(1)), join(dir.path, 'none'), file('two', bytes(2))]
    const [one, none, two] = await pool.run(hashing.hashFiles, { paths })
    assert.ok(one && 'hash' in one && one.hash === hashBytes(bytes(1)))
    assert.ok(none && 'code' in none && none.code === 'ENOENT')
    assert.ok(two && 'hash' in two && two.hash === hashBytes(bytes(2)))
  })
  it('an abort between two pieces stops it with the reason itself', async () => {
    const path = file('long', Buffer.alloc(0))
    truncateSync(path, 64 * 1024 * PIECE_BYTES)
    const controller = new AbortController()
    const reason = new Error('enough')
    const running = pool.run(hashing.hashFile, { path }, { signal: controller.signal })
    setImmediate(() => controller.abort(reason))
    await assert.rejects(running, reason)
  })
})

describe('hashSource', () => {
  const at = { sizeBytes: 10, mtimeNs: 1n, ctimeNs: 1n, device: 1n, inode: 1n }
  const source = (after: object): ReadSource => {
    let looks = 0
    return {
      read: (into, position) => Math.min(into.length, 10 - position),
      stat: () => (looks++ === 0 ? at : { ...at, ...after })
    }
  }
  for (const [why, change] of [
    ['grew', { sizeBytes: 11 }],
    ['got another mtime', { mtimeNs: 2n }],
    ['got another ctime alone', { ctimeNs: 2n }]
  ] as const) {
    it(`a file that ${why} while it was read was changed`, async () => {
      await assert.rejects(hashSource(source(change), 'x'), { code: 'CHANGED_WHILE_READING' })
    })
  }
  it('one that did not is taken', async () => {
    assert.equal((await hashSource(source({}), 'x')).sizeBytes, 10)
  })
})

describe('isRacy', () => {
  const ms = (n: number): bigint => BigInt(n) * 1_000_000n
  for (const [why, mtime, ctime, step, racy] of [
    ['21 ms old', 979, 979, 0, false],
    ['19 ms old', 981, 0, 0, true],
    ['ctime 19 ms old', 0, 981, 0, true],
    ['in the future', 2000, 0, 0, true],
    ['FAT, 3 s old', 7000, 0, 2000, true],
    ['FAT, 5 s old', 5000, 0, 2000, false]
  ] as const) {
    it(`${why}: ${racy ? 'does not vouch' : 'vouches'}`, () => {
      const startedMs = step === 0 ? 1000 : 10_000
      assert.equal(isRacy({ mtimeNs: ms(mtime), ctimeNs: ms(ctime), startedMs }, step), racy)
    })
  }
})
