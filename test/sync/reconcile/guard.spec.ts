import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  type EndHolds,
  type Guarded,
  hashOperation,
  judge,
  MIN_GUARDED_FILES,
  mayForce,
  operationLine,
  type PlanRow,
  type ReconcileOptions,
  Tally,
  type Totals,
  windowStartMs
} from '../../../sync/reconcile/index.js'
import { Disk, path, World } from './model.js'
import { OPTIONS, planOf, sync } from './session.js'

const none = new Tally().totals
const holds = (files: number, more: Partial<EndHolds> = {}): EndHolds => ({
  files,
  rootEntriesAgreed: 3,
  rootEntries: 3,
  removedBefore: 0,
  replacedBefore: 0,
  ...more
})
const totals = (removed: number, replaced = 0): Totals => ({
  ...none,
  destination: { ...none.destination, removed, replaced }
})
const halts = (t: Totals, destination: EndHolds, more: Partial<Guarded> = {}): string[] =>
  judge({ mode: 'bidirectional', archive: true, totals: t, holds: { source: holds(100), destination }, ...more }).map(
    h => `${h.reason} ${h.end}`
  )

const OBJECTS = Array.from({ length: 40 }, (_, i) => `.git/objects/0a/${`${i}`.padStart(38, '0')}`)
const operation = (kind: 'create' | 'remove', at: string, content: string): PlanRow => {
  const hash = createHash('sha256').update(content).digest('hex')
  const file = { kind: 'file', hash, sizeBytes: 1 }
  return {
    row: 'operation',
    operation: { kind, end: 'destination', path: path(at), reason: 'deleted', content: file, expected: file }
  } as unknown as PlanRow
}

describe('reconcile: guards', () => {
  for (const [why, t, held, expected] of [
    ['half of the files', totals(50), holds(100), []],
    ['more than half', totals(51), holds(100), ['too-many-deletions destination']],
    ['all of nine', totals(9), holds(MIN_GUARDED_FILES - 1), []],
    ['six of ten', totals(6), holds(MIN_GUARDED_FILES), ['too-many-deletions destination']],
    ['nine tenths get other content', totals(0, 90), holds(100), []],
    ['more than nine tenths', totals(0, 91), holds(100), ['too-many-replacements destination']],
    [
      'many small plans within the window',
      totals(1),
      holds(49, { removedBefore: 50 }),
      ['too-many-deletions destination']
    ],
    ['the same without a deletion in this one', totals(0), holds(49, { removedBefore: 51 }), []],
    ['little after the window began', totals(1), holds(50, { removedBefore: 10 }), []],
    ['few remain of many', totals(1), holds(5, { removedBefore: 95 }), ['too-many-deletions destination']],
    [
      'a root of two was emptied',
      none,
      holds(0, { rootEntriesAgreed: 2, rootEntries: 0 }),
      ['root-emptied destination']
    ],
    ['a root of one was', none, holds(0, { rootEntriesAgreed: 1, rootEntries: 0 }), []]
  ] as const) {
    it(`${why}: ${expected.length === 0 ? 'goes on' : 'halts'}`, () => assert.deepEqual(halts(t, held), expected))
  }
  for (const [why, gone, kept, expected] of [
    ['packed away: the objects of a repository', OBJECTS, ['.git/HEAD'], []],
    ['of one that lies deeper', OBJECTS.map(p => `a/b/${p}`), ['a/b/.git/HEAD'], []],
    ['of one that is the folder itself, and bare', OBJECTS.map(p => p.slice(5)), ['HEAD'], []],
    ['with its HEAD', [...OBJECTS, '.git/HEAD'], [], ['too-many-deletions destination']],
    [
      'with its HEAD, which came back elsewhere',
      ['.git/HEAD', ...OBJECTS],
      ['other'],
      ['too-many-deletions destination']
    ],
    ['its HEAD went before', OBJECTS, [], ['too-many-deletions destination']],
    ['the HEAD of another one is there', OBJECTS, ['a/.git/HEAD'], ['too-many-deletions destination']],
    ['files of other names', OBJECTS.map(p => `${p}0`), ['.git/HEAD'], ['too-many-deletions destination']],
    [
      'and as many others',
      [...OBJECTS, ...OBJECTS.map((_, i) => `f${i}`)],
      ['.git/HEAD'],
      ['too-many-deletions destination']
    ]
  ] as const)
    it(`loose objects of git, ${why}: ${expected.length === 0 ? 'goes on' : 'halts'}`, () => {
      const tally = new Tally({ holds: (_, p) => kept.some(k => k === p) || gone.some(g => g === p) })
      if (kept.some(k => k === 'other')) tally.add(operation('create', 'other', '.git/HEAD'))
      for (const p of gone) tally.add(operation('remove', p, p))
      assert.deepEqual(halts(tally.totals, holds(50)), expected)
      const first = { mode: 'mirror', archive: false } as const
      assert.ok(halts(tally.totals, holds(50), first).includes('first-mirror destination'), 'a first mirror asks')
    })
  it('a first mirror halts for one deletion, one replacement or one directory', () => {
    const first = { mode: 'mirror', archive: false } as const
    const directory = { ...none, destination: { ...none.destination, directoriesRemoved: 1 } }
    for (const t of [totals(1), totals(0, 1), directory]) {
      assert.deepEqual(halts(t, holds(3), first), ['first-mirror destination'])
    }
    assert.deepEqual(halts(none, holds(3), first), [])
    assert.deepEqual(halts(totals(1), holds(3), { mode: 'mirror' }), [])
  })
  it('limits can be set', () => {
    assert.deepEqual(halts(totals(51), holds(100), { limits: { maxDeletePercent: 60, maxReplacePercent: 90 } }), [])
  })
  it('the window begins an hour ago, at the first agreement or at the last yes, whichever is latest', () => {
    assert.equal(windowStartMs(10_000_000, 0, undefined), 6_400_000)
    assert.equal(windowStartMs(10_000_000, 7_000_000, undefined), 7_000_000)
    assert.equal(windowStartMs(10_000_000, 7_000_000, 9_000_000), 9_000_000)
  })
  it('force passes only what halted before, and not once more is deleted or replaced', () => {
    const before = { planHash: 'x', totals: totals(60, 3) }
    assert.ok(!mayForce(totals(60, 3), undefined))
    assert.ok(mayForce(totals(60, 3), before))
    assert.ok(mayForce(totals(59, 0), before))
    assert.ok(!mayForce(totals(61, 3), before))
    assert.ok(!mayForce(totals(60, 4), before))
  })
})

