import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  ENDS,
  type End,
  judge,
  MODES,
  type Operation,
  type PlanRow,
  type ReconcileOptions,
  Tally
} from '../../../sync/reconcile/index.js'
import { check, each } from './cases.js'
import { history } from './edits.js'
import { begin, ensureNothingLost } from './histories.js'
import type { Ends } from './model.js'
import { OPTIONS, planOf, sync } from './session.js'

/** How often each content lies at an end. */
function counts(ends: Ends, end: End): Map<string, number> {
  const found = new Map<string, number>()
  for (const item of ends[end].items.values()) {
    if (item.kind === 'file' || item.kind === 'symlink') found.set(item.content, (found.get(item.content) ?? 0) + 1)
  }
  return found
}

/** Contents of the model are words; what is counted are hashes. */
function withHash(row: PlanRow): PlanRow {
  if (row.row !== 'operation') return row
  const hashed = <T>(entry: T): T => {
    const { kind, hash } = entry as { kind?: string; hash?: string }
    return kind === 'file' ? { ...entry, hash: createHash('sha256').update(hash!).digest('hex') } : entry
  }
  const { content, expected } = row.operation as { content?: unknown; expected?: unknown }
  return {
    row: 'operation',
    operation: { ...row.operation, content: hashed(content ?? {}), expected: hashed(expected ?? {}) } as Operation
  }
}

const everything = (ends: Ends): unknown =>
  ENDS.map(end => [[...ends[end].items], [...ends[end].tombs], [...ends[end].versions]])

describe('reconcile: what a guard judges', () => {
  for (const mode of MODES) {
    const options: ReconcileOptions = { ...OPTIONS, mode }
    it(`${mode}: a plan that is halted has changed nothing, and it names at least what would have been lost from sight`, () => {
      check(
        history,
        h => {
          const { ends, archive } = begin(h)
          const before = structuredClone(everything(ends))
          const held = { source: counts(ends, 'source'), destination: counts(ends, 'destination') }
          const contents = new Set(ENDS.flatMap(end => [...held[end].keys()]))
          const tally = new Tally()
          for (const row of planOf(archive, ends, options)) tally.add(withHash(row))
          assert.deepEqual(everything(ends), before, 'planning changed something')

          sync(archive, ends, options)
          ensureNothingLost(contents, ends)
          for (const end of ENDS) {
            const now = counts(ends, end)
            let gone = 0
            for (const [content, n] of held[end]) gone += Math.max(0, n - (now.get(content) ?? 0))
            const { removed, replaced } = tally.totals[end]
            assert.ok(gone <= removed + replaced, `${gone} went from the ${end}, ${removed} and ${replaced} were told`)
          }
          const files = [...held.destination.values()].reduce((a, b) => a + b, 0)
          const facts = { files, rootEntriesAgreed: 0, rootEntries: 0, removedBefore: 0, replacedBefore: 0 }
          const halts = judge({
            ...{ mode, archive: true, totals: tally.totals, limits: { maxDeletePercent: 0, maxReplacePercent: 0 } },
            holds: { source: { ...facts, files: 10 }, destination: { ...facts, files: 10 } }
          })
          const touched = ENDS.some(end => tally.totals[end].removed + tally.totals[end].replaced > 0)
          assert.equal(halts.length > 0, touched, 'limits of nothing halt whatever goes')
        },
        each
      )
    })
  }
})
