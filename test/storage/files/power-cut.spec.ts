import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { type FileName, type RelPath, ROOT, type WorkerPool, workerPool } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import {
  type FileRoot,
  type Files,
  isTempName,
  openFiles,
  ownerTag,
  type PlaceResult,
  type PlaceStep,
  type Staging
} from '../../../storage/files/index.js'
import { randomFrom } from '../../random.js'
import { pack } from './pack.js'
import { SimulatedDisk, type SimulatedDiskInit } from './simulated-disk.js'

const FOLDER = '/home/person'
const rel = (path: string): RelPath => path as RelPath
/** Random plans a disk; each is cut at some thirty places. More by SPACEDRIVE_POWER_CUTS, for a long search. */
const RUNS = Number(process.env.SPACEDRIVE_POWER_CUTS ?? 10)
/** Several pages, so that it can be torn; each content exists once. */
const content = (what: string): string => `${what}|`.repeat(2_500)

interface Plan {
  /** Which of the names a to d hold something before. */
  readonly there: readonly boolean[]
  readonly steps: readonly { kind: 'create' | 'replace' | 'remove' | 'move'; name: number; to: number }[]
  readonly cycle: 2 | 3
  readonly seed: number
}

const plans: fc.Arbitrary<Plan> = fc.record({
  there: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  steps: fc.array(
    fc.record({
      kind: fc.constantFrom('create', 'replace', 'remove', 'move'),
      name: fc.nat(3),
      to: fc.nat(3)
    }),
    { minLength: 1, maxLength: 5 }
  ),
  cycle: fc.constantFrom(2, 3),
  seed: fc.nat()
})

/** Everything that a folder holds: path -> content, `null` for a directory. */
function contents(disk: SimulatedDisk): Map<string, string | null> {
  const found = new Map<string, string | null>()
  const visit = (path: string): void => {
    const dir = disk.openRoot(`${FOLDER}/${path}`)
    for (const name of disk.list(dir)) {
      const at = path === '' ? name : `${path}/${name}`
      const { kind, sizeBytes } = disk.lstat(dir, name)
      if (kind === 'directory') {
        found.set(at, null)
        visit(at)
        continue
      }
      if (kind !== 'file') continue
      const fd = disk.open(dir, name, 'read')
      const bytes = Buffer.alloc(sizeBytes)
      disk.read(fd, bytes, 0)
      disk.close(fd)
      found.set(at, bytes.toString())
    }
    disk.close(dir)
  }
  visit('')
  return found
}

const NAMES = ['a', 'b', 'c', 'd'] as const
const TURNING = ['r', 's', 't'] as const

function prepare(disk: SimulatedDisk, { there }: Plan): void {
  let dir = disk.openRoot('/')
  for (const name of ['home', 'person']) {
    disk.makeDir(dir, name, 0o755)
    dir = disk.openDir(dir, name)
  }
  for (const name of [...NAMES.filter((_, i) => there[i]), ...TURNING]) {
    const fd = disk.open(dir, name, 'create', 0o644)
    disk.write(fd, Buffer.from(content(`old ${name}`)), 0)
    disk.close(fd)
  }
  disk.syncAllReports ? disk.syncAll(dir) : syncEverything(disk)
}

function syncEverything(disk: SimulatedDisk): void {
  for (const path of ['/', '/home', FOLDER]) disk.sync(disk.openRoot(path))
  const dir = disk.openRoot(FOLDER)
  for (const name of disk.list(dir)) disk.sync(disk.open(dir, name, 'read'))
}

interface Progress {
  batch?: readonly PlaceResult[]
  turned?: boolean
  dropped?: boolean
}

async function run(disk: SimulatedDisk, files: Files, plan: Plan, id: string, progress: Progress): Promise<void> {
  const root = await files.openRoot(FOLDER as never)
  const staging = await root.openStaging(id)
  await stageAll(staging)
  const dir = disk.openRoot(FOLDER)
  const seen = (name: string) => {
    try {
      return disk.lstat(dir, name)
    } catch {
      return { kind: 'file' as const }
    }
  }
  progress.batch = await root.place(
    plan.steps.map(({ kind, name, to }, i): PlaceStep => {
      const path = rel(NAMES[name]!)
      const from = { staging: id, path: rel(`new-${i}`) }
      const aside = { staging: id, path: rel(`old/${i}`) }
      if (kind === 'create') return { kind, path, from }
      if (kind === 'replace') return { kind, path, from, aside, expected: seen(path) }
      if (kind === 'remove') return { kind, path, aside, expected: seen(path) }
      return { kind, path, to: rel(NAMES[to]!), expected: seen(path) }
    })
  )
  const turning = TURNING.slice(0, plan.cycle)
  const turned = await root.placeGroup(
    turning.map(
      (name, i): PlaceStep => ({
        kind: 'move',
        path: rel(name),
        to: rel(turning[(i + 1) % turning.length]!),
        expected: seen(name)
      })
    )
  )
  assert.ok(turned.every(r => r.done))
  progress.turned = true
  await staging.moveInto(ROOT, [{ from: 'x' as FileName }, { from: 'y' as FileName }])
  progress.dropped = true
}

async function stageAll(staging: Staging): Promise<void> {
  const staged = ['new-0', 'new-1', 'new-2', 'new-3', 'new-4', 'x', 'y/z']
  const { entries, data } = pack(Object.fromEntries(staged.map(path => [path, content(path)])))
  assert.deepEqual((await staging.write(entries, data)).problems, [])
}

