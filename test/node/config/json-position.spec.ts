import assert from 'node:assert/strict'
import fc from 'fast-check'
import { jsonErrorOffset, lineAndColumn } from '../../../node/config/json-position.js'

describe('where a text stops being JSON', () => {
  for (const [why, text, offset] of [
    ['a word that is none', '{"a": tru}', 6],
    ['a comma too many', '{"a": 1,}', 8],
    ['a comma too few', '{"a": 1 "b": 2}', 8],
    ['a colon that is missing', '{"a" 1}', 5],
    ['a comment', '{\n// no\n}', 2],
    ['single quotes', "{'a': 1}", 1],
    ['an end that comes early', '{"a": [1, 2', 11],
    ['a second value', '{} {}', 3],
    ['a number that begins with a zero', '[01]', 2],
    ['nothing', '', 0]
  ] as const) {
    it(why, () => assert.equal(jsonErrorOffset(text), offset))
  }

  it('a text that is JSON is read to its end', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 2 }), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        assert.equal(jsonErrorOffset(text), text.length)
      })
    )
  })

  it('what cannot stand in JSON is found where it was put', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.integer()), value => {
        const text = JSON.stringify(value, null, 1)
        assert.equal(jsonErrorOffset(`${text}\u0000`), text.length)
      })
    )
  })

  it('lines and columns count from one', () => {
    assert.deepEqual(lineAndColumn('ab\ncd', 4), { line: 2, column: 2 })
    assert.deepEqual(lineAndColumn('ab', 0), { line: 1, column: 1 })
  })
})
