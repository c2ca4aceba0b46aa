import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  type Clock,
  type ContentHash,
  newUuid,
  systemRandom,
  type WorkerPool,
  workerPool
} from '../../../storage/base/index.js'
import {
  asidePath,
  type Files,
  openFiles,
  ownerTag,
  type PlaceStep,
  type Staging
} from '../../../storage/files/index.js'
import { VersionStore } from '../../../sync/versions/index.js'
import { manualClock } from '../../manual-clock.js'
import { pack } from '../../storage/files/pack.js'
import { SimulatedDisk } from '../../storage/files/simulated-disk.js'
import { DAY, gone, hashOf, rel, START } from './lines.js'

describe('the power goes while something is replaced', () => {
  const FOLDER = '/home/person'
  const PATHS = ['a', 'b', 'd/c']
  const old = (path: string): string => `old ${path}|`.repeat(900)
  const fresh = (path: string): string => `new ${path}|`.repeat(900)
  let pool: WorkerPool
  before(() => {
    pool = workerPool(1)
  })
  after(() => pool.close())
  const clock: Clock = manualClock(START)
  const open = (disk: SimulatedDisk): Files => openFiles({ pool, owner: ownerTag('test'), disk })

  function prepare(disk: SimulatedDisk): void {
    const top = disk.openRoot('/')
    disk.makeDir(top, 'home', 0o755)
    const home = disk.openDir(top, 'home')
    disk.makeDir(home, 'person', 0o755)
    const person = disk.openDir(home, 'person')
    disk.makeDir(person, 'd', 0o755)
    for (const path of PATHS) {
      const dir = path.startsWith('d/') ? disk.openDir(person, 'd') : person
      const fd = disk.open(dir, path.slice(path.lastIndexOf('/') + 1), 'create', 0o644)
      disk.write(fd, Buffer.from(old(path)), 0)
      disk.sync(fd)
      disk.sync(dir)
    }
    for (const dir of [person, home, top]) disk.sync(dir)
  }

  function read(disk: SimulatedDisk, path: string): string | undefined {
    try {
      const dir = disk.openRoot(`${FOLDER}${path.startsWith('d/') ? '/d' : ''}`)
      const fd = disk.open(dir, path.slice(path.lastIndexOf('/') + 1), 'read')
      const into = Buffer.alloc(100_000)
      return into.subarray(0, disk.read(fd, into, 0)).toString()
    } catch {
      return undefined
    }
  }

  /** Replaces a and d/c, removes b. */
  async function session(disk: SimulatedDisk, id: string): Promise<void> {
    const root = await open(disk).openRoot(FOLDER as never)
    const store = new VersionStore(root, clock)
    const staging: Staging = await root.openStaging(id, { where: 'area' })
    const { entries, data } = pack({ 'new/0': fresh('a'), 'new/1': fresh('d/c') })
    await staging.write(entries, data)
    const steps: PlaceStep[] = []
    for (const [i, path] of PATHS.entries()) {
      const dir = disk.openRoot(`${FOLDER}${path.startsWith('d/') ? '/d' : ''}`)
      const expected = disk.lstat(dir, path.slice(path.lastIndexOf('/') + 1))
      disk.close(dir)
      const aside = { staging: id, path: asidePath(hashOf(old(path)), i) }
      steps.push(
        path === 'b'
          ? { kind: 'remove', path: rel(path), expected, aside }
          : {
              kind: 'replace',
              path: rel(path),
              expected,
              aside,
              from: { staging: id, path: rel(`new/${i === 0 ? 0 : 1}`) }
            }
      )
    }
    await store.record(PATHS.map(path => gone(path, old(path))))
    const results = await root.place(steps)
    assert.ok(results.every(r => r.done))
    await store.keep(staging)
    await staging.discard()
  }

  for (const [name, init] of [
    ['exchange', {}],
    ['no exchange, each file synced', { exchange: false, noReplace: false, syncAll: false }]
  ] as const) {
    it(`old or new at each name, and what is not at its name any more is in the store (${name})`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.infiniteStream(fc.double({ min: 0, max: 0.999999, noNaN: true })), async stream => {
          const random = (): number => stream.next().value as number
          const id = newUuid(START, systemRandom)
          const make = (): SimulatedDisk => {
            const disk = new SimulatedDisk(init)
            prepare(disk)
            return disk
          }
          const whole = make()
          const begin = whole.operations
          await session(whole, id)
          for (let cut = begin; cut <= whole.operations; cut += 1 + Math.floor(random() * 5)) {
            const disk = make()
            disk.cutAt = cut
            await session(disk, id).catch(() => {})
            disk.powerCut(random)
            const root = await open(disk).openRoot(FOLDER as never)
            await root.recover()
            const store = new VersionStore(root, clock)
            const staging = await root.openStaging(id, { where: 'area' })
            await store.recover(staging)
            await staging.discard()
            const kept = await store.has(PATHS.map(p => hashOf(old(p))))
            for (const [i, path] of PATHS.entries()) {
              const is = read(disk, path)
              const when = `${path} after ${cut - begin} of ${whole.operations - begin}`
              assert.ok([old(path), path === 'b' ? undefined : fresh(path)].includes(is), when)
              if (is !== old(path)) assert.equal(kept[i], true, `${when}: the old content is nowhere`)
            }
            for await (const { code, path } of store.verify())
              assert.ok(code === 'VERSION_MISSING' && read(disk, path) === old(path), `${code} ${path}`)
          }
        }),
        { numRuns: Number(process.env.SPACEDRIVE_POWER_CUTS ?? 4) }
      )
    })
  }

  it('the power goes while versions are thinned: every line that is left has its content, the next time finishes', async () => {
    const never = async (): Promise<ReadonlySet<ContentHash>> => new Set()
    const policies = [{ kind: 'trashcan', days: 30 }] as const
    const id = newUuid(START, systemRandom)
    const make = async (): Promise<SimulatedDisk> => {
      const disk = new SimulatedDisk({})
      prepare(disk)
      await session(disk, id)
      return disk
    }
    const late: Clock = manualClock(START + 31 * DAY)
    const thin = async (disk: SimulatedDisk): Promise<unknown> => {
      const store = new VersionStore(await open(disk).openRoot(FOLDER as never), late)
      // A younger line of another file, which stays, with a content that an old line names too.
      if (disk.cutAt === undefined || disk.cutAt > disk.operations) await store.record([gone('young', old('a'))])
      return store.thin({ policies, mustStay: never })
    }
    const whole = await make()
    const begin = whole.operations
    await thin(whole)
    let random = 7
    const next = (): number => {
      random = (random * 16_807) % 2_147_483_647
      return random / 2_147_483_647
    }
    for (let cut = begin + 1; cut <= whole.operations; cut++) {
      const disk = await make()
      disk.cutAt = cut
      await thin(disk).catch(() => {})
      disk.powerCut(next)
      const store = new VersionStore(await open(disk).openRoot(FOLDER as never), late)
      for await (const { path } of store.verify()) assert.equal(path, 'young', `${path} after ${cut - begin}`)
      await store.thin({ policies, mustStay: never })
      const left: string[] = []
      for await (const { path } of store.newestFirst()) left.push(path)
      assert.ok(left.every(path => path === 'young'))
      assert.equal((await store.usage()).contents, left.length)
    }
  })
})
