import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AbsPath, Problem, RelPath } from '../../../storage/base/index.js'
import { type Disk, nodeDisk, openFiles, ownerTag } from '../../../storage/files/index.js'
import { MovedAway } from '../../../sync/copy/remote/moved.js'
import { openLocalEndpoint } from '../../../sync/endpoints/index.js'
import { inPlace } from '../../in-place.js'
import { tempDir } from '../../temp.js'

const [COPIED, EDITED, OTHER] = ['as it was copied', 'as it was edited', 'what came after']

describe('the source of a move to another device', () => {
  it('written to right before it goes, and its name taken right after: both stay', async () => {
    const temp = tempDir()
    const dir = join(temp.path, 'from') as AbsPath
    mkdirSync(dir)
    const at = join(dir, 'photo.jpg')
    writeFileSync(at, COPIED)
    let [looked, edited] = [0, false]
    const real = nodeDisk()
    const disk: Disk = new Proxy(real, {
      get(target, name: keyof Disk) {
        const value = target[name]
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          // The look at what is expected is the first; then comes the rename, and the look at what came out.
          if (name === 'rename' && args[1] === 'photo.jpg' && !edited) {
            edited = true
            writeFileSync(at, `${EDITED}, and more`)
          } else if (edited && !existsSync(at) && looked++ === 0) writeFileSync(at, OTHER)
          return (value as (...a: unknown[]) => unknown).apply(target, args)
        }
      }
    })
    const files = openFiles({ pool: inPlace, owner: ownerTag('test'), disk })
    const source = await openLocalEndpoint({
      ...{ path: dir, pool: inPlace, files, disk, volumes: { volumeOf: async () => undefined } },
      trash: { put: () => Promise.reject(new Error('nothing is thrown away')) },
      ours: () => []
    })
    try {
      const problems: Problem[] = []
      const moved = new MovedAway(source, { id: randomUUID(), run: 'r', problem: p => void problems.push(p) })
      const [look] = await source.look(['photo.jpg' as RelPath])
      const list = [{ path: 'photo.jpg' as RelPath, stat: look!.entry!.stat }]
      assert.deepEqual(await moved.files(list, {}), [false])
      await moved.end({})
      await moved.close()
      assert.deepEqual(
        problems.map(p => p.code),
        ['CHANGED']
      )
      const left = readdirSync(dir).filter(name => !name.startsWith('.spacedrive'))
      assert.deepEqual(left.map(name => [name, readFileSync(join(dir, name), 'utf8')]).sort(), [
        ['photo (1).jpg', `${EDITED}, and more`],
        ['photo.jpg', OTHER]
      ])
    } finally {
      await source.close()
      await files.close()
      temp.clean()
    }
  })
})
