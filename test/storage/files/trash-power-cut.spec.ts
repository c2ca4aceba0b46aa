import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { type AbsPath, type WorkerPool, workerPool } from '../../../storage/base/index.js'
import { type Files, openFiles, ownerTag, type TrashAddress } from '../../../storage/files/index.js'
import { randomFrom } from '../../random.js'
import { SimulatedDisk, type SimulatedDiskInit } from './simulated-disk.js'

const FOLDER = '/home/person'
const HOME = '/home/data' as AbsPath
/** Random plans a disk; each is cut at some thirty places. More by SPACEDRIVE_POWER_CUTS, for a long search. */
const RUNS = Number(process.env.SPACEDRIVE_POWER_CUTS ?? 60)
const FILES = ['a', 'b', 'c', 'tree/d', 'tree/deep/e'] as const
const TOPS = ['a', 'b', 'c', 'tree'] as const
const content = (what: string): string => `${what}|`.repeat(2_500)

type Step =
  | { readonly kind: 'put'; readonly names: readonly number[] }
  | { readonly kind: 'back' | 'remove'; readonly nth: number }

interface Plan {
  readonly steps: readonly Step[]
  readonly seed: number
  /** Whether the data directory is there: else the bin lies in the area. */
  readonly home: boolean
}

const plans: fc.Arbitrary<Plan> = fc.record({
  steps: fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('put' as const), names: fc.uniqueArray(fc.nat(3), { minLength: 1 }) }),
      fc.record({ kind: fc.constantFrom('back' as const, 'remove' as const), nth: fc.nat(3) })
    ),
    { minLength: 1, maxLength: 6 }
  ),
  seed: fc.nat(),
  home: fc.boolean()
})

/** Every file on the disk: path -> content. */
function contents(disk: SimulatedDisk): Map<string, string> {
  const found = new Map<string, string>()
  const visit = (path: string): void => {
    const dir = disk.openRoot(path === '' ? '/' : path)
    for (const name of disk.list(dir)) {
      const { kind, sizeBytes } = disk.lstat(dir, name)
      if (kind === 'directory') visit(`${path}/${name}`)
      if (kind !== 'file') continue
      const fd = disk.open(dir, name, 'read')
      const bytes = Buffer.alloc(sizeBytes)
      disk.read(fd, bytes, 0)
      disk.close(fd)
      found.set(`${path}/${name}`, bytes.toString())
    }
    disk.close(dir)
  }
  visit('')
  return found
}

function prepare(disk: SimulatedDisk, { home }: Plan): void {
  const make = (path: string): void => {
    const at = path.lastIndexOf('/')
    disk.makeDir(disk.openRoot(path.slice(0, at) || '/'), path.slice(at + 1), 0o755)
  }
  for (const path of ['/home', FOLDER, `${FOLDER}/tree`, `${FOLDER}/tree/deep`, ...(home ? [HOME] : [])]) make(path)
  for (const path of FILES) {
    const at = `${FOLDER}/${path}`.lastIndexOf('/')
    const dir = disk.openRoot(`${FOLDER}/${path}`.slice(0, at))
    const fd = disk.open(dir, `${FOLDER}/${path}`.slice(at + 1), 'create', 0o644)
    disk.write(fd, Buffer.from(content(path)), 0)
    disk.sync(fd)
  }
  for (const path of ['/', '/home', FOLDER, `${FOLDER}/tree`, `${FOLDER}/tree/deep`]) disk.sync(disk.openRoot(path))
  if (home) disk.sync(disk.openRoot(HOME))
}

/** What must hold of each name at the top: where it is, as far as it was reported. */
type Where = 'there' | 'trash' | 'removed' | 'unknown'

