import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { globs } from '../../../protocols/spacedrop/glob.js'
import { Judge, type JudgeOptions } from '../../../protocols/spacedrop/judge.js'
import { staysInside } from '../../../protocols/spacedrop/links.js'
import { type FolderFacts, foldName, judgeName } from '../../../protocols/spacedrop/names.js'
import type { ManifestEntry } from '../../../protocols/transfer/index.js'
import type { RelPath } from '../../../storage/base/index.js'
import { tempDir } from '../../temp.js'

const linux: FolderFacts = { maxNameBytes: 255, foldsCase: false, foldsUnicode: false, windows: false }
const windows: FolderFacts = { ...linux, foldsCase: true, windows: true }
const mac: FolderFacts = { ...linux, foldsCase: true, foldsUnicode: true }

describe('names of an offer', () => {
  for (const name of [
    'a',
    'x:ads',
    'x.',
    'x ',
    'CON',
    '.bashrc',
    'ünï',
    '😀',
    'aux.tar.gz',
    '%2e%2e',
    '．．',
    '~',
    'a\\b',
    'C:x'
  ]) {
    it(`${name} is taken where the disk takes it`, () => assert.equal(judgeName(name, linux), undefined))
  }
  for (const [what, name] of [
    ['an escape', 'a\u001b[2J'],
    ['a newline', 'a\nb'],
    ['DEL', 'a\u007f'],
    ['a C1 control', 'a\u009b2J'],
    ['a bidi override', 'a\u202egpj.exe'],
    ['a bidi isolate', 'a\u2066b'],
    ['a right-to-left mark', 'a\u200fb'],
    ['a line separator', 'a\u2028b'],
    ['a byte order mark', '\ufeffa'],
    ['a byte that is no UTF-8', 'a\udcff'],
    ['a lone surrogate', 'a\ud800'],
    ['our own area', '.spacedrive'],
    ['our own temporary name', '.spacedrive-tmp-x']
  ] as const) {
    it(`${what} is refused`, () => assert.equal(judgeName(name, linux)?.code, 'NAME_REFUSED'))
  }
  for (const name of [
    'CON',
    'nul',
    'COM1',
    'com¹.txt',
    'LPT9.txt',
    'aux.tar.gz',
    'CONIN$',
    'x.',
    'x ',
    'x:ads',
    'x::$DATA',
    'a\\b',
    'a?b'
  ]) {
    it(`${name} is refused on Windows`, () => assert.equal(judgeName(name, windows)?.code, 'NAME_REFUSED'))
  }
  it('the longest name the disk takes passes, one byte more does not', () => {
    const short: FolderFacts = { ...linux, maxNameBytes: 143 }
    assert.equal(judgeName('x'.repeat(143), short), undefined)
    assert.equal(judgeName('x'.repeat(144), short)?.code, 'NAME_TOO_LONG')
    assert.equal(judgeName(`${'x'.repeat(142)}é`, short)?.code, 'NAME_TOO_LONG')
  })
  it('names fold as the disk folds', () => {
    assert.notEqual(foldName('A', linux), foldName('a', linux))
    assert.equal(foldName('A', mac), foldName('a', mac))
    assert.equal(foldName('e\u0301', mac), foldName('\u00e9', mac))
    assert.notEqual(foldName('e\u0301', windows), foldName('\u00e9', windows))
  })
})

describe('links of an offer', () => {
  for (const [path, target, inside] of [
    ['top/a', 'b', true],
    ['top/a', './b/c', true],
    ['top/sub/a', '../b', true],
    ['top/sub/a', '..', true],
    ['top/a', '..', false],
    ['top/a', '../other', false],
    ['top/sub/a', '../../x', false],
    ['top/a', '/etc/passwd', false],
    ['top/a', 'C:\\x', false],
    ['top/a', '\\\\srv\\s', false],
    ['top/sub/a', 'b/../..', false],
    ['top/sub/a', 'b/..', false],
    ['top/a', '', false],
    ['a', 'b', false],
    ['a', '.', false]
  ] as const) {
    it(`${path} -> ${JSON.stringify(target)} ${inside ? 'stays inside' : 'leaves'}`, () =>
      assert.equal(staysInside(path, target), inside))
  }

  it('whatever links stay inside: none of them, together, leads out of the folder', () => {
    const name = fc.constantFrom('a', 'b', 'c')
    const target = fc.array(fc.constantFrom('a', 'b', 'c', '..', '.'), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(name, { maxLength: 2 }), name, target), { maxLength: 8 }), list => {
        const dir = tempDir()
        try {
          const top = join(dir.path, 'top')
          mkdirSync(top)
          writeFileSync(join(dir.path, 'a'), 'outside')
          const made: string[] = []
          for (const [folders, leaf, parts] of list) {
            const rel = ['top', ...folders, leaf].join('/')
            if (!staysInside(rel, parts.join('/'))) continue
            try {
              mkdirSync(join(dir.path, 'top', ...folders), { recursive: true })
              // A folder of an offer is a real one, never reached over a link.
              if (realpathSync(join(top, ...folders)) !== join(top, ...folders)) continue
              symlinkSync(parts.join('/'), join(dir.path, rel))
              made.push(rel)
            } catch {
              // The name is taken: an offer has each path once.
            }
          }
          for (const rel of made) {
            let real: string
            try {
              real = realpathSync(join(dir.path, rel))
            } catch {
              continue // dangling, or a loop
            }
            assert.ok(real === top || real.startsWith(`${top}/`), `${rel} leads to ${real}`)
          }
        } finally {
          dir.clean()
        }
      }),
      { numRuns: 150 }
    )
  })
})