describe('reconcile: totals and hash of a plan', () => {
  const options: ReconcileOptions = { ...OPTIONS }
  function start(identity: boolean) {
    const world = new World()
    const ends = { source: new Disk(world, 'A', identity), destination: new Disk(world, 'B', identity) }
    for (let i = 0; i < 12; i++) ends.source.write(path(`d/${i}`), `0000000000${i}`, 10)
    return { ends, archive: sync(new Map(), ends, { ...options, archive: false }).archive }
  }
  const tally = (plan: ReturnType<typeof planOf>): Totals => {
    const t = new Tally()
    for (const row of plan) t.add(row)
    return t.totals
  }
  for (const identity of [true, false]) {
    it(`a renamed directory is no deletion, ${identity ? 'by proof' : 'and without proof what comes back is none'}`, () => {
      const { ends, archive } = start(identity)
      ends.source.move(path('d'), path('e'))
      const { destination, operations } = tally(planOf(archive, ends))
      assert.equal(destination.removed, 0)
      assert.equal(identity ? operations : destination.created, identity ? 1 : 12)
    })
  }
  it('deletions are counted, and what only the index learns is not', () => {
    const { ends, archive } = start(true)
    ends.source.remove(path('d'))
    const { destination, operations } = tally(planOf(archive, ends))
    assert.deepEqual([destination.removed, destination.directoriesRemoved, operations], [12, 1, 13])
  })
  it('the same plan has the same hash, another plan another', () => {
    const { ends, archive } = start(true)
    ends.source.write(path('d/1'), 'new', 3)
    const hash = (): string => {
      const hasher = createHash('sha256')
      for (const row of planOf(archive, ends)) if (row.row === 'operation') hashOperation(hasher, row.operation)
      return hasher.digest('hex')
    }
    const first = hash()
    assert.equal(hash(), first)
    ends.source.write(path('d/1'), 'newer', 5)
    assert.notEqual(hash(), first)
  })
  it('a line of the plan cannot be taken for another, whatever a name holds', () => {
    const op = (p: string, to: string) =>
      operationLine({
        id: 0,
        end: 'source',
        kind: 'move',
        path: path(p),
        to: path(to),
        reason: 'moved',
        needs: [],
        expected: { kind: 'directory', mtimeNs: 0n, mode: 0 }
      })
    assert.notEqual(op('a","b', 'c'), op('a', 'b","c'))
    assert.equal(op('a\nb', 'c').split('\n').length, 2)
  })
})
