import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { FileName } from '../../../storage/base/index.js'
import { pathBytes, textFromBytes } from '../../../storage/base/index.js'
import { conflictNames, isConflictCopy, nameKey, PLAIN_END, refusedName } from '../../../sync/reconcile/index.js'

const AT = 1_700_000_000_123_456_789n // 2023-11-14 22:13:20 UTC
const first = (name: string, device = 'anna', n = 0): string => {
  const names = conflictNames({ name: name as FileName, mtimeNs: AT, device })
  for (let i = 0; i < n; i++) names.next()
  return names.next().value!
}

describe('names of conflict copies', () => {
  for (const [name, expected] of [
    ['a.txt', 'a.conflict-20231114-221320-anna.txt'],
    ['a.tar.gz', 'a.tar.conflict-20231114-221320-anna.gz'],
    ['.bashrc', '.bashrc.conflict-20231114-221320-anna'],
    ['.a.txt', '.a.conflict-20231114-221320-anna.txt'],
    ['name', 'name.conflict-20231114-221320-anna'],
    ['a.', 'a.conflict-20231114-221320-anna.']
  ] as const) {
    it(`${name} -> ${expected}`, () => assert.equal(first(name), expected))
  }
  it('the second has -2, the third -3', () => {
    assert.equal(first('a.txt', 'anna', 1), 'a.conflict-20231114-221320-anna-2.txt')
    assert.equal(first('a.txt', 'anna', 2), 'a.conflict-20231114-221320-anna-3.txt')
  })
  it('of the device letters, digits, - and _ remain, 20 at most', () => {
    assert.equal(first('a', 'Jörgs alter/PC_2 (neu)'), 'a.conflict-20231114-221320-JörgsalterPC_2neu')
    assert.equal(first('a', 'x'.repeat(21)), `a.conflict-20231114-221320-${'x'.repeat(20)}`)
    assert.equal(first('a', '///'), 'a.conflict-20231114-221320-device')
  })
  it('all of it fits 255 bytes, cut at a character', () => {
    const name = first(`${'é'.repeat(125)}.txt`)
    assert.ok(pathBytes(name).length <= 255 && pathBytes(name).length > 253)
    assert.match(name, /^é+\.conflict-20231114-221320-anna\.txt$/)
    assert.ok(pathBytes(first('😀'.repeat(63))).length <= 255)
  })
  it('an extension that leaves no room for a stem is none', () => {
    const name = first(`a.${'e'.repeat(250)}`)
    assert.equal(pathBytes(name).length, 255)
    assert.match(name, /^a\.e+\.conflict-20231114-221320-anna$/)
  })
  it('times before 1970 and beyond the year 9999 have a name too', () => {
    const at = (mtimeNs: bigint): string => conflictNames({ name: 'a' as FileName, mtimeNs, device: 'x' }).next().value!
    assert.equal(at(-1_000_000_000n), 'a.conflict-19691231-235959-x')
    assert.equal(at(10n ** 21n), 'a.conflict-99991231-235959-x')
  })
  it('any name gives names that fit, differ, keep odd bytes, and are known as copies', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 255 })
    fc.assert(
      fc.property(bytes, fc.string({ minLength: 1, maxLength: 30 }), (name, device) => {
        const clean = textFromBytes(name.map(b => (b === 0x2f || b === 0 ? 0x61 : b)))
        const names = conflictNames({ name: clean as FileName, mtimeNs: AT, device })
        const seen = new Set([0, 1, 2].map(() => names.next().value!))
        assert.equal(seen.size, 3)
        for (const n of seen) {
          assert.ok(pathBytes(n).length <= 255)
          assert.ok(isConflictCopy(n), n)
        }
      })
    )
  })
  it('an ordinary name is no copy', () => {
    for (const name of ['a.conflict.txt', 'conflict-20231114-221320-anna', 'a.conflict-2023-anna.txt']) {
      assert.ok(!isConflictCopy(name), name)
    }
  })
})

describe('names that an end folds or cannot hold', () => {
  it('folds case, Unicode form, both or neither', () => {
    const end = (foldsCase: boolean, foldsUnicode: boolean) => ({ ...PLAIN_END, foldsCase, foldsUnicode })
    const same = (a: string, b: string, ...ends: (typeof PLAIN_END)[]): boolean =>
      nameKey(...ends)(a) === nameKey(...ends)(b)
    assert.ok(!same('Foo', 'foo', PLAIN_END, PLAIN_END))
    assert.ok(same('Foo', 'foo', PLAIN_END, end(true, false)))
    assert.ok(!same('\u00e9', 'e\u0301', end(true, false)))
    assert.ok(same('\u00e9', 'e\u0301', end(false, true)))
    assert.ok(same('\u00c9', 'e\u0301', end(true, true)))
  })
  for (const [name, end, why] of [
    ['a:b', { refusedCharacters: ':?' }, 'its name holds ":"'],
    ['a.', { refusedEnds: '. ' }, 'its name ends in "."'],
    ['x'.repeat(144), { maxNameBytes: 143 }, 'its name is longer than 143 bytes'],
    ['a\udcff', { anyBytes: false }, 'its name is not valid UTF-8'],
    ['a\udcff', {}, undefined],
    ['x'.repeat(255), {}, undefined]
  ] as const) {
    it(`${JSON.stringify(name.slice(0, 8))}: ${why ?? 'held'}`, () => {
      assert.equal(refusedName(name, { ...PLAIN_END, ...end }), why)
    })
  }
})