async function run(disk: SimulatedDisk, files: Files, { steps }: Plan, where: Map<string, Where>): Promise<void> {
  const [bin] = await files.trash.findBins([FOLDER as AbsPath], HOME)
  if (typeof bin !== 'string') return assert.fail(bin?.message)
  const kept: (TrashAddress & { name: string })[] = []
  for (const step of steps) {
    if (step.kind === 'put') {
      const dir = disk.openRoot(FOLDER)
      const names = step.names.map(i => TOPS[i]!).filter(name => where.get(name) === 'there')
      const items = names.map(name => ({ at: `${FOLDER}/${name}` as AbsPath, expected: disk.lstat(dir, name) }))
      for (const name of names) where.set(name, 'unknown')
      const id = randomUUID()
      const results = await files.trash.put(bin, { id, atMs: 1, command: 'test', job: null }, items)
      for (const [i, result] of results.entries()) {
        if (!result.done) throw new Error(result.problem.message)
        where.set(names[i]!, 'trash')
        kept.push({ batch: id, n: result.n, name: names[i]! })
      }
      continue
    }
    const item = kept.splice(step.nth, 1)[0]
    if (item === undefined) continue
    where.set(item.name, 'unknown')
    if (step.kind === 'back') {
      const [back] = await files.trash.takeBack(bin, [{ ...item, to: `${FOLDER}/${item.name}` as AbsPath }])
      if (!back!.done) throw new Error(back!.problem.message)
      where.set(item.name, 'there')
    } else {
      where.set(item.name, 'removed')
      while (!(await files.trash.remove(bin, item)).done);
    }
  }
}

function check(disk: SimulatedDisk, where: ReadonlyMap<string, Where>, items: ReadonlySet<string>, when: string): void {
  const found = contents(disk)
  const places = (path: string): string[] => [...found].filter(([, c]) => c === content(path)).map(([at]) => at)
  for (const path of FILES) {
    const top = path.split('/')[0]!
    const state = where.get(top)!
    const at = places(path)
    if (state === 'removed') {
      assert.ok(at.length <= 1, `${path} in several places ${when}: ${at}`)
      continue
    }
    assert.equal(at.length, 1, `${path} is in ${at.length} places ${when}: ${at}`)
    const there = at[0] === `${FOLDER}/${path}`
    if (state === 'there') assert.ok(there, `${path} is not where it was reported ${when}: ${at}`)
    if (state === 'trash') assert.ok(!there, `${path} was reported thrown away ${when}`)
    // What is not at its place is known by a manifest.
    assert.equal(items.has(`${FOLDER}/${top}`), !there, `${path} in the trash ${when}`)
  }
}

const DISKS: readonly (readonly [string, SimulatedDiskInit])[] = [
  ['one sync for all', {}],
  ['each synced, rename over links', { exchange: false, noReplace: false, syncAll: false }]
]

describe('the power goes while something is thrown away, taken back or removed', () => {
  let pool: WorkerPool
  before(() => {
    pool = workerPool(1)
  })
  after(() => pool.close())
  const open = (disk: SimulatedDisk): Files => openFiles({ pool, owner: ownerTag('test'), disk })

  for (const [name, init] of DISKS) {
    it(`each file is in one place, and what was reported holds (${name})`, async () => {
      await fc.assert(
        fc.asyncProperty(plans, async plan => {
          const fresh = (): SimulatedDisk => {
            const disk = new SimulatedDisk(init)
            prepare(disk, plan)
            return disk
          }
          const begin = (): Map<string, Where> => new Map(TOPS.map(n => [n, 'there']))
          const whole = fresh()
          const first = whole.operations
          await run(whole, open(whole), plan, begin())
          const random = randomFrom(plan.seed)
          for (let cut = first; cut <= whole.operations; cut += 1 + Math.floor(random() * 6)) {
            const disk = fresh()
            disk.cutAt = cut
            const where = begin()
            await run(disk, open(disk), plan, where).catch(err => assert.match(String(err), /power is gone/))
            disk.powerCut(random)
            const when = `after ${cut - first} of ${whole.operations - first}`
            const files = open(disk)
            const [bin] = await files.trash.findBins([FOLDER as AbsPath], HOME)
            const batches = await files.trash.read(bin as AbsPath, []).catch(err => {
              assert.equal(err.code, 'NO_BIN', when) // cut before the bin was made
              return []
            })
            assert.deepEqual(
              batches.flatMap(b => b.problem ?? []),
              [],
              when
            )
            check(disk, where, new Set(batches.flatMap(b => b.items.map(i => i.origin))), when)
            await files.close()
          }
        }),
        { numRuns: RUNS }
      )
    })
  }
})
