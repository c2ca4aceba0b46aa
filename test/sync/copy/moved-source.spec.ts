import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AbsPath, RelPath, WorkerPool } from '../../../storage/base/index.js'
import {
  Copier,
  type CopierInit,
  type FileRoot,
  type FileSource,
  type Files,
  nodeDisk,
  openFiles,
  ownerTag
} from '../../../storage/files/index.js'
import { finishing } from '../../../sync/copy/finish.worker.js'
import { Taker } from '../../../sync/copy/take.js'
import type { TakeInput } from '../../../sync/copy/taking.js'
import { sharedPool } from '../../shared-pool.js'
import { tempDir } from '../../temp.js'

const [COPIED, EDITED] = ['as it was copied', 'as it was edited']
const F = 'f' as RelPath

describe('the source of a move', () => {
  let temp: ReturnType<typeof tempDir>
  let pool: WorkerPool
  let files: Files
  let root: FileRoot
  let source: FileSource
  let init: CopierInit
  let [here, there] = ['', '']
  beforeEach(async () => {
    temp = tempDir()
    pool = sharedPool()
    files = openFiles({ pool, owner: ownerTag('test') })
    for (const name of ['from', 'to']) execFileSync('mkdir', [join(temp.path, name)])
    here = join(temp.path, 'from/f')
    there = join(temp.path, 'to/f')
    writeFileSync(here, COPIED)
    execFileSync('cp', ['-p', here, there])
    source = await files.openSource(join(temp.path, 'from') as AbsPath)
    root = await files.openRoot(join(temp.path, 'to') as AbsPath)
    init = { source: source.handle, target: root.handle }
  })
  afterEach(async () => {
    await source.close()
    await files.close()
    await pool.close()
    temp.clean()
  })

  /** Another content with the size and the time of what was copied, as who edits a picture's data may leave it. */
  function edit(): void {
    const { ctimeNs } = lstatSync(here, { bigint: true })
    const times = join(temp.path, 'times')
    execFileSync('touch', ['-r', here, times])
    do writeFileSync(here, EDITED)
    while (lstatSync(here, { bigint: true }).ctimeNs <= ctimeNs)
    execFileSync('touch', ['-r', times, here])
    rmSync(times)
  }

  function looked(): ReturnType<Copier['lookSource']> & object {
    const copier = new Copier(nodeDisk(), init)
    try {
      return copier.lookSource(F)!
    } finally {
      copier.close()
    }
  }

  it('stays when it was edited since, also where size and time were put back', async () => {
    const from = looked()
    edit()
    const problems = await pool.run(finishing.remove, { ...init, list: [{ source: F, path: F, from }] })
    assert.deepEqual(
      problems.map(p => p.code),
      ['CHANGED']
    )
    assert.equal(readFileSync(here, 'utf8'), EDITED)
  })

  it('goes when it is what is there, whatever else of it changed', async () => {
    const from = looked()
    execFileSync('touch', ['-r', here, here])
    assert.deepEqual(await pool.run(finishing.remove, { ...init, list: [{ source: F, path: F, from }] }), [])
    assert.equal(existsSync(here), false)
  })

  it('is what it was before it was compared with what stands there: an edit while that is read stays', async () => {
    const disk = nodeDisk()
    let reads = 0
    const copier = new Copier(
      {
        ...disk,
        read(fd, into, at) {
          // The source first, then what stands there.
          if (at === 0 && ++reads === 2) writeFileSync(here, `${EDITED}, and more`)
          return disk.read(fd, into, at)
        }
      },
      init
    )
    const { size, mtimeNs, mode } = lstatSync(here, { bigint: true })
    const rules = { keepTimes: true, beganNs: 0n, timeStepNs: 1n, modes: true, strict: true }
    const input: TakeInput = {
      groups: [
        {
          ...{ dir: '' as RelPath, names: 'f', kinds: new Uint8Array([0]), sizes: new Float64Array([Number(size)]) },
          ...{ mtimesNs: new BigInt64Array([mtimeNs]), modes: new Uint16Array([Number(mode) & 0o7777]) }
        }
      ],
      ...{ stageIn: 'x', large: { in: 'y', everyBytes: 2 ** 40 }, renames: {}, rules, overwrite: 'skip' },
      route: { move: true, remote: false, sameVolume: false, verify: false, reflinks: 'no', kernel: true },
      ...{ owner: false, xattrs: false, dryRun: false }
    }
    const watch = { signal: new AbortController().signal, bytes() {} }
    const { sameSources, problems } = await new Taker(copier, input, watch).run()
    copier.close()
    assert.deepEqual([problems, sameSources.length, reads], [[], 1, 2])
    const left = await pool.run(finishing.remove, { ...init, list: sameSources })
    assert.deepEqual(
      left.map(p => p.code),
      ['CHANGED']
    )
    assert.equal(readFileSync(here, 'utf8'), `${EDITED}, and more`)
  })
})
