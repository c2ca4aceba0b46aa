import assert from 'node:assert/strict'
import fc from 'fast-check'
import { globs } from '../../../protocols/spacedrop/glob.js'
import type { RelPath } from '../../../storage/base/index.js'

const fits = (pattern: string | string[], path: string): boolean =>
  globs(typeof pattern === 'string' ? [pattern] : pattern).matches(path as RelPath)

describe('globs', () => {
  for (const [pattern, path, expected] of [
    ['*.jpg', 'a.jpg', true],
    ['*.jpg', 'photos/2024/a.jpg', true],
    ['*.jpg', 'a.jpeg', false],
    ['photos', 'photos/2024/a.jpg', true],
    ['photos', 'my/photos/a.jpg', true],
    ['photos/', 'photos/a', true],
    ['/photos', 'my/photos/a', false],
    ['photos/*.jpg', 'photos/a.jpg', true],
    ['photos/*.jpg', 'photos/2024/a.jpg', false],
    ['photos/**/*.jpg', 'photos/a.jpg', true],
    ['photos/**/*.jpg', 'photos/x/y/a.jpg', true],
    ['photos/**', 'photos/x/y/a.jpg', true],
    ['**/a', 'x/y/a', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a?c', 'a😀c', true],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[]]', ']', true],
    ['*.{jpg,png}', 'a.png', true],
    ['*.{jpg,png}', 'a.gif', false],
    ['{a,b}{1,2}', 'b2', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['\\{a', '{a', true],
    ['*a*a*b', 'aaaaab', true],
    ['.*', '.bashrc', true],
    ['*', '.bashrc', true]
  ] as const) {
    it(`${pattern} ${expected ? 'fits' : 'does not fit'} ${path}`, () => assert.equal(fits(pattern, path), expected))
  }

  for (const pattern of ['', '/', '[a', '{a', `{${'a,'.repeat(70)}b}`, '{a,b,c}{a,b,c}{a,b,c}{a,b,c}']) {
    it(`${pattern.slice(0, 20)} is refused`, () => assert.throws(() => globs([pattern]), { code: 'BAD_PATTERN' }))
  }

  it('a name as its own pattern fits, whatever letters it has, when those are escaped', () => {
    const name = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }).filter(s => !/[/\0]/.test(s))
    fc.assert(
      fc.property(name, s => assert.equal(fits(s.replace(/[\\*?[{}\]!,^-]/g, '\\$&').replace(/^/, '/'), s), true))
    )
  })

  it('agrees with the plain definition of * and ?', () => {
    const reference = (p: string, n: string): boolean =>
      p === ''
        ? n === ''
        : p[0] === '*'
          ? reference(p.slice(1), n) || (n !== '' && reference(p, n.slice(1)))
          : n !== '' && (p[0] === '?' || p[0] === n[0]) && reference(p.slice(1), n.slice(1))
    const letters = (of: string): fc.Arbitrary<string> =>
      fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom(...of) })
    fc.assert(
      fc.property(letters('ab*?'), letters('ab'), (p, n) => assert.equal(fits(`/${p}`, n), reference(p, n))),
      { numRuns: 2_000 }
    )
  })

  it('a hostile name costs no more than name times pattern', () => {
    const name = 'a'.repeat(255)
    assert.equal(fits(`${'*a'.repeat(100)}*b`, name), false)
  })
})
