import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AbsPath, type Problem, type RelPath, SpacedriveError } from '../../../storage/base/index.js'
import { type Disk, type Files, nodeDisk, openFiles, ownerTag } from '../../../storage/files/index.js'
import type { Trash } from '../../../storage/trash/index.js'
import { MovedAway, type Taking } from '../../../sync/copy/remote/moved.js'
import { type Endpoint, openLocalEndpoint } from '../../../sync/endpoints/index.js'
import { inPlace } from '../../in-place.js'
import { tempDir } from '../../temp.js'

const [COPIED, EDITED, OTHER] = ['as it was copied', 'as it was edited, and more', 'what came after']
const rel = (path: string): RelPath => path as RelPath

describe('the source of a move to another device, written to right before it goes', () => {
  let [temp, dir, at] = [tempDir(), '', '']
  let files: Files
  let source: Endpoint
  let problems: Problem[]
  let trashed: string[]
  let isTrashFull: boolean
  /** What happens right after it went aside. */
  let then: () => void
  const id = randomUUID()
  let noted: readonly Taking[]

  beforeEach(async () => {
    temp = tempDir()
    ;[problems, trashed, noted, isTrashFull, then] = [[], [], [], false, () => {}]
    dir = join(temp.path, 'from')
    at = join(dir, 'd/photo.jpg')
    mkdirSync(join(dir, 'd'), { recursive: true })
    writeFileSync(at, COPIED)
    let [looked, edited] = [0, false]
    const disk: Disk = new Proxy(nodeDisk(), {
      get(target, name: keyof Disk) {
        const value = target[name]
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          // The look at what is expected is the first; then comes the rename, and the look at what came out.
          if (name === 'rename' && args[1] === 'photo.jpg' && !edited) {
            edited = true
            writeFileSync(at, EDITED)
          } else if (edited && !existsSync(at) && looked++ === 0) then()
          return (value as (...a: unknown[]) => unknown).apply(target, args)
        }
      }
    })
    files = openFiles({ pool: inPlace, owner: ownerTag('test'), disk })
    const put: Trash['put'] = async items => {
      if (isTrashFull) throw new SpacedriveError('NO_SPACE', 'the disk is full')
      return items.map(item => {
        assert.equal(item.origin, at)
        if (!existsSync(item.at))
          return { done: false, problem: { path: item.at, code: 'MISSING', message: 'not there' } } as never
        trashed.push(readFileSync(item.at, 'utf8'))
        renameSync(item.at, join(temp.path, 'trashed'))
        return { done: true, files: 1, bytes: 1 } as never
      })
    }
    source = await openLocalEndpoint({
      ...{ path: dir as AbsPath, pool: inPlace, files, disk, volumes: { volumeOf: async () => undefined } },
      ...{ trash: { put }, ours: () => [] }
    })
  })
  afterEach(async () => {
    await source.close()
    await files.close()
    temp.clean()
  })

  const movedAway = (): MovedAway =>
    new MovedAway(source, {
      ...{ id, run: 'r', command: 'file.move', left: noted },
      async taking(list) {
        noted = list
      },
      problem: p => void problems.push(p)
    })

  async function move(moved: MovedAway): Promise<void> {
    const [look] = await source.look([rel('d/photo.jpg')])
    try {
      assert.deepEqual(await moved.files([{ path: rel('d/photo.jpg'), stat: look!.entry!.stat }], {}), [false])
      await moved.end({})
    } finally {
      await moved.close()
    }
  }
  const codes = (): string[] => problems.map(p => p.code)
  const left = (path: string): string[][] =>
    readdirSync(join(dir, path)).map(name => [name, readFileSync(join(dir, path, name), 'utf8')])

  it('its name taken right after: both stay', async () => {
    then = () => writeFileSync(at, OTHER)
    await move(movedAway())
    assert.deepEqual(codes(), ['CHANGED'])
    assert.deepEqual(left('d').sort(), [
      ['photo (1).jpg', EDITED],
      ['photo.jpg', OTHER]
    ])
    assert.deepEqual(noted, [])
  })

  it('the folder around it gone right after: it is in the trash', async () => {
    then = () => rmdirSync(join(dir, 'd'))
    await move(movedAway())
    assert.deepEqual([codes(), trashed, noted], [['CHANGED'], [EDITED], []])
  })

  it('no room in the trash either: it stays aside, and the next try gives it its name again', async () => {
    then = () => rmdirSync(join(dir, 'd'))
    isTrashFull = true
    await assert.rejects(move(movedAway()), { code: 'NO_SPACE' })
    const again = movedAway()
    await assert.rejects(again.putBack({}), { code: 'NO_SPACE' })
    await again.end({})
    await again.close()
    mkdirSync(join(dir, 'd'))
    const third = movedAway()
    assert.equal(await third.putBack({}), true)
    await third.end({})
    assert.deepEqual([left('d'), trashed, noted], [[['photo.jpg', EDITED]], [], []])
  })
})
