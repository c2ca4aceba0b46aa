import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type KeepRule, keepersOf } from '../../../sync/operations/index.js'

const group = [
  { path: '/b/long/name', mtimeNs: 10n },
  { path: '/a/x', mtimeNs: 30n },
  { path: '/c', mtimeNs: 20n }
]

describe('which duplicate stays', () => {
  for (const [keep, stays] of [
    [{ rule: 'oldest' }, ['/b/long/name']],
    [{ rule: 'newest' }, ['/a/x']],
    [{ rule: 'shortest-path' }, ['/c']],
    [{ rule: 'in', folder: '/a' }, ['/a/x']],
    [{ rule: 'in', folder: '/' }, ['/b/long/name', '/a/x', '/c']],
    [{ rule: 'in', folder: '/elsewhere' }, ['/b/long/name', '/a/x', '/c']]
  ] as const) {
    it(JSON.stringify(keep), () =>
      assert.deepEqual(
        keepersOf(group, keep).map(k => k.path),
        stays
      )
    )
  }

  it('of equals the shorter path, then the first', () => {
    const equal = ['/bb', '/ab', '/b/c'].map(path => ({ path, mtimeNs: 1n }))
    assert.deepEqual(keepersOf(equal, { rule: 'oldest' })[0]?.path, '/ab')
  })

  it('one stays whatever the group and the rule, and the order of the group does not matter', () => {
    const files = fc.uniqueArray(
      fc.record({ path: fc.stringMatching(/^\/[ab]\/[a-d]{1,4}$/), mtimeNs: fc.bigInt(0n, 3n) }),
      { selector: f => f.path, minLength: 1 }
    )
    const rules = fc.constantFrom<KeepRule>(
      { rule: 'oldest' },
      { rule: 'newest' },
      { rule: 'shortest-path' },
      { rule: 'in', folder: '/a' }
    )
    fc.assert(
      fc.property(files, rules, (some, keep) => {
        const kept = keepersOf(some, keep)
        assert.ok(kept.length > 0 && kept.every(k => some.includes(k)))
        assert.deepEqual(new Set(keepersOf([...some].reverse(), keep)), new Set(kept))
      })
    )
  })
})
