import assert from 'node:assert/strict'
import { appendFileSync, chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import {
  type Clock,
  type ContentHash,
  newUuid,
  type RelPath,
  ROOT,
  systemRandom,
  type WorkerPool,
  workerPool
} from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import {
  asidePath,
  type Files,
  openFiles,
  ownerTag,
  type PlaceStep,
  type Staging
} from '../../../storage/files/index.js'
import { type Kept, type TreeNow, treeThen, type VersionLine, VersionStore } from '../../../sync/versions/index.js'
import { type ManualClock, manualClock } from '../../manual-clock.js'
import { type Kit, openKit } from '../../storage/files/kit.js'
import { pack } from '../../storage/files/pack.js'
import { SimulatedDisk } from '../../storage/files/simulated-disk.js'

const rel = (path: string): RelPath => path as RelPath
const hashOf = (text: string): ContentHash => hashBytes(Buffer.from(text))
const DAY = 24 * 3_600_000
const START = Date.UTC(2026, 0, 10, 12)
const gone = (path: string, text: string, init: Partial<VersionLine> = {}): Omit<VersionLine, 'atMs'> => ({
  ...{ run: 'r1', path: rel(path), why: 'replaced' },
  was: { kind: 'file', hash: hashOf(text), sizeBytes: text.length, mtimeNs: 1n, mode: 0o644 },
  ...init
})

describe('the version store of an end', () => {
  let kit: Kit
  let clock: ManualClock
  let store: VersionStore
  beforeEach(async () => {
    kit = await openKit(undefined, 'area')
    clock = manualClock(START)
    store = new VersionStore(kit.root, clock)
  })
  afterEach(() => kit.clean())
  let count = 0

  /** As a session does: written down, staged, placed, kept. */
  async function change(path: string, text: string | null, run = 'r1'): Promise<void> {
    const at = kit.at(path)
    const there = lstatSync(at, { throwIfNoEntry: false, bigint: true })
    const was: Kept | null =
      there === undefined
        ? null
        : {
            ...{ kind: 'file', hash: hashBytes(readFileSync(at)), sizeBytes: Number(there.size) },
            ...{ mtimeNs: there.mtimeNs, mode: Number(there.mode) & 0o777 }
          }
    await store.record([{ run, path: rel(path), was, why: 'test' }])
    const n = count++
    if (text !== null) await kit.stage({ [`new-${n}`]: text })
    const aside = { staging: kit.staging.id, path: asidePath(was?.kind === 'file' ? was.hash : hashOf(''), n) }
    const expected = { kind: 'file', sizeBytes: Number(there?.size ?? 0), mtimeNs: there?.mtimeNs } as const
    const step: PlaceStep =
      was === null
        ? { kind: 'create', path: rel(path), from: kit.from(`new-${n}`) }
        : text === null
          ? { kind: 'remove', path: rel(path), expected, aside }
          : { kind: 'replace', path: rel(path), from: kit.from(`new-${n}`), expected, aside }
    const [result] = await kit.root.place([step])
    assert.equal(
      result?.done,
      true,
      JSON.stringify(result, (_, v) => (typeof v === 'bigint' ? String(v) : v))
    )
    await store.keep(kit.staging)
  }
  const asOf = async (atMs: number, path = ROOT): Promise<Record<string, string>> => {
    const found: Record<string, string> = {}
    const entry = (path: string): Kept =>
      ({ kind: 'file', hash: hashBytes(readFileSync(kit.at(path))) }) as never as Kept
    const names = (dir: RelPath): string[] => readdirSync(kit.at(dir)).filter(name => !name.startsWith('.spacedrive'))
    const today: TreeNow = {
      list: dir => names(dir).map(name => ({ name, entry: entry(join(dir, name)) })),
      find: at => (names(ROOT).includes(at) ? entry(at) : undefined)
    }
    for (const { path: at, was, now } of (await treeThen([store], atMs)).entries(path, today)) {
      if (was.kind !== 'file') continue
      if (now !== undefined) found[at] = readFileSync(kit.at(now), 'utf8')
      else {
        const to = rel(`restored-${count++}`)
        await store.stage(kit.staging, was.hash, to)
        found[at] = readFileSync(join(kit.staging.contentPath, to), 'utf8')
      }
    }
    return found
  }
  const stored = (): string[] => {
    const dir = kit.at('.spacedrive/versions/content')
    return readdirSync(dir).flatMap(part => readdirSync(join(dir, part)))
  }

  it('makes nothing before there is something to write down', async () => {
    assert.deepEqual(await store.usage(), { bytes: 0, contents: 0, share: 0 })
    for await (const _ of store.newestFirst()) assert.fail('no line was written')
    assert.equal(await store.keep(kit.staging), 0)
    assert.equal(lstatSync(kit.at('.spacedrive/versions'), { throwIfNoEntry: false }), undefined)
  })

  it('gives back the folder as it was at each moment, and a content once however often it was there', async () => {
    const moments: [number, Record<string, string>][] = [[clock.nowMs() - 1, {}]]
    const now: Record<string, string> = {}
    for (const [path, text] of [
      ['a', 'one'],
      ['b', 'one'],
      ['a', 'two'],
      ['b', null],
      ['b', 'three'],
      ['a', 'one'],
      ['a', null]
    ] as const) {
      await change(path, text)
      if (text === null) delete now[path]
      else now[path] = text
      moments.push([clock.nowMs(), { ...now }])
      await clock.advance(DAY / 3)
    }
    for (const [at, expected] of moments) assert.deepEqual(await asOf(at), expected)
    assert.deepEqual(await asOf(START, rel('a')), { a: 'one' })
    assert.equal(stored().length, 2, 'one, two')
    assert.equal((await store.usage()).contents, 2)
  })

  it('lists runs newest first, and the versions of a path under all its names', async () => {
    await change('a', '1', 'first')
    await clock.advance(1_000)
    await change('a', '2', 'second')
    await change('b', 'x', 'second')
    await store.record([{ run: 'third', path: rel('a'), was: null, to: rel('c'), why: 'moved' }])
    const runs = []
    for await (const s of store.snapshots()) runs.push([s.run, s.changes, s.firstMs])
    assert.deepEqual(runs, [
      ['third', 1, START + 1_001],
      ['second', 2, START + 1_000],
      ['first', 1, START]
    ])
    const versions = []
    for await (const v of store.versionsOf(rel('c'))) versions.push([v.path, v.was?.kind ?? null, v.to])
    assert.deepEqual(versions, [
      ['a', null, 'c'],
      ['a', 'file', undefined]
    ])
  })

  it('a clock that is put back does not put lines before those that were there', async () => {
    await store.record([gone('a', '1')])
    clock.setWall(START - 100 * DAY)
    const at = await store.record([gone('a', '2')])
    assert.equal(at, START)
    const again = new VersionStore(kit.root, clock)
    assert.equal(await again.record([gone('a', '3')]), START)
    const seen = []
    for await (const { was } of again.newestFirst()) seen.push(was?.kind === 'file' && was.hash)
    assert.deepEqual(seen, [hashOf('3'), hashOf('2'), hashOf('1')])
  })

  it('a line that a crash cut off is passed over, and the next one stands for itself', async () => {
    await store.record([gone('a', '1')])
    const list = kit.at('.spacedrive/versions/lists/2026-01-10')
    appendFileSync(list, '{"v":1,"at":17')
    await store.record([gone('b', '2')])
    const paths = []
    for await (const { path } of store.newestFirst()) paths.push(path)
    assert.deepEqual(paths, ['b', 'a'])
  })

  it('reads lists of any length backwards, whatever the pieces cut', async () => {
    const many = Array.from({ length: 9_000 }, (_, i) => gone(`${'long-name-'.repeat(i % 20)}${i}`, '1'))
    for (let i = 0; i < many.length; i += 1_000) await store.record(many.slice(i, i + 1_000))
    let n = many.length
    for await (const { path } of store.newestFirst()) assert.equal(path, many[--n]!.path)
    assert.equal(n, 0)
  })

  it('a file that nobody may read is kept and can be read again', async () => {
    writeFileSync(kit.at('secret'), 'x')
    chmodSync(kit.at('secret'), 0)
    await change('secret', null)
    const [hash] = stored()
    assert.equal(hash, hashOf('x'))
    assert.equal(lstatSync(kit.at(`.spacedrive/versions/content/${hash!.slice(0, 2)}/${hash}`)).mode & 0o777, 0o600)
    await assert.rejects(store.stage(kit.staging, hashOf('never'), rel('n')), { code: 'NO_VERSION' })
  })

  describe('thinning', () => {
    const never = async (): Promise<ReadonlySet<ContentHash>> => new Set()

    it('lets go what the policy does not keep, and nothing that a kept line or somebody else needs', async () => {
      await change('a', '1')
      await change('a', '2')
      await change('b', '1')
      await clock.advance(40 * DAY)
      await change('b', '3') // a line of today names content 1
      await change('c', '4')
      await clock.advance(1)
      await change('c', '5')
      assert.deepEqual(stored().sort(), [hashOf('1'), hashOf('4')].sort())
      const kept = await store.thin({ policies: [{ kind: 'trashcan', days: 30 }], mustStay: never })
      assert.deepEqual(kept, { linesDropped: 3, contentsRemoved: 0, bytesFreed: 0 })
      await clock.advance(40 * DAY)
      const asked: ContentHash[] = []
      const mustStay = async (hashes: readonly ContentHash[]): Promise<ReadonlySet<ContentHash>> => {
        asked.push(...hashes)
        return new Set([hashOf('4')])
      }
      const freed = await store.thin({ policies: [{ kind: 'trashcan', days: 30 }], mustStay })
      assert.deepEqual([freed.contentsRemoved, freed.bytesFreed], [1, 1])
      assert.deepEqual(asked.sort(), [hashOf('1'), hashOf('4')].sort())
      assert.deepEqual(stored(), [hashOf('4')])
      assert.equal((await store.thin({ policies: [{ kind: 'trashcan', days: 30 }], mustStay })).linesDropped, 0)
      await store.thin({ policies: [{ kind: 'trashcan', days: 30 }], mustStay: never })
      assert.deepEqual(stored(), [])
      assert.deepEqual(readdirSync(kit.at('.spacedrive/versions/lists')), ['since'])
    })

    it('what no line names any more goes, also when a crash kept it from going', async () => {
      await change('a', '1')
      await change('a', '2')
      mkdirSync(kit.at(`.spacedrive/versions/content/${hashOf('z').slice(0, 2)}`), { recursive: true })
      writeFileSync(kit.at(`.spacedrive/versions/content/${hashOf('z').slice(0, 2)}/${hashOf('z')}`), 'z')
      const report = await store.thin({ policies: [{ kind: 'staggered' }], mustStay: never })
      assert.deepEqual(report, { linesDropped: 0, contentsRemoved: 1, bytesFreed: 1 })
      assert.deepEqual(stored(), [hashOf('1')])
    })

    it('lines that are written meanwhile are there afterwards', async () => {
      for (let i = 0; i < 50; i++) await store.record([gone('a', String(i))])
      await clock.advance(2 * DAY)
      await store.record([gone('a', 'young')])
      const thinning = store.thin({ policies: [{ kind: 'simple', count: 1 }], mustStay: never })
      const writing = Array.from({ length: 20 }, (_, i) => store.record([gone('b', String(i))]))
      await Promise.all([thinning, ...writing])
      const paths: string[] = []
      for await (const { path } of store.newestFirst()) paths.push(path)
      assert.deepEqual(paths, [...Array.from({ length: 20 }, () => 'b'), 'a'])
    })
  })

  it('verify finds what is damaged and what is missing', async () => {
    for (const [path, text] of [
      ['a', 'first'],
      ['b', 'second'],
      ['c', 'third']
    ] as const) {
      await change(path, text)
      await change(path, null)
    }
    const problems = async (): Promise<string[]> => {
      const found: string[] = []
      for await (const { code, path } of store.verify()) found.push(`${path} ${code}`)
      return found
    }
    assert.deepEqual(await problems(), [])
    const at = (text: string): string =>
      kit.at(`.spacedrive/versions/content/${hashOf(text).slice(0, 2)}/${hashOf(text)}`)
    writeFileSync(at('second'), 'sEcond')
    assert.equal(await kit.root.versions.remove([hashOf('third')]), 1)
    assert.deepEqual(await problems(), ['c VERSION_MISSING', 'b VERSION_DAMAGED'])
  })
})

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
