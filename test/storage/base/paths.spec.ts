import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  comparePaths,
  displayPath,
  fsPath,
  isPlainUtf8,
  parseRelPath,
  pathBytes,
  textFromBytes
} from '../../../storage/base/index.js'

describe('paths', () => {
  it('any bytes survive the way to text and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
        assert.deepEqual(new Uint8Array(pathBytes(textFromBytes(bytes))), bytes)
      }),
      { numRuns: 2000 }
    )
  })
  it('ordinary text is itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), text => {
        assert.equal(textFromBytes(Buffer.from(text)), text)
        assert.equal(fsPath(text), text)
        assert.ok(isPlainUtf8(text))
      })
    )
  })
  it('an odd byte is shown as \\xHH and a backslash doubled', () => {
    assert.equal(displayPath(textFromBytes(Buffer.from([0x61, 0xff, 0x5c, 0x0a]))), 'a\\xff\\\\\\x0a')
  })
  for (const [path, why] of [
    ['', /empty/],
    ['/a', /absolute/],
    ['a//b', /empty component/],
    ['a/', /empty component/],
    ['../a', /".."/],
    ['a/./b', /"."/],
    ['a\0b', /NUL/],
    ['n'.repeat(256), /255 bytes/],
    ['é'.repeat(128), /255 bytes/],
    [`${'a/'.repeat(2048)}b`, /4096 bytes/]
  ] as const) {
    it(`parseRelPath refuses ${JSON.stringify(path.slice(0, 20))}`, () => {
      const parsed = parseRelPath(path)
      assert.match('refused' in parsed ? parsed.refused : 'accepted', why)
    })
  }
  it('parseRelPath takes a name of exactly 255 bytes and a path of exactly 4096', () => {
    assert.ok('path' in parseRelPath('n'.repeat(255)))
    assert.ok('path' in parseRelPath(`${'a/'.repeat(2047)}ab`))
  })
  it('a directory sorts directly before what it holds', () => {
    assert.deepEqual(['a!b', 'a/b', 'a', 'ab', 'a/b/c'].sort(comparePaths), ['a', 'a/b', 'a/b/c', 'a!b', 'ab'])
  })
  it('the order of paths is that of their bytes, a slash before everything else', () => {
    const name = fc.constantFrom(
      'a',
      'b',
      'a!',
      '\u00e9',
      '\udcff',
      '\udc80a',
      '\ue000',
      '\uffff',
      '\u{1f600}',
      '\u{10ffff}',
      ''
    )
    const path = fc
      .array(fc.tuple(name, fc.constantFrom('', '/')), { maxLength: 4 })
      .map(parts => parts.flat().join(''))
    const byBytes = (a: string, b: string): number => {
      const key = (p: string): Buffer => Buffer.from(pathBytes(p).map(byte => (byte === 0x2f ? 0 : byte)))
      return Buffer.compare(key(a), key(b))
    }
    fc.assert(
      fc.property(path, path, (a, b) => {
        assert.equal(Math.sign(comparePaths(a, b)), byBytes(a, b))
      }),
      { numRuns: 5000 }
    )
  })
})
