/** Whatever runs did between two devices: any moment comes back at either end, and the last run is taken back at both. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { RelPath } from '../../../storage/base/index.js'
import type { JobHandle } from '../../../storage/jobs/index.js'
import type { Restored, Undone } from '../../../sync/history/index.js'
import type { End, Mode } from '../../../sync/reconcile/index.js'
import { applyEdit, edit } from '../../sync/session/edits.js'
import { look } from '../../sync/session/fixture.js'
import { TwoDevices } from './two-devices.js'

/** More by SPACEDRIVE_RUNS, for a long search. */
const RUNS = Number(process.env.SPACEDRIVE_RUNS ?? 1)

describe('the way back between two devices, at random', () => {
  const two = new TwoDevices({ bobAheadMs: -3_600_000 + 11_000 })
  before(() => two.start())
  after(() => two.clean())
  let count = 0

  const rounds = fc.array(fc.array(edit, { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 4 })
  const asked = fc.tuple(rounds, fc.nat(3), fc.constantFrom('source', 'destination'), fc.boolean())
  for (const [mode, side] of [
    ['backup', 'destination'],
    ['mirror', 'destination'],
    ['bidirectional', 'source'],
    ['bidirectional', 'destination']
  ] as [Mode, End][])
    it(`${mode}, the ${side} there: any moment is what it was, and what the last run did is as before it`, async () => {
      await fc.assert(
        fc.asyncProperty(asked, async ([list, pick, end, undoes]) => {
          const name = `s${count++}`
          const sync = await two.add(name, { mode, side, mine: `${name}-mine`, theirs: `${name}-theirs` })
          const mine = two.at(`${name}-mine`)
          const theirs = two.at(`${name}-theirs`)
          const at = side === 'source' ? { source: theirs, destination: mine } : { source: mine, destination: theirs }
          mkdirSync(at.source, { recursive: true })
          writeFileSync(join(at.source, 'first'), 'x')
          const moments: { readonly atMs: number; readonly was: Record<string, string> }[] = []
          const both = () => ({ source: look(at.source), destination: look(at.destination) })
          let before = both()
          const run = async (): Promise<void> => {
            before = both()
            const { state, problems } = await two.run(name, { force: true })
            assert.deepEqual([state, problems], ['converged', []])
            two.later(1_000)
            moments.push({ atMs: two.ada.clock.nowMs(), was: look(at.destination) })
            two.later(1_000)
          }
          await run()
          for (const edits of list) {
            const by = mode === 'bidirectional' ? edits[0]!.end : 'source'
            for (const e of edits) applyEdit(at[by], e)
            await run()
          }
          // A way back may take away most of a folder.
          const allowed = async <T>(begin: () => Promise<JobHandle<T>>): Promise<T> => {
            for (;;) {
              const { output, error } = await two.ada.jobs.outcome((await begin()).id)
              two.later(1_000)
              if (output !== undefined) return output as T
              assert.equal(error?.code, 'GUARD', JSON.stringify(error))
              await two.bob.served.allow(two.bob.served.list().find(s => s.uuid === sync.uuid)!)
            }
          }
          const { history } = two.ada
          if (undoes) {
            const [last] = two.ada.syncs.lastRuns(sync, 1)
            const { runs } = await history.previewUndo(sync, {})
            fc.pre(runs[0]!.id === last!.id) // else it changed nothing
            const done: Undone = await allowed(() => history.undo(two.ada.syncs.find(name), {}))
            assert.deepEqual([done.left, done.problems], [[], []])
            assert.deepEqual(both(), before)
          } else {
            const { atMs, was } = moments[pick % moments.length]!
            fc.pre(Object.keys(was).length > 0)
            const to = end as End
            const back: Restored = await allowed(() => history.restore(sync, { path: '' as RelPath, atMs, to }))
            assert.deepEqual(back.problems, [])
            assert.deepEqual(look(at[to]), was)
          }
        }),
        { numRuns: RUNS, endOnFailure: true }
      )
    })
})
