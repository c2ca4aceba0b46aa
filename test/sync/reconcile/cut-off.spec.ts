import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Operation } from '../../../sync/reconcile/index.js'
import { check } from './cases.js'
import { history } from './edits.js'
import { begin, contentsOf, ensureNothingLost } from './histories.js'
import { OPTIONS, sync, visible } from './session.js'

/** A session that is cut off leaves the ends as far as it came, and the archive as it was: nothing of it is written before its end. */
describe('reconcile: cut off before the archive is written', () => {
  it('anywhere: what was edited is at an end afterwards, not only in versions, and both are equal', () => {
    check(fc.record({ h: history, crashAt: fc.nat(40) }), ({ h, crashAt }) => {
      const { ends, archive } = begin(h)
      const agreed = new Set(
        [...archive.values()].map(e => (e.kind === 'file' ? e.hash : e.kind === 'symlink' ? e.target : ''))
      )
      const before = contentsOf(ends)
      const edited = [...before].filter(content => !agreed.has(content as never))
      sync(archive, ends, OPTIONS, (op: Operation) => op.id > crashAt)
      ensureNothingLost(before, ends)
      const { archive: after } = sync(archive, ends, OPTIONS)
      ensureNothingLost(before, ends)
      assert.deepEqual(ends.source.tree, ends.destination.tree)
      for (const content of edited) assert.ok(contentsOf(ends).has(content), `${content} is in versions only`)
      assert.deepEqual(visible(sync(after, ends, OPTIONS).operations), [])
    })
  })
})
