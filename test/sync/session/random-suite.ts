import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Mode } from '../../../sync/reconcile/index.js'
import type { SessionOutcome } from '../../../sync/session/index.js'
import { applyEdit, edit } from './edits.js'
import { contents, look, type OpenSync, type SyncFixture } from './fixture.js'

/** More by SPACEDRIVE_RUNS, for a long search. */
const RUNS = Number(process.env.SPACEDRIVE_RUNS ?? 4)
/** What a guard stops is meant. */
async function forced(fixture: SyncFixture): Promise<SessionOutcome> {
  const outcome = await fixture.run()
  if (outcome.state === 'halted') {
    const force = { planHash: outcome.plan.hash, totals: outcome.plan.totals }
    return fixture.run({ force })
  }
  return outcome
}

/** Random edits at both ends, between runs. To be called within a `describe`. */
export function randomSuite(
  openSync: OpenSync,
  once: (fixture: SyncFixture) => Promise<SessionOutcome> = forced
): void {
  for (const mode of ['bidirectional', 'mirror', 'replica', 'backup'] as Mode[]) {
    it(`${mode}: nothing is lost, a second run does nothing${mode === 'bidirectional' ? ', both ends are equal' : ', the source is as it was'}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(edit, { maxLength: 12 }), { minLength: 1, maxLength: 3 }), async rounds => {
          const fixture = await openSync({ mode })
          try {
            for (const edits of rounds) {
              for (const e of edits) applyEdit(fixture[e.end], e)
              const before = new Set([...contents(fixture.source), ...contents(fixture.destination)])
              const source = look(fixture.source)
              const outcome = await once(fixture)
              assert.equal(outcome.state, 'done')
              if (outcome.state !== 'done') return
              const after = new Set([...contents(fixture.source), ...contents(fixture.destination)])
              for (const text of before) assert.ok(after.has(text), `lost: ${text.slice(0, 20)}`)
              if (mode !== 'bidirectional') assert.deepEqual(look(fixture.source), source)
              assert.deepEqual(outcome.result.problems, [])
              // An empty source deletes nothing.
              if (mode === 'bidirectional' || (mode === 'mirror' && Object.keys(source).length > 0))
                assert.deepEqual(look(fixture.destination, { times: false }), look(fixture.source, { times: false }))
              const again = await once(fixture)
              assert.equal(again.state === 'done' && again.plan.operations, 0, 'a second run does nothing')
            }
          } finally {
            await fixture.close()
          }
        }),
        { numRuns: RUNS, endOnFailure: true }
      )
    })
  }
}
