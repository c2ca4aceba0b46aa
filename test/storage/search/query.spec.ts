import assert from 'node:assert/strict'
import { fitOf, MAX_QUERY, MAX_WORDS, parseQuery, termsOf } from '../../../storage/search/query.js'

describe('limits of a query', () => {
  it(`${MAX_WORDS} words count, more do not`, () => {
    const words = Array.from({ length: MAX_WORDS }, (_, i) => `w${String.fromCharCode(97 + i)}`)
    const name = words.join('-')
    assert.notEqual(fitOf(name, parseQuery(words.join(' '))), undefined)
    assert.equal(fitOf(name, parseQuery([...words.slice(1), 'none'].join(' '))), undefined)
    assert.notEqual(fitOf(name, parseQuery([...words, 'none'].join(' '))), undefined)
  })
  it(`${MAX_QUERY} letters count, more do not`, () => {
    const name = 'n'.repeat(MAX_QUERY)
    assert.notEqual(fitOf(name, parseQuery(`${name}x`)), undefined)
    assert.equal(fitOf(name, parseQuery(`${name.slice(1)}x`)), undefined)
  })
})

describe('trigrams that are looked for', () => {
  for (const [part, expected] of [
    ['ab', []],
    ['report', ['rep', 'epo', 'por', 'ort']],
    ['reports', ['rep', 'por', 'rts']],
    ['readme-6', ['rea', 'me-', 'e-6']],
    ['img_20240512_1234.jpg', ['img', '024', '123', 'jpg']],
    ['日本語の文書です', ['日本語', 'の文書', '書です']]
  ] as const) {
    it(`${part}: ${expected.join(', ')}`, () => assert.deepEqual(termsOf(part), expected))
  }
})
