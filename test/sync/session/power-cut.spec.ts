import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ENDS, type End, type Mode } from '../../../sync/reconcile/index.js'
import type { SessionOutcome } from '../../../sync/session/index.js'
import { randomFrom } from '../../random.js'
import type { SimulatedDiskInit } from '../../storage/files/simulated-disk.js'
import { type DiskEdit, type Shown, SyncDisk } from './power-cut-disk.js'
import { type Device, Devices } from './power-cut-rig.js'

/** A sample of plans and moments here; SYNC_CUTS=N: so many plans in each mode, and every operation of each. */
const ALL = process.env.SYNC_CUTS !== undefined
const PLANS = Number(process.env.SYNC_CUTS ?? 6)
const CUTS = 4
const CUTS_OF_MANY = 16
/** So many that they are made durable as a whole. */
const BATCH_OF_MANY = 17

const NAMES = ['a', 'b', 'c', 'd.txt']
const path = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))
const edits = fc.array(
  fc.record<DiskEdit>({
    end: fc.constantFrom('source', 'source', 'destination'),
    kind: fc.constantFrom('write', 'write', 'write', 'delete', 'move', 'move', 'swap', 'folder', 'link', 'mode'),
    path,
    to: path,
    text: fc.integer({ min: 1, max: 99 }).map(n => `edited ${n}`)
  }),
  { minLength: 2, maxLength: 10 }
)

interface Plan {
  /** What both ends have, when they have agreed on something. */
  readonly before: readonly string[]
  readonly agreed: boolean
  readonly edits: readonly DiskEdit[]
  readonly seed: number
}

const plans: fc.Arbitrary<Plan> = fc.record({
  before: fc.array(path, { minLength: 4, maxLength: 12 }),
  agreed: fc.constantFrom(true, true, true, false),
  edits,
  seed: fc.nat()
})

const DISKS: readonly (readonly [string, SimulatedDiskInit])[] = [
  ['one sync of the whole', {}],
  ['each file synced', { syncAll: false }],
  ['no exchange, no rename that refuses to replace', { exchange: false, noReplace: false }]
]

/** What loses what was not durable: all of it at once, or a disk that was pulled out. */
const LOSING: readonly (readonly (End | 'device')[])[] = [
  ['source', 'destination', 'device'],
  ['source', 'destination', 'device'],
  ['destination'],
  ['source'],
  ['device']
]

describe('a sync: the power goes after any operation of a session', () => {
  for (const mode of ['bidirectional', 'mirror', 'replica', 'backup'] as Mode[]) {
    it(`${mode}: each path old or new and whole, nothing lost, the next run ends as if nothing had been`, async () => {
      const devices = new Devices(mode)
      try {
        await fc.assert(
          fc.asyncProperty(fc.constantFrom(...DISKS), plans, (disk, plan) => cutThrough(devices, disk, plan)),
          { numRuns: PLANS, endOnFailure: true }
        )
      } finally {
        devices.clean()
      }
    })
  }

  // Batches that are made durable as a whole, of which one is placed while the other one is brought.
  for (const [mode, names] of [
    ['bidirectional', { source: 20, destination: 20 }],
    ['mirror', { source: 40, destination: 0 }]
  ] as const)
    it(`${mode}: the same of many new files`, async () => {
      // Three batches at one end: what is made durable of one, and written down of another, is so while the next one is staged.
      const devices = new Devices(mode, { batchSteps: BATCH_OF_MANY })
      const write = (end: End) => (_: unknown, n: number) =>
        ({ end, kind: 'write', path: `${end}/${n}`, to: '', text: `${end} ${n}` }) as DiskEdit
      const written = ENDS.flatMap(end => Array.from({ length: names[end] }, write(end)))
      try {
        for (const [seed, disk] of [DISKS[0]!, DISKS[2]!].entries())
          await cutThrough(devices, disk, { before: ['a'], agreed: seed > 0, edits: written, seed }, CUTS_OF_MANY)
      } finally {
        devices.clean()
      }
    })
})

