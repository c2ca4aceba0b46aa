import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isLink, makeLink, parseLink } from '../../../protocols/pairing/link.js'
import { compareWords, nearWords, parseWords, wordsOf } from '../../../protocols/pairing/words.js'
import { type DeviceId, hasCode, type SpacedriveError } from '../../../storage/base/index.js'

const RIGHT = 'legal winner thank year wave sausage worth useful legal winner thank yellow'

function refusal(typed: string): SpacedriveError {
  try {
    parseWords(typed)
  } catch (err) {
    assert.ok(hasCode(err, 'BAD_WORDS'))
    return err as SpacedriveError
  }
  return assert.fail('expected the words to be refused')
}

describe('pairing words', () => {
  it('any code is read back as it was shown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), entropy => {
        assert.deepEqual(parseWords(wordsOf(entropy)).entropy, entropy)
      })
    )
  })

  for (const [why, typed] of [
    ['mixed case', RIGHT.toUpperCase()],
    ['double spaces, tabs, line ends', `  ${RIGHT.replaceAll(' ', ' \t\n ')}\r\n`],
    ['commas and hyphens', RIGHT.replaceAll(' ', ', ')],
    ['no-break and wide spaces', RIGHT.replaceAll(' ', '\u00a0\u3000')],
    ['full-width letters (NFKD)', RIGHT.replace('legal', '\uff4c\uff45\uff47\uff41\uff4c')],
    ['words cut after four letters', RIGHT.replace(/(\w{4})\w+/g, '$1')],
    ['words cut later', RIGHT.replace('sausage', 'sausag')]
  ] as const) {
    it(`takes ${why}`, () => assert.equal(parseWords(typed).words, RIGHT))
  }

  it('a typing error is named by its place, with near words, and not repeated', () => {
    const err = refusal(RIGHT.replace('thank', 'thnak'))
    assert.match(err.message, /word 3/)
    assert.deepEqual(err.details, { position: 3, suggestions: ['thank'] })
    assert.match(err.hint ?? '', /"thank"/)
    assert.doesNotMatch(err.message + err.hint, /thnak|legal|winner/)
  })

  it('a prefix that is no word and of under four letters is an error of its own place', () => {
    assert.deepEqual(refusal(RIGHT.replace('winner', 'win')).details?.position, undefined) // "win" is a word: checksum
    assert.equal(refusal(RIGHT.replace('winner', 'wint')).details, undefined) // the beginning of "winter": checksum
    assert.equal(refusal(RIGHT.replace('winner', 'wi')).details?.position, 2)
  })

  for (const [why, typed, text] of [
    ['11 words', RIGHT.split(' ').slice(1).join(' '), /12 words, but 11/],
    ['13 words', `${RIGHT} legal`, /12 words, but 13/],
    ['no words', '  ', /12 words, but 0/],
    ['two words swapped', RIGHT.replace('legal winner', 'winner legal'), /do not fit together/],
    ['another word of the list', RIGHT.replace('yellow', 'zoo'), /do not fit together/],
    ['far too much', RIGHT.repeat(20), /too long/],
    ['escapes', RIGHT.replace('wave', '\u001b[31mwave'), /word 5/]
  ] as const) {
    it(`refuses ${why}`, () => assert.match(refusal(typed).message, text))
  }

  it('near words: slips of one letter, swapped letters, beginnings; nothing for what is far', () => {
    assert.deepEqual(nearWords('recieve'), ['receive'])
    assert.deepEqual(nearWords('abandn'), ['abandon'])
    assert.deepEqual(nearWords('qqqqqq'), [])
    assert.deepEqual(nearWords('x'.repeat(500)), [])
  })

  it('the words to compare are the first 44 bits', () => {
    assert.equal(compareWords(new Uint8Array(8)), 'abandon abandon abandon abandon')
    assert.equal(compareWords(new Uint8Array([255, 255, 255, 255, 255, 0xf0, 0, 0])), 'zoo zoo zoo zoo')
    assert.equal(compareWords(new Uint8Array([0, 0x20, 0, 0, 0, 0x10, 0, 0])), 'ability abandon abandon ability')
    assert.equal(compareWords(new Uint8Array([0, 0, 0, 0, 0, 0x0f, 255, 255])), 'abandon abandon abandon abandon')
  })
})

describe('pairing link', () => {
  const device = '12D3KooWGvbcbVvLTNmvPmuGnD4C9WJVMZQmpbtbHhPxNTCXdPGZ' as DeviceId
  const link = { words: RIGHT, device, addresses: ['/ip4/192.168.1.7/tcp/4001'], expiresAtMs: 1_800_000_000_000 }

  it('is read back as it was made', () => {
    const text = makeLink(link)
    assert.ok(isLink(text))
    assert.deepEqual(parseLink(` ${text}\n`), link)
  })
  it('leaves out what nobody else could dial', () => {
    const text = makeLink({ ...link, addresses: ['/ip4/127.0.0.1/tcp/1', '/dns4/x/tcp/1'] })
    assert.deepEqual(parseLink(text).addresses, [])
  })
  for (const [why, text] of [
    ['another version', makeLink(link).replace(':1?', ':2?')],
    ['no device', makeLink(link).replace(/&p=[^&]+/, '')],
    ['no end', makeLink(link).replace(/&e=.*/, '')],
    ['nine addresses', makeLink(link).replace(/&a=[^&]+/, `&a=${Array(9).fill('/ip4/10.0.0.1/tcp/1').join(',')}`)]
  ] as const) {
    it(`refuses ${why}`, () => assert.throws(() => parseLink(text), { code: 'BAD_LINK' }))
  }
  it('names a wrong word like typed words', () => {
    assert.throws(() => parseLink(makeLink(link).replace('winner', 'wxnner')), { code: 'BAD_WORDS' })
  })
})
