import assert from 'node:assert/strict'
import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import {
  type AbsPath,
  fsPath,
  type RelPath,
  silentLog,
  systemClock,
  type WorkerPool,
  workerPool
} from '../../../storage/base/index.js'
import { type Watch, type WatchBackend, type Watcher, watcher } from '../../../storage/watcher/index.js'
import { seedOfRun } from '../../random.js'
import { tempDir } from '../../temp.js'
import { WAIT_MS } from '../../waits.js'
import { Mirror, scan } from './mirror.js'
import { randomEdits } from './random-edits.js'

const rel = (path: string): RelPath => path as RelPath

describe('watching', () => {
  const dir = tempDir()
  let pool: WorkerPool
  let port: Watcher
  let n = 0
  const open: Watch[] = []

  before(() => {
    pool = workerPool(2)
    port = watcher({ pool, clock: systemClock, log: silentLog })
  })
  afterEach(async () => {
    for (const watch of open.splice(0)) await watch.stop()
  })
  after(async () => {
    await pool.close()
    dir.clean()
  })

  /** A watched folder and the mirror that follows it. */
  async function watched(backend: WatchBackend, prepare: (root: AbsPath) => void = () => {}): Promise<Mirror> {
    const root = `${dir.path}/${backend}-${n++}` as AbsPath
    mkdirSync(root)
    prepare(root)
    const mirror = new Mirror(root)
    open.push(await port.watch({ root, backend }, mirror))
    scan(root, undefined, mirror.tree)
    return mirror
  }
  const same = (mirror: Mirror): boolean => {
    const fresh = scan(mirror.root)
    return fresh.size === mirror.tree.size && [...fresh].every(([path, what]) => mirror.tree.get(path) === what)
  }

  for (const backend of ['folders', 'chokidar', 'parcel'] as const) {
    describe(backend, () => {
      it('a file that is made, edited, renamed and deleted', async () => {
        const mirror = await watched(backend, root => mkdirSync(`${root}/a`))
        writeFileSync(`${mirror.root}/a/f`, 'x')
        await mirror.until(() => mirror.tree.has(rel('a/f')))
        const before = mirror.tree.get(rel('a/f'))
        appendFileSync(`${mirror.root}/a/f`, 'y')
        await mirror.until(() => mirror.tree.get(rel('a/f')) !== before)
        renameSync(`${mirror.root}/a/f`, `${mirror.root}/g`)
        await mirror.until(() => mirror.tree.has(rel('g')) && !mirror.tree.has(rel('a/f')))
        rmSync(`${mirror.root}/g`)
        await mirror.until(() => !mirror.tree.has(rel('g')))
        await mirror.until(() => same(mirror))
        assert.equal(mirror.covered?.complete, true)
      })

      it('a tree that is moved in, and what changes deep in it afterwards', async () => {
        const mirror = await watched(backend)
        mkdirSync(`${dir.path}/outside${n}/b/c/d`, { recursive: true })
        writeFileSync(`${dir.path}/outside${n}/b/c/d/f`, 'x')
        renameSync(`${dir.path}/outside${n}`, `${mirror.root}/in`)
        await mirror.until(() => mirror.tree.has(rel('in/b/c/d/f')))
        writeFileSync(`${mirror.root}/in/b/c/d/g`, 'x')
        await mirror.until(() => mirror.tree.has(rel('in/b/c/d/g')))
      })

      it('a folder that is renamed is followed', async () => {
        const mirror = await watched(backend, root => mkdirSync(`${root}/p/q`, { recursive: true }))
        renameSync(`${mirror.root}/p`, `${mirror.root}/r`)
        await mirror.until(() => mirror.tree.has(rel('r/q')) && !mirror.tree.has(rel('p')))
        writeFileSync(`${mirror.root}/r/q/f`, 'x')
        await mirror.until(() => mirror.tree.has(rel('r/q/f')))
      })

      it('a root that goes is told as lost', async () => {
        const mirror = await watched(backend)
        renameSync(mirror.root, `${mirror.root}-away`)
        await mirror.until(() => mirror.lost)
      })

      it('our own staging is not handed on', async () => {
        const mirror = await watched(backend)
        writeFileSync(`${mirror.root}/.spacedrive-tmp-1`, 'x')
        writeFileSync(`${mirror.root}/seen`, 'x')
        await mirror.until(() => mirror.tree.has(rel('seen')))
        assert.equal(mirror.tree.has(rel('.spacedrive-tmp-1')), false)
      })

      it('random edits: afterwards the mirror holds exactly what a fresh scan finds', async () => {
        const seed = seedOfRun()
        const mirror = await watched(backend, root => mkdirSync(`${root}/start/here`, { recursive: true }))
        // parcel's inotify side begins anew with each folder: it is made for FSEvents, and is given fewer here.
        const count = backend === 'parcel' ? 300 : 1500
        await randomEdits(mirror.root, { seed, count, oddNames: backend === 'folders' })
        const stop = setTimeout(() => assert.fail(`seed ${seed}: ${difference(mirror)}`), WAIT_MS)
        await mirror.until(() => same(mirror))
        clearTimeout(stop)
      })
    })
  }

  it('polling sees what events would not tell', async () => {
    const mirror = await watched('polling', root => writeFileSync(`${root}/f`, 'x'))
    writeFileSync(`${mirror.root}/f`, 'longer')
    await mirror.until(() => same(mirror))
    // Everything is looked at once after the beginning; from then on it is what the polls see.
    utimesSync(`${mirror.root}/f`, 1e9, 1e9)
    await mirror.until(() => same(mirror))
    writeFileSync(`${mirror.root}/g`, 'new')
    await mirror.until(() => same(mirror))
  })

  it('names that are not UTF-8, also of folders (folders back end)', async () => {
    const mirror = await watched('folders')
    mkdirSync(fsPath(`${mirror.root}/\udcffd`))
    await mirror.until(() => mirror.tree.has(rel('\udcffd')))
    writeFileSync(fsPath(`${mirror.root}/\udcffd/\udcfef`), 'x')
    await mirror.until(() => mirror.tree.has(rel('\udcffd/\udcfef')))
  })

  it('a folder called like the one it is in', async () => {
    const mirror = await watched('folders', root => mkdirSync(`${root}/x/x`, { recursive: true }))
    writeFileSync(`${mirror.root}/x/x/f`, '1')
    await mirror.until(() => mirror.tree.has(rel('x/x/f')))
    rmSync(`${mirror.root}/x/x`, { recursive: true })
    await mirror.until(() => same(mirror))
    mkdirSync(`${mirror.root}/x/x/y`, { recursive: true })
    writeFileSync(`${mirror.root}/x/x/y/f`, '1')
    await mirror.until(() => mirror.tree.has(rel('x/x/y/f')))
  })

  it('a change of rights on the root is no loss of it', async () => {
    const mirror = await watched('folders')
    chmodSync(mirror.root, 0o700)
    writeFileSync(`${mirror.root}/f`, 'x')
    await mirror.until(() => mirror.tree.has(rel('f')))
    assert.equal(mirror.lost, false)
  })

  it('a folder that is not there is refused', async () => {
    for (const backend of ['folders', 'chokidar', 'parcel'] as const) {
      const root = `${dir.path}/nowhere` as AbsPath
      await assert.rejects(port.watch({ root, backend }, new Mirror(root)), { code: 'LOCATION_OFFLINE' })
    }
  })
})

function difference(mirror: Mirror): string {
  const fresh = scan(mirror.root)
  const lines = [...fresh]
    .filter(([p, w]) => mirror.tree.get(p) !== w)
    .map(([p, w]) => `${p}: disk ${w}, mirror ${mirror.tree.get(p)}`)
  const more = [...mirror.tree.keys()].filter(p => !fresh.has(p)).map(p => `${p}: not on the disk`)
  return [...lines, ...more].slice(0, 10).join('\n')
}
