import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { AbsPath } from '../../../storage/base/index.js'
import type { CopyInput } from '../../../sync/copy/index.js'
import { randomFrom } from '../../random.js'
import type { SimulatedDiskInit } from '../../storage/files/simulated-disk.js'
import { copied, leftBehind } from './model.js'
import { begin, CopyDisk, type Cutting, inTrash, runCopy } from './power-cut-rig.js'
import { randomTree } from './random-trees.js'
import type { Node, Tree } from './trees.js'

/** A sample of plans and moments here; COPY_CUTS=all: many plans, and every operation of each. */
const ALL = process.env.COPY_CUTS === 'all'
const PLANS = ALL ? 40 : 4
const CUTS = 8

interface Plan {
  readonly from: Tree
  readonly to: Tree
  readonly overwrite: 'skip' | 'replace' | 'skip-newer'
  readonly operation: 'copy' | 'move'
  readonly verify: boolean
  /** Every so many-th file of the source gets a second name. */
  readonly linked: number
  readonly apart: boolean
  readonly seed: number
}

const plans: fc.Arbitrary<Plan> = fc.record({
  from: randomTree,
  to: randomTree,
  overwrite: fc.constantFrom('skip', 'replace', 'skip-newer'),
  operation: fc.constantFrom('copy', 'move'),
  verify: fc.boolean(),
  linked: fc.constantFrom(1, 2, 3),
  apart: fc.boolean(),
  seed: fc.nat()
})

const DISKS: readonly (readonly [string, SimulatedDiskInit])[] = [
  ['one sync of the whole', {}],
  ['each file synced', { syncAll: false }],
  ['no exchange, no rename that refuses to replace', { exchange: false, noReplace: false }]
]

describe('copy and move: the power goes after any operation', () => {
  for (const [title, init] of DISKS) {
    it(`each name old or new and whole, nothing lost, and run again it ends as if nothing had been (${title})`, () =>
      fc.assert(
        fc.asyncProperty(plans, async plan => {
          const { disk: whole, first } = prepared(init, plan)
          await runCopy(whole, inputOf(plan), begin())
          await checkEnd(whole, plan, 'uncut')
          const random = randomFrom(plan.seed)
          const step = ALL ? 1 : Math.max(1, (whole.operations - first) / CUTS)
          for (let at = first + random() * step; at < whole.operations; at += ALL ? 1 : step * (0.5 + random())) {
            const when = `cut after ${Math.floor(at) - first} of ${whole.operations - first}`
            const { disk } = prepared(init, plan)
            disk.cutAt = Math.floor(at)
            const cutting = begin()
            await runCopy(disk, inputOf(plan), cutting).catch(() => {})
            disk.powerCut(random)
            await checkCut(disk, plan, when)
            // Every third time it goes once more, while it is made good.
            if (random() < 0.33) {
              disk.cutAt = disk.operations + Math.floor(random() * 60)
              await runCopy(disk, inputOf(plan), cutting).catch(() => {})
              disk.powerCut(random)
              await checkCut(disk, plan, `${when}, twice`)
            }
            await again(disk, plan, cutting)
            await checkEnd(disk, plan, when)
          }
        }),
        { numRuns: PLANS }
      ))
  }
})

const inputOf = ({ operation, overwrite, verify }: Plan): CopyInput => ({
  ...{ operation, overwrite, verify, sources: ['/source/from' as AbsPath], destination: '/to' as AbsPath },
  ...{ into: false, keepTimes: true, include: [], exclude: [], prepare: 'scan' },
  ...{ keep: true, owner: false, xattrs: false }
})

function prepared(init: SimulatedDiskInit, plan: Plan): { disk: CopyDisk; first: number } {
  const disk = new CopyDisk({ ...init, apart: plan.apart })
  const { from, also } = source(plan)
  disk.fill('/source/from', from, also)
  disk.fill('/to/from', plan.to)
  return { disk, first: disk.operations }
}

/** The tree with its further names. */
function source({ from, linked }: Plan): { from: Tree; also: Map<string, string> } {
  const also = new Map<string, string>()
  const all: Tree = { ...from }
  let n = 0
  for (const [path, node] of Object.entries(from)) {
    if (node.kind !== 'file' || n++ % linked !== 0) continue
    also.set(`${path}~`, path)
    all[`${path}~`] = node
  }
  return { from: all, also }
}

async function again(disk: CopyDisk, plan: Plan, cutting: Cutting): Promise<void> {
  cutting.problems.length = 0
  await runCopy(disk, inputOf(plan), cutting)
}

/** Right after a cut. */
async function checkCut(disk: CopyDisk, plan: Plan, when: string): Promise<void> {
  const { from } = source(plan)
  const [there, here] = [disk.tree('/to/from'), disk.tree('/source/from')]
  const trash = await inTrash(disk)
  const staged = disk.staged()
  for (const [path, node] of Object.entries(there)) {
    if (node.kind === 'folder') continue
    const fits = [from[path], plan.to[path]].some(n => n !== undefined && held(n) === held(node))
    assert.ok(fits, `${path} holds neither the old nor the new ${when}: ${held(node)}`)
  }
  for (const [path, node] of Object.entries(plan.to)) {
    if (node.kind === 'folder') continue
    const places = [there[path] && held(there[path]), ...staged, ...(trash.get(`/to/from/${path}`) ?? [])]
    assert.ok(places.includes(held(node)), `the old ${path} is lost ${when}: ${places}`)
  }
  for (const [path, node] of Object.entries(from)) {
    if (node.kind === 'folder') continue
    const [old, moved] = [here[path], there[path]]
    if (plan.operation === 'copy') assert.equal(old && held(old), held(node), `the source ${path} ${when}`)
    else
      assert.ok(
        [old, moved].some(n => n && held(n) === held(node)),
        `${path} is at neither end ${when}`
      )
  }
}

/** At the end, cut or not. */
async function checkEnd(disk: CopyDisk, plan: Plan, when: string): Promise<void> {
  const { from } = source(plan)
  const strict = plan.verify || plan.operation === 'move'
  const wanted = copied(from, plan.to, plan.overwrite, strict)
  assert.deepEqual(timeless(disk.tree('/to/from')), timeless(wanted), when)
  const left = plan.operation === 'copy' ? from : leftBehind(from, wanted)
  assert.deepEqual(timeless(disk.tree('/source/from')), timeless(left), `the source, ${when}`)
  const trash = await inTrash(disk)
  for (const [path, node] of Object.entries(plan.to)) {
    if (node.kind === 'folder' || held(node) === held(wanted[path]!)) continue
    assert.ok(trash.get(`/to/from/${path}`)?.includes(held(node)), `the old ${path} is not in the trash ${when}`)
  }
  assert.deepEqual(disk.ours(), [], `something of ours is left ${when}`)
}

const held = (node: Node): string =>
  node.kind === 'file' ? node.content : node.kind === 'link' ? `-> ${node.target}` : 'a folder'

/** Times of folders follow what is put into them; those of links no system call makes durable. */
const timeless = (tree: Tree): Tree =>
  Object.fromEntries(Object.entries(tree).map(([p, n]) => [p, n.kind === 'file' ? n : { ...n, timeS: 0 }]))
