import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  aheadOf,
  compareSettings,
  compareVersions,
  mergeVersions,
  raiseSettings,
  raiseVersion,
  sameVersion
} from '../../../sync/reconcile/index.js'

const replica = fc.constantFrom('A', 'B', 'C', '__proto__')
const version = fc
  .array(fc.tuple(replica, fc.integer({ min: 1, max: 5 })), { maxLength: 4 })
  .map(list => Object.fromEntries(list) as Record<string, number>)

const check = (body: (a: Record<string, number>, b: Record<string, number>) => void): void =>
  fc.assert(fc.property(version, version, body))

describe('versions', () => {
  it('a raised version is newer than the one before, at every clock', () => {
    fc.assert(
      fc.property(version, replica, fc.nat(20), (v, r, now) => {
        const raised = raiseVersion(v, r, now)
        assert.ok(sameVersion(mergeVersions(v, raised), raised))
        assert.equal(compareVersions(raised, v), Object.keys(v).length === 0 ? 'apart' : 'newer')
      })
    )
  })
  it('a counter is never below the clock, so that a lost database gives none out twice', () => {
    assert.deepEqual(raiseVersion({ A: 5 }, 'A', 1000.7), { A: 1000 })
    assert.deepEqual(raiseVersion({ A: 2000 }, 'A', 1000), { A: 2001 })
    assert.deepEqual(raiseVersion(undefined, 'A', 3), { A: 3 })
  })
  it('merged is what has seen both, whichever comes first', () => {
    check((a, b) => {
      const merged = mergeVersions(a, b)
      assert.ok(sameVersion(merged, mergeVersions(b, a)))
      for (const v of [a, b]) assert.ok(['equal', 'newer', 'apart'].includes(compareVersions(merged, v)))
      assert.deepEqual(aheadOf(a, merged), [])
      assert.ok(sameVersion(mergeVersions(merged, a), merged))
    })
  })
  it('comparing is the same both ways round', () => {
    const swapped = { newer: 'older', older: 'newer', equal: 'equal', apart: 'apart' }
    check((a, b) => assert.equal(compareVersions(b, a), swapped[compareVersions(a, b)]))
  })
  it('edits that did not see one another are apart, and so is an edit from what has no memory', () => {
    const v = raiseVersion(undefined, 'A', 1)
    assert.equal(compareVersions(raiseVersion(v, 'A', 1), raiseVersion(v, 'B', 1)), 'apart')
    assert.equal(compareVersions(undefined, v), 'apart')
    assert.equal(compareVersions({}, v), 'apart')
    assert.equal(compareVersions({}, {}), 'apart')
  })
  it('the latest replica ahead comes first', () => {
    assert.deepEqual(aheadOf({ A: 3, B: 9, C: 1 }, { C: 1, A: 2 }), ['B', 'A'])
  })
  it('permission bits and times are counted beside the content, and say nothing about it', () => {
    fc.assert(
      fc.property(version, version, replica, fc.nat(20), (a, b, r, now) => {
        const set = raiseSettings(a, r, now)
        assert.equal(compareVersions(set, b), compareVersions(a, b))
        assert.deepEqual(aheadOf(set, b), aheadOf(a, b))
        assert.equal(compareSettings(set, a), Object.keys(a).length === 0 ? undefined : 'newer')
        assert.equal(compareSettings(a, set), Object.keys(a).length === 0 ? undefined : 'older')
      })
    )
    const v = raiseVersion(undefined, 'A', 1)
    assert.equal(compareSettings(v, raiseVersion(v, 'B', 1)), 'equal')
    assert.equal(compareSettings(raiseSettings(v, 'A', 1), raiseSettings(v, 'B', 1)), 'apart')
  })
})
