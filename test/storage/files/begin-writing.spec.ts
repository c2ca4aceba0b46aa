import assert from 'node:assert/strict'
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { RelPath } from '../../../storage/base/index.js'
import { openAppender } from '../../../storage/files/file-appender.js'
import { findNative } from '../../../storage/files/native.js'
import { nodeDisk } from '../../../storage/files/node-disk.js'
import { tempDir } from '../../temp.js'

const MIB = 2 ** 20

/** A disk that begins with nothing before it is told to. */
function slowDisk() {
  const asked: { fd: number; position: number; lengthBytes: number; done(): void }[] = []
  const startWriting = (fd: number, position: number, lengthBytes: number, done: () => void): void =>
    void asked.push({ fd, position, lengthBytes, done })
  const native = { ...findNative()!, startWriting }
  return { disk: nodeDisk({ native }), asked }
}

const isOpen = (fd: number): boolean => {
  try {
    fstatSync(fd)
    return true
  } catch {
    return false
  }
}

;(findNative() === undefined ? describe.skip : describe)('beginning to write to the disk', () => {
  const dir = tempDir()
  after(() => dir.clean())
  const path = join(dir.path, 'file')

  it('holds nobody up: a file grows on while the disk has not begun, and what came meanwhile is begun next', async () => {
    const { disk, asked } = slowDisk()
    const file = await openAppender(disk, openSync(path, 'w+'), {
      ...{ path: 'file' as RelPath, into: dir.path, sizeBytes: 100 * MIB, syncEach: false }
    })
    const grow = (pieces: number): void => {
      for (let i = 0; i < pieces; i++) file.append(new Uint8Array(MIB))
    }
    grow(70)
    assert.deepEqual([asked.length, asked[0]!.position, asked[0]!.lengthBytes], [1, 0, 8 * MIB])
    asked[0]!.done()
    grow(1)
    assert.deepEqual([asked.length, asked[1]!.position, asked[1]!.lengthBytes], [2, 8 * MIB, 32 * MIB])
    asked[1]!.done()
    grow(1)
    assert.deepEqual([asked.length, asked[2]!.position, asked[2]!.lengthBytes], [3, 40 * MIB, 32 * MIB])
    asked[2]!.done()
    file.close()
  })

  it('a file that is closed meanwhile keeps its descriptor until the disk has begun', async () => {
    const { disk, asked } = slowDisk()
    const [fd, other] = [openSync(path, 'w+'), openSync(path, 'r')]
    assert.equal(disk.startWriting!(fd, 0, 8 * MIB), 8 * MIB)
    assert.equal(disk.startWriting!(other, 0, 8 * MIB), 0)
    let begun = false
    const waiting = disk.begun!().then(() => {
      begun = true
    })
    disk.close(fd)
    disk.close(other)
    await Promise.resolve()
    assert.deepEqual([isOpen(fd), isOpen(other), begun], [true, false, false])
    asked[0]!.done()
    await waiting
    assert.deepEqual([isOpen(fd), begun], [false, true])
    await disk.begun!()
  })

  it('is done by the system, of a descriptor that is none too', async () => {
    const disk = nodeDisk()
    const fd = openSync(path, 'w+')
    for (let i = 0; i < 16; i++) writeSync(fd, new Uint8Array(MIB), 0, MIB, i * MIB)
    assert.equal(disk.startWriting!(fd, 0, 16 * MIB), 16 * MIB)
    await disk.begun!()
    assert.equal(disk.startWriting!(2 ** 30, 0, MIB), MIB)
    await disk.begun!()
    closeSync(fd)
  })

  it('is done nowhere where there is no call for it, and nobody asks again', () => {
    const disk = nodeDisk({ native: undefined })
    assert.equal(disk.startWriting!(0, 0, 8 * MIB), 8 * MIB)
  })
})
