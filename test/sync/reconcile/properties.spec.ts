import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ENDS, type Mode, type ReconcileOptions } from '../../../sync/reconcile/index.js'
import { type Edit, edit, perform } from './edits.js'
import { Disk, type Ends, World } from './model.js'
import { type Archive, OPTIONS, rowsNamed, sync, visible } from './session.js'

const numRuns = Number(process.env.SPACEDRIVE_RUNS ?? 500)

/** Two ends in step, each then edited by hand. */
interface Start {
  readonly ends: Ends
  readonly archive: Archive
}

const history = fc.record({
  before: fc.array(edit, { maxLength: 12 }),
  source: fc.array(edit, { maxLength: 6 }),
  destination: fc.array(edit, { maxLength: 6 }),
  identity: fc.boolean()
})
type History = typeof history extends fc.Arbitrary<infer T> ? T : never

function begin({ before, source, destination, identity }: History): Start {
  const world = new World()
  const ends = { source: new Disk(world, 'A', identity), destination: new Disk(world, 'B', identity) }
  for (const e of before) perform(ends.source, e)
  const { archive } = sync(new Map(), ends, { ...OPTIONS, archive: false })
  assert.deepEqual(ends.source.tree, ends.destination.tree)
  edits(ends.source, source)
  edits(ends.destination, destination)
  return { ends, archive }
}

const edits = (disk: Disk, list: readonly Edit[]): void => {
  for (const e of list) perform(disk, e)
}

const check = (body: (h: History) => void): void => fc.assert(fc.property(history, body), { numRuns })

describe('reconcile: properties', () => {
  for (const mode of ['replica', 'mirror', 'backup', 'bidirectional'] as const satisfies readonly Mode[]) {
    const options: ReconcileOptions = { ...OPTIONS, mode }

    it(`${mode}: no content is lost, and a second run does nothing`, () => {
      check(h => {
        const { ends, archive } = begin(h)
        const before = new Set(ENDS.flatMap(e => [...ends[e].contents]))
        const source = ends.source.tree
        const first = sync(archive, ends, options)
        const after = new Set(ENDS.flatMap(e => [...ends[e].contents, ...ends[e].versions]))
        for (const content of before) assert.ok(after.has(content), `${content} is lost`)
        if (mode === 'bidirectional') assert.deepEqual(ends.source.tree, ends.destination.tree)
        else assert.deepEqual(ends.source.tree, source)
        if (mode === 'mirror') assert.deepEqual(ends.destination.tree, source)
        assert.deepEqual(rowsNamed(first.plan, 'problem'), [])
        const second = sync(first.archive, ends, options)
        assert.deepEqual(visible(second.operations), [])
      })
    })
  }
})
