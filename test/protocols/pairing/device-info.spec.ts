import assert from 'node:assert/strict'
import fc from 'fast-check'
import { cleanName, decodeInfo, encodeInfo, nameSkeleton } from '../../../protocols/pairing/device-info.js'
import { encode } from '../../../protocols/wire/index.js'

describe('pairing device information (A18)', () => {
  for (const [why, given, expected] of [
    ['a plain name', "Anna's laptop", "Anna's laptop"],
    ['spaces', '  a \t\n b  ', 'a b'],
    ['terminal escapes', 'a\u001b[31m\u0007b\u009b1m', 'a[31mb1m'],
    ['direction marks', '\u202egnp.exe\u2066x\u200f', 'gnp.exex'],
    ['what cannot be seen', 'a\u200bb\u00adc\u2060d\ufe0fe\u200df\u2800g', 'abcdefg'],
    ['half a surrogate pair', 'a\ud83db', 'ab'],
    [
      'a family joined to one',
      '\u{1f468}\u200d\u{1f469}\u200d\u{1f467} us',
      '\u{1f468}\u200d\u{1f469}\u200d\u{1f467} us'
    ],
    ['another form of the same letters', 'e\u0301', '\u00e9'],
    ['nothing', '', 'unnamed device'],
    ['nothing that can be seen', '\u200b\u3164 \u2800', 'unnamed device']
  ] as const) {
    it(`${why}`, () => assert.equal(cleanName(given), expected))
  }

  it('64 graphemes, one more is cut; 255 bytes, however few graphemes', () => {
    assert.equal(cleanName('x'.repeat(64)), 'x'.repeat(64))
    assert.equal(cleanName('x'.repeat(1024 * 1024)), 'x'.repeat(64))
    const family = '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}'
    assert.equal(cleanName(family.repeat(100)), family.repeat(10)) // 25 bytes each
    assert.ok(Buffer.byteLength(cleanName(`a${'\u0301'.repeat(5_000)}`)) <= 255)
  })

  it('any text becomes one that is its own clean form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), text => {
        const clean = cleanName(text)
        assert.equal(cleanName(clean), clean)
        assert.ok(clean.length > 0 && Buffer.byteLength(clean) <= 255)
      })
    )
  })

  it('what was sent uncleaned is cleaned where it arrives', () => {
    const raw = encode({ name: '\u001b[2Jx', os: 'linux\n', model: 'm'.repeat(500), epoch: 3 })
    assert.deepEqual(decodeInfo(raw), { name: '[2Jx', os: 'linux', model: 'm'.repeat(64), epoch: 3 })
  })

  it('refuses numbers and shapes that are none', () => {
    for (const bad of [{ epoch: -1 }, { epoch: 1.5 }, { epoch: 2 ** 31 }, { epoch: '1' }, { name: 5 }, { os: null }]) {
      assert.throws(() => decodeInfo(encode({ name: 'a', os: 'b', model: 'c', epoch: 0, ...bad })), {
        code: 'MALFORMED'
      })
    }
    assert.deepEqual(decodeInfo(encodeInfo({ name: 'a', os: '', model: '', epoch: 0 })).name, 'a')
  })

  it('names that look alike have one skeleton', () => {
    for (const [a, b] of [
      ['laptop', 'L\u0430pt0p'],
      ['Anna s Mac', "anna's mac"],
      ['mi1k', 'milk']
    ] as const) {
      assert.equal(nameSkeleton(a), nameSkeleton(b))
    }
    assert.notEqual(nameSkeleton('desk'), nameSkeleton('dusk'))
  })
})
