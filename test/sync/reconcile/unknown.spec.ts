import assert from 'node:assert/strict'
import { ENDS, MODES, type ReconcileOptions } from '../../../sync/reconcile/index.js'
import { check, each } from './cases.js'
import { OPTIONS, sync, visible } from './session.js'
import { begin, cases, doubtful, ensureThere, unknownAt } from './unknown-cases.js'

describe('reconcile: what is unknown stays', () => {
  for (const mode of MODES) {
    it(`${mode}: never removed, moved, written over or taken for absent; it goes along with its directory`, () => {
      check(
        cases,
        c => {
          const start = begin(c)
          const { ends, archive } = start
          const options: ReconcileOptions = { ...OPTIONS, mode, ignores: ends.source.ignores }
          const unknown = { source: unknownAt(ends.source), destination: unknownAt(ends.destination) }
          const doubts = doubtful(start)
          const contents = ENDS.flatMap(e => [...ends[e].contents])
          const source = ends.source.tree
          let agreed = archive
          for (let run = 1; ; run++) {
            const fails: readonly number[] = run === 1 ? c.fails : []
            const outcome = sync(agreed, ends, options, op => fails.includes(op.id))
            for (const end of ENDS) ensureThere(ends[end], unknown[end], true)
            for (const { end, at, inode } of doubts) {
              const stays = [...ends[end].items.values()].some(i => i.inode === inode)
              assert.ok(stays, `${at} went from the ${end}, though nobody knows of the other end`)
            }
            for (const content of contents) {
              const kept = ENDS.some(e => ends[e].contents.has(content) || ends[e].versions.has(content))
              assert.ok(kept, `${content} is lost`)
            }
            if (mode !== 'bidirectional') assert.deepEqual(ends.source.tree, source)
            if (run > 1 && visible(outcome.operations).length === 0) break
            assert.ok(run < 6, `does not come to rest: ${visible(outcome.operations)}`)
            agreed = outcome.archive
          }
        },
        each
      )
    })
  }
})