/** One session, cut at some of its moments or at all of them. */
async function cutThrough(
  devices: Devices,
  [title, init]: readonly [string, SimulatedDiskInit],
  plan: Plan,
  cuts = CUTS
): Promise<void> {
  const prepared = await prepare(devices, init, plan)
  const whole = devices.copy(prepared)
  const had = contentsOf(whole)
  const old = shownOf(whole)
  const first = whole.disk.operations
  ensureDone(await devices.run(whole), `${title}, uncut`)
  const last = whole.disk.operations
  const wanted = shownOf(whole)
  ensureAll(had, whole, `${title}, uncut`)
  devices.drop(whole)

  const random = randomFrom(plan.seed)
  for (const at of momentsOf(last - first, cuts, random)) {
    let device = devices.copy(prepared)
    device.disk.cutAt = first + at
    // Right after its end: what the archive says is to hold on both disks.
    const losing = at > last - first ? LOSING[0]! : LOSING[Math.floor(random() * LOSING.length)]!
    device = await devices.cut(device, random, losing)
    const what = `${title}, cut after ${at} of ${last - first}, losing ${losing.join(' and ')}`
    checkCut(device, { had, old, wanted }, what)
    // Every third time it goes once more, while it is made good.
    if (random() < 0.33) {
      device.disk.cutAt = device.disk.operations + Math.floor(random() * 60)
      device = await devices.cut(device, random, LOSING[0]!)
      checkCut(device, { had, old, wanted }, `${what}, twice`)
    }
    ensureDone(await devices.run(device), what)
    ensureAll(had, device, what)
    assert.deepEqual(shownOf(device), wanted, what)
    const again = await devices.run(device)
    assert.equal(again.state === 'done' && again.plan.operations, 0, `${what}: one run more does nothing`)
    for (const end of ENDS) assert.deepEqual(device.disk.left(end), [], what)
    ensureRecorded(devices.recorded(device), old, wanted, what)
    devices.drop(device)
  }
  devices.drop(prepared)
}

/** Before which operations it is cut: each, or some; and once after the last. */
function momentsOf(operations: number, cuts: number, random: () => number): number[] {
  const some = Array.from({ length: cuts }, (_, i) => Math.floor(((i + random()) * operations) / cuts))
  return [...(ALL ? Array(operations).keys() : some), operations + 1]
}

type Ends = Readonly<Record<End, Shown>>

const shownOf = ({ disk }: Device): Ends => ({ source: disk.shown('source'), destination: disk.shown('destination') })
const contentsOf = ({ disk }: Device): Set<string> =>
  new Set([...disk.contents('source'), ...disk.contents('destination')])

/** In step, unless they never were, then edited; all of it durable. */
async function prepare(devices: Devices, init: SimulatedDiskInit, plan: Plan): Promise<Device> {
  const disk = new SyncDisk(init)
  const device = devices.fresh(disk)
  const write = (end: End, at: string, text: string): void => disk.edit({ end, kind: 'write', path: at, to: at, text })
  for (const at of plan.before) write('source', at, `first ${at}`)
  if (plan.agreed) ensureDone(await devices.run(device), 'the first run')
  for (const edit of plan.edits) disk.edit(edit)
  disk.rest()
  return device
}

function ensureDone(outcome: SessionOutcome, when: string): void {
  assert.equal(outcome.state, 'done', `${when}: ${JSON.stringify(outcome).slice(0, 300)}`)
  if (outcome.state === 'done') assert.deepEqual(outcome.result.problems, [], when)
}

function ensureAll(had: ReadonlySet<string>, device: Device, when: string): void {
  const has = contentsOf(device)
  for (const content of had) assert.ok(has.has(content), `${when}: lost: ${content}`)
}

/** Whatever was done before and after the cut can be taken back: it is written down, by its own name or that of a folder above. */
function ensureRecorded(
  recorded: Readonly<Record<End, ReadonlySet<string>>>,
  old: Ends,
  wanted: Ends,
  when: string
): void {
  for (const end of ENDS)
    for (const path of new Set([...Object.keys(old[end]), ...Object.keys(wanted[end])])) {
      if (old[end][path] === wanted[end][path]) continue
      const parts = path.split('/')
      const known = parts.some((_, i) => recorded[end].has(parts.slice(0, i + 1).join('/')))
      assert.ok(known, `${when}: nothing says what became of ${path} at the ${end}`)
    }
}

/** Right after a cut, before anybody looks: what is half done is in a journal, and its paths may be missing until then. */
function checkCut(
  device: Device,
  { had, old, wanted }: { had: Set<string>; old: Ends; wanted: Ends },
  when: string
): void {
  ensureAll(had, device, when)
  const now = shownOf(device)
  for (const end of ENDS) {
    for (const [at, is] of Object.entries(now[end]))
      assert.ok(
        [old[end][at], wanted[end][at]].includes(is),
        `${when}: ${at} at the ${end} is neither old nor new: ${is}`
      )
  }
}
