import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RelPath } from '../../../storage/base/index.js'
import { openAppender } from '../../../storage/files/file-appender.js'
import { nodeDisk } from '../../../storage/files/node-disk.js'
import { tempDir } from '../../temp.js'

const MIB = 2 ** 20

describe('a large file that grows', () => {
  it('is written to the disk on the way, each part once, and what fails there does not matter', async () => {
    const dir = tempDir()
    try {
      const begun: [position: number, lengthBytes: number][] = []
      const disk = nodeDisk()
      const path = join(dir.path, 'file')
      const fd = openSync(path, 'w+')
      const file = await openAppender(
        {
          ...disk,
          startWriting(_, position, lengthBytes) {
            begun.push([position, lengthBytes])
            return lengthBytes
          }
        },
        fd,
        { path: 'file' as RelPath, into: dir.path, sizeBytes: 21 * MIB, syncEach: false }
      )
      for (let i = 0; i < 19; i++) file.append(new Uint8Array(MIB).fill(i))
      assert.deepEqual(begun, [
        [0, 8 * MIB],
        [8 * MIB, 8 * MIB]
      ])
      file.restart()
      for (let i = 0; i < 8; i++) file.append(new Uint8Array(MIB).fill(9))
      assert.deepEqual(begun.at(-1), [0, 8 * MIB])
      file.close()
      // The real call, for a file that is open and for a descriptor that is none.
      const again = openSync(path, 'r+')
      disk.startWriting?.(again, 0, 8 * MIB)
      closeSync(again)
      disk.startWriting?.(2 ** 30, 0, MIB)
      assert.equal(readFileSync(path).length, 8 * MIB)
    } finally {
      dir.clean()
    }
  })
})
