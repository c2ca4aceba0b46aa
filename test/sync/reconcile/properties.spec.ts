import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parentOf, type RelPath } from '../../../storage/base/index.js'
import {
  ENDS,
  foldResults,
  MODES,
  type Operation,
  PLAIN_END,
  POLICIES,
  type ReconcileOptions
} from '../../../sync/reconcile/index.js'
import { check, each } from './cases.js'
import { history } from './edits.js'
import { begin, contentsOf, ensureNothingLost } from './histories.js'
import type { Disk, Ends } from './model.js'
import { type Archive, OPTIONS, type Outcome, planOf, rowsNamed, sync, visible } from './session.js'

/** What became ignored, or could not be told from another name, leaves the archive and is new then: that may take some runs. */
function comesToRest(archive: Archive, ends: Ends, options: ReconcileOptions, holds: () => void): Outcome {
  let agreed = archive
  for (let run = 1; ; run++) {
    const outcome = sync(agreed, ends, options)
    holds()
    if (run > 1 && visible(outcome.operations).length === 0) return outcome
    assert.ok(run < 5, `does not come to rest: ${visible(outcome.operations)}`)
    agreed = outcome.archive
  }
}

describe('reconcile: properties', () => {
  for (const mode of MODES) {
    const options: ReconcileOptions = { ...OPTIONS, mode }

    it(`${mode}: what ends up where, nothing lost, and a second run does nothing`, () => {
      check(history, h => {
        const { ends, archive } = begin(h)
        const before = contentsOf(ends)
        const source = ends.source.tree
        const first = sync(archive, ends, options)
        ensureNothingLost(before, ends)
        if (mode === 'bidirectional') assert.deepEqual(ends.source.tree, ends.destination.tree)
        else assert.deepEqual(ends.source.tree, source)
        if (mode === 'mirror') assert.deepEqual(ends.destination.tree, source)
        if (mode === 'replica' || mode === 'backup') {
          for (const [p, content] of Object.entries(source)) assert.equal(ends.destination.tree[p], content, p)
        }
        assert.deepEqual(rowsNamed(first.plan, 'problem'), [])
        assert.deepEqual(visible(sync(first.archive, ends, options).operations), [])
      })
    })

    it(`${mode}: whatever fails, nothing is lost, and the next run finishes`, () => {
      const failures = fc.record({ h: history, fails: fc.array(fc.nat(40), { maxLength: 6 }), crashAt: fc.nat(60) })
      check(failures, ({ h, fails, crashAt }) => {
        const { ends, archive } = begin(h)
        const before = contentsOf(ends)
        const broken = (op: Operation): boolean => fails.includes(op.id) || op.id > crashAt
        const first = sync(archive, ends, options, broken)
        ensureNothingLost(before, ends)
        const second = sync(first.archive, ends, { ...options, archive: first.archive.size > 0 })
        ensureNothingLost(before, ends)
        if (mode === 'bidirectional') assert.deepEqual(ends.source.tree, ends.destination.tree)
        if (mode === 'mirror' && archive.size > 0) assert.deepEqual(ends.source.tree, ends.destination.tree)
        assert.deepEqual(visible(sync(second.archive, ends, options).operations), [])
      })
    })
  }

  for (const policy of POLICIES) {
    const options: ReconcileOptions = { ...OPTIONS, policy }
    it(`policy ${policy}: ends equal but for what a person is asked, and what was edited is not deleted`, () => {
      check(history, h => {
        const { ends, archive } = begin(h)
        const before = contentsOf(ends)
        const { plan, archive: after } = sync(archive, ends, options)
        ensureNothingLost(before, ends)
        const waiting = rowsNamed(plan, 'unsettled')
        if (policy !== 'prompt') assert.deepEqual(waiting, [])
        if (waiting.length === 0) assert.deepEqual(ends.source.tree, ends.destination.tree)
        if (policy !== 'prompt') assert.deepEqual(visible(sync(after, ends, options).operations), [])
        // A question that only two directories becoming one raised goes away when they stay two.
        else comesToRest(after, ends, options, () => ensureNothingLost(before, ends))
      })
    })
  }

  it('keep-both: of what was edited everything is at an end afterwards, not only in versions', () => {
    check(history, h => {
      const { ends, archive } = begin(h)
      const agreed = new Set(
        [...archive.values()].map(e => (e.kind === 'file' ? e.hash : e.kind === 'symlink' ? e.target : ''))
      )
      const fresh = [...contentsOf(ends)].filter(content => !agreed.has(content as never))
      sync(archive, ends)
      for (const content of fresh) assert.ok(contentsOf(ends).has(content), `${content} is in versions only`)
    })
  })

  it('swapping the ends gives the same, but for names of conflict copies', () => {
    check(history, h => {
      const [one, other] = [begin(h), begin(h)]
      sync(one.archive, one.ends)
      const ends = { source: other.ends.destination, destination: other.ends.source }
      const archive: Archive = new Map(
        [...other.archive].map(([p, e]) => [p, { ...e, source: e.destination, destination: e.source }])
      )
      sync(archive, ends)
      assert.deepEqual(withoutCopies(one.ends.source), withoutCopies(ends.source))
    })
  })

  it('paths that are equal on all sides are not touched', () => {
    for (const mode of MODES) {
      check(
        history,
        h => {
          const { ends, archive } = begin(h)
          const rows = new Set(
            planOf(archive, ends, { ...OPTIONS, mode }).flatMap(r =>
              r.row === 'operation' && r.operation.kind !== 'version' && r.operation.reason !== 'directory-time'
                ? [r.operation.path]
                : []
            )
          )
          for (const [p, then] of archive) {
            const same = ENDS.every(e => {
              const now = ends[e].items.get(p)
              const trace = then[e]
              return (
                now !== undefined &&
                now.inode === (trace.identity?.inode ?? now.inode) &&
                now.kind === then.kind &&
                (then.kind !== 'file' || now.content === then.hash) &&
                now.mode === trace.mode &&
                now.mtimeNs === trace.mtimeNs
              )
            })
            if (same && then.kind !== 'directory' && stands(archive, ends, p))
              assert.ok(!rows.has(p), `${p} is touched`)
          }
        },
        each
      )
    }
  })

  it('an end that folds case: only one of two such names, nothing lost, nothing done twice', () => {
    const fold = (name: string): string => name.toLowerCase()
    const folding = { ...PLAIN_END, foldsCase: true }
    for (const mode of MODES) {
      check(
        history,
        h => {
          const { ends, archive } = begin(h, fold)
          const options: ReconcileOptions = { ...OPTIONS, mode, destination: folding }
          const before = contentsOf(ends)
          const { plan } = comesToRest(archive, ends, options, () => ensureNothingLost(before, ends))
          if (rowsNamed(plan, 'problem').length === 0 && mode === 'bidirectional')
            assert.deepEqual(ends.source.tree, ends.destination.tree)
        },
        each
      )
    }
  })

  it('without an archive nothing is deleted but by a mirror, and the two-way union holds everything', () => {
    for (const mode of MODES) {
      check(
        history,
        h => {
          const { ends } = begin(h)
          const before = contentsOf(ends)
          const options: ReconcileOptions = { ...OPTIONS, mode, archive: false }
          const { operations } = sync(new Map(), ends, options)
          ensureNothingLost(before, ends)
          if (mode !== 'bidirectional') return
          assert.deepEqual(
            operations.filter(op => op.kind === 'remove'),
            []
          )
          assert.deepEqual(ends.source.tree, ends.destination.tree)
          for (const content of before) assert.ok(contentsOf(ends).has(content), `${content} is in versions only`)
        },
        each
      )
    }
  })

  it('a batch of which nothing was done changes nothing in the archive but what needed nothing', () => {
    check(history, h => {
      const { ends, archive } = begin(h)
      const settles = planOf(archive, ends).flatMap(r => (r.row === 'settle' ? [r.settle] : []))
      const { changes } = foldResults(settles, () => undefined)
      for (const change of changes) {
        if (change.change !== 'put') continue
        for (const e of ENDS) assert.notEqual(ends[e].items.get(change.path), undefined, change.path)
      }
    })
  })
})

const withoutCopies = (disk: Disk): [string, string][] =>
  Object.entries(disk.tree)
    .map(([p, content]): [string, string] => [p.replace(/\.conflict-\d{8}-\d{6}-\w+(-\d+)?/g, '!'), content])
    .sort()

/** The directories above are where they were: else it has to leave one that goes elsewhere. */
function stands(archive: Archive, ends: Ends, path: RelPath): boolean {
  for (let p = parentOf(path); p !== ''; p = parentOf(p)) {
    for (const e of ENDS) {
      const proof = archive.get(p)?.[e].identity
      if (proof !== undefined && ends[e].items.get(p)?.inode !== proof.inode) return false
    }
  }
  return true
}