const entry = (path: string, more: Partial<ManifestEntry> = {}): ManifestEntry => ({
  index: 0,
  path: path as RelPath,
  kind: 'file',
  sizeBytes: 1,
  mode: 0o644,
  mtimeNs: 0n,
  ...more
})
const folder = (path: string): ManifestEntry => entry(path, { kind: 'directory', sizeBytes: 0, mode: 0o755 })
const link = (path: string, target: string): ManifestEntry => entry(path, { kind: 'symlink', sizeBytes: 0, target })

function judged(entries: readonly ManifestEntry[], options: Partial<JudgeOptions> = {}) {
  const judge = new Judge({ folder: linux, links: false, ...options })
  const kept = entries.filter(e => judge.keep(e)).map(e => e.path as string)
  return { kept, ...judge.result }
}

describe('judging an offer', () => {
  it('everything is wanted', () => {
    const r = judged([folder('a'), entry('a/b'), entry('a/c', { sizeBytes: 5 })])
    assert.equal(r.all, true)
    assert.deepEqual(r.wanted, { entries: 3, files: 2, directories: 1, symlinks: 0, bytes: 6 })
  })
  it('a refused folder takes what it holds with it, and only itself is a problem', () => {
    const r = judged([
      folder('a'),
      folder('a/\u001b'),
      entry('a/\u001b/x'),
      folder('a/\u001b/y'),
      entry('a/\u001bz'),
      entry('a/b')
    ])
    assert.deepEqual(r.kept, ['a', 'a/b'])
    assert.deepEqual(
      r.problems.map(p => [p.path, p.code]),
      [
        ['a/\\x1b', 'NAME_REFUSED'],
        ['a/\\x1bz', 'NAME_REFUSED']
      ]
    )
  })
  it('links that leave are left out and counted, unless they are wanted', () => {
    const entries = [folder('a'), link('a/in', 'b'), link('a/out', '/etc/passwd')]
    const r = judged(entries)
    assert.deepEqual([r.kept, r.linksLeftOut, r.problems[0]?.code], [['a', 'a/in'], 1, 'LINK_LEFT_OUT'])
    assert.deepEqual(judged(entries, { links: true }).kept, ['a', 'a/in', 'a/out'])
  })
  it('names that the disk cannot tell apart: the first is taken', () => {
    const entries = [folder('a'), entry('a/X'), entry('a/x'), folder('b'), entry('b/x')]
    assert.deepEqual(judged(entries, { folder: mac }).kept, ['a', 'a/X', 'b', 'b/x'])
    assert.equal(judged(entries).all, true)
  })
  it('patterns: what does not fit is neither wanted nor a problem', () => {
    const r = judged([folder('a'), entry('a/x.jpg'), entry('a/y\u001b.txt'), entry('a/z\u001b.jpg')], {
      only: globs(['*.jpg'])
    })
    assert.deepEqual([r.kept, r.problemCount, r.all], [['a/x.jpg'], 1, false])
  })
  it('what starts by a click, and what is hidden, is counted', () => {
    const r = judged([
      entry('.bashrc'),
      entry('run.sh', { mode: 0o755 }),
      entry('x.desktop'),
      entry('y.exe'),
      entry('z.txt')
    ])
    assert.deepEqual([r.hidden, r.programs], [1, 3])
    assert.equal(r.kinds.has('executable'), true)
  })
  it('problems are listed up to a bound and counted beyond', () => {
    const r = judged(Array.from({ length: 1_500 }, (_, i) => entry(`\u0001${i}`)))
    assert.deepEqual([r.problems.length, r.problemCount, r.kept.length], [1_000, 1_500, 0])
  })
})