function check(found: Map<string, string | null>, plan: Plan, progress: Progress, when: string): void {
  const visible = [...found].filter(([path]) => !isTempName(path.split('/')[0]!))
  const all = new Set(found.values())
  const whole = new Set([
    ...[...NAMES, ...TURNING].map(n => content(`old ${n}`)),
    ...['new-0', 'new-1', 'new-2', 'new-3', 'new-4', 'x', 'y/z'].map(content)
  ])
  for (const [path, bytes] of visible) {
    assert.ok(
      bytes === null || whole.has(bytes),
      `${path} is not whole ${when}: ${bytes?.slice(0, 20)} ${bytes?.length}`
    )
  }
  for (const name of [...NAMES.filter((_, i) => plan.there[i]), ...TURNING]) {
    assert.ok(all.has(content(`old ${name}`)), `old ${name} is lost ${when}`)
  }
  const turning = TURNING.slice(0, plan.cycle)
  const turned = (by: number): boolean =>
    turning.every((name, i) => found.get(turning[(i + by) % turning.length]!) === content(`old ${name}`))
  assert.ok(turned(1) || (!progress.turned && turned(0)), `the cycle is half ${when}`)
  const arrived = [found.get('x') === content('x'), found.get('y/z') === content('y/z')]
  assert.equal(arrived[0], arrived[1], `the drop is half ${when}`)
  if (progress.dropped) assert.ok(arrived[0], `the drop is gone ${when}`)
  // What was reported as done after the second sync holds over the cut: the names end as the steps leave them.
  if (progress.batch !== undefined) {
    const names = new Map<string, string | undefined>(
      NAMES.map((n, i) => [n, plan.there[i] ? content(`old ${n}`) : undefined])
    )
    for (const [i, step] of plan.steps.entries()) {
      if (!progress.batch[i]!.done) continue
      const name = NAMES[step.name]!
      if (step.kind === 'move') {
        names.set(NAMES[step.to]!, names.get(name))
        names.set(name, undefined)
      } else names.set(name, step.kind === 'remove' ? undefined : content(`new-${i}`))
    }
    for (const [name, bytes] of names) assert.equal(found.get(name), bytes, `${name} ${when}`)
  }
}

/** Where the trial of the file system was cut off: the next process takes that away, and here there is but one. */
const isProbe = (path: string): boolean => /^\.spacedrive-tmp-\w+-[0-9a-f]{8}-0000-8000-8000-/.test(path)

/** After the cut: what is still missing can be done, and nothing of ours stays. */
async function finish(root: FileRoot, id: string): Promise<void> {
  const staging = await root.openStaging(id)
  const files = ['x', 'y/z'].map(path => {
    const bytes = Buffer.from(content(path))
    return { path: rel(path), sizeBytes: bytes.length, hash: hashBytes(bytes) }
  })
  // As a transfer does after a restart: what is not whole is staged again, unless everything had its names already.
  if ((await staging.moved()) === undefined) {
    if ((await staging.verify(files)).some(state => state !== 'whole')) await stageAll(staging)
    await staging.moveInto(ROOT, [{ from: 'x' as FileName }, { from: 'y' as FileName }])
  }
  await staging.discard()
}

const DISKS: readonly (readonly [string, SimulatedDiskInit])[] = [
  ['exchange and one sync for all', {}],
  ['exchange, each file synced', { syncAll: false }],
  ['no exchange, rename over links', { exchange: false, noReplace: false }]
]

describe('the power goes at any moment', () => {
  let pool: WorkerPool
  before(() => {
    pool = workerPool(2)
  })
  after(() => pool.close())
  const open = (disk: SimulatedDisk): Files => openFiles({ pool, owner: ownerTag('test'), disk })

  for (const [name, init] of DISKS) {
    it(`old or new and whole, nothing lost, what was reported stays (${name})`, async () => {
      await fc.assert(
        fc.asyncProperty(plans, async plan => {
          const id = randomUUID()
          const fresh = (): SimulatedDisk => {
            const disk = new SimulatedDisk(init)
            prepare(disk, plan)
            return disk
          }
          const whole = fresh()
          const begin = whole.operations
          await run(whole, open(whole), plan, id, {})
          const random = randomFrom(plan.seed)
          for (let cut = begin; cut <= whole.operations; cut += 1 + Math.floor(random() * 6)) {
            const disk = fresh()
            disk.cutAt = cut
            const progress: Progress = {}
            await run(disk, open(disk), plan, id, progress).catch(() => {})
            disk.powerCut(random)
            const when = `after ${cut - begin} of ${whole.operations - begin}`
            // Every other time it goes once more, in the middle of the recovery.
            if (random() < 0.5) {
              disk.cutAt = disk.operations + 30 + Math.floor(random() * 20)
              const again = open(disk)
              await again.openRoot(FOLDER as never).then(
                root => root.recover(),
                () => {}
              )
              disk.powerCut(random)
            }
            const files = open(disk)
            const root = await files.openRoot(FOLDER as never)
            assert.deepEqual((await root.recover()).problems, [], when)
            check(contents(disk), plan, progress, when)
            await finish(root, id)
            check(
              contents(disk),
              { ...plan, there: [false, false, false, false] },
              { dropped: true },
              `finished ${when}`
            )
            const ours = [...contents(disk).keys()].filter(path => isTempName(path.split('/')[0]!) && !isProbe(path))
            assert.deepEqual(ours, [], when)
            await files.close()
          }
        }),
        { numRuns: RUNS }
      )
    })
  }
})
