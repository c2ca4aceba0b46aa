import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { copyInput } from '../../../sync/copy/index.js'
import { PAGE_NAMES } from '../../../sync/copy/pages.js'
import { type CopyKit, openCopies } from './fixture.js'
import { file, folder, link, makeTree, readTree } from './trees.js'

describe('copy', () => {
  let kit: CopyKit
  beforeEach(async () => {
    kit = await openCopies()
  })
  afterEach(() => kit.clean())

  it('a tree arrives as it is: content, modes, times, links, empty folders, odd names', async () => {
    const tree = {
      'a.txt': file('hello', 0o640, 1_500_000_000),
      empty: folder(0o700, 1_400_000_000),
      'deep/er/file': file('x'.repeat(300_000), 0o755, 1),
      'deep/none': file('', 0o400, 1_300_000_000),
      'deep/er': folder(0o555, 1_200_000_000),
      deep: folder(0o750, 1_100_000_000),
      'to a': link('a.txt', 1_000),
      dangling: link('../../nowhere', 2_000),
      '  ümläut\n*': file('odd', 0o644, 3_000)
    }
    makeTree(kit.at('from'), tree)
    const result = await kit.copy(['from'], 'to')
    assert.equal(result.state, 'completed')
    assert.deepEqual(readTree(kit.at('to')), readTree(kit.at('from')))
    assert.equal(result.copied, 6)
    assert.deepEqual(lsOurs(kit.dir), [])
  })

  it('again over a finished copy nothing is done', async () => {
    makeTree(kit.at('from'), { 'a/b': file('1'), c: link('a/b'), d: folder() })
    await kit.copy(['from'], 'to')
    const before = lstatSync(kit.at('to/a/b'), { bigint: true })
    const again = await kit.copy(['from'], 'to', { into: false })
    assert.equal(again.copied, 2) // into the folder that exists by now
    const third = await kit.copy(['from'], 'to')
    assert.deepEqual([third.copied, third.same, third.attributes], [0, 2, 0])
    assert.equal(lstatSync(kit.at('to/a/b'), { bigint: true }).ctimeNs, before.ctimeNs)
  })

  it('several sources go into a folder, which is made', async () => {
    makeTree(kit.dir, { 'one/x': file('1'), 'two/y': file('2'), three: file('3') })
    const result = await kit.copy(['one', 'two', 'three'], 'to')
    assert.equal(result.copied, 3)
    assert.deepEqual(Object.keys(readTree(kit.at('to'))).sort(), ['one', 'one/x', 'three', 'two', 'two/y'])
  })

  it('a file under a new name, and over a file that exists', async () => {
    makeTree(kit.dir, { a: file('new', 0o600, 5_000), b: file('old', 0o644, 4_000) })
    await kit.copy(['a'], 'c')
    assert.equal(readFileSync(kit.at('c'), 'utf8'), 'new')
    const left = await kit.copy(['a'], 'b')
    assert.equal(left.skipped.exists, 1)
    assert.equal(readFileSync(kit.at('b'), 'utf8'), 'old')
    const done = await kit.copy(['a'], 'b', { overwrite: 'replace' })
    assert.equal(done.replaced, 1)
    assert.deepEqual(readTree(kit.dir).b, file('new', 0o600, 5_000))
  })

  it('what is replaced can be had back; with keep off it is gone', async () => {
    makeTree(kit.dir, { 'from/f': file('new'), 'to/from/f': file('older text') })
    const { job } = await kit.copy(['from'], 'to', { overwrite: 'replace' })
    const { entries } = await kit.trash.list({ job })
    assert.deepEqual(
      entries.map(e => [e.path, e.bytes]),
      [[kit.at('to/from/f'), 10]]
    )
    makeTree(kit.dir, { 'from/f': file('newest') })
    const gone = await kit.copy(['from'], 'to', { overwrite: 'replace', keep: false })
    assert.equal(gone.replaced, 1)
    assert.deepEqual((await kit.trash.list({ job: gone.job })).entries, [])
    assert.deepEqual(lsOurs(kit.at('to')), [])
  })

  it('names of one file stay names of one file', async () => {
    makeTree(kit.at('from'), { 'a/1': file('content'), b: folder(), lonely: file('x') })
    for (const name of ['a/2', 'b/3']) linkSync(kit.at('from/a/1'), kit.at('from', name))
    const result = await kit.copy(['from'], 'to')
    const inodes = ['a/1', 'a/2', 'b/3'].map(name => statSync(kit.at('to', name)).ino)
    assert.equal(new Set(inodes).size, 1)
    assert.equal(result.strategies.link, 2)
    assert.equal(result.copiedBytes, 8)
    assert.notEqual(inodes[0], statSync(kit.at('from/a/1')).ino)
  })

  it('holes stay holes', async () => {
    const fd = openSync(kit.at('sparse'), 'w')
    writeSync(fd, 'begin', 0)
    writeSync(fd, 'middle', 32 << 20)
    closeSync(fd)
    truncateSync(kit.at('sparse'), 64 << 20)
    for (const verify of [false, true]) {
      await kit.copy(['sparse'], `copy-${verify}`, { verify })
      const copy = statSync(kit.at(`copy-${verify}`))
      assert.equal(copy.size, 64 << 20)
      assert.ok(copy.blocks * 512 < 1 << 20, `takes ${copy.blocks * 512} bytes`)
      assert.ok(readFileSync(kit.at('sparse')).equals(readFileSync(kit.at(`copy-${verify}`))))
    }
  })

  it('verified: every file is read back', async () => {
    makeTree(kit.at('from'), { a: file('1'), b: file('2'.repeat(2_000_000)) })
    const result = await kit.copy(['from'], 'to', { verify: true })
    assert.deepEqual(result.strategies, { stream: 2 })
    assert.deepEqual(readTree(kit.at('to')), readTree(kit.at('from')))
  })

  it('only what fits, in the manner of .gitignore', async () => {
    makeTree(kit.at('from'), { 'a.jpg': file('1'), 'b.txt': file('2'), 'in/c.jpg': file('3'), 'no/d.jpg': file('4') })
    await kit.copy(['from'], 'to', { include: ['*.jpg'], exclude: ['no/'] })
    assert.deepEqual(Object.keys(readTree(kit.at('to'))).sort(), ['a.jpg', 'in', 'in/c.jpg'])
  })

  it('with the time of the job instead of their own', async () => {
    makeTree(kit.at('from'), { a: file('1') })
    const before = Date.now()
    await kit.copy(['from'], 'to', { keepTimes: false })
    assert.ok(statSync(kit.at('to/a')).mtimeMs >= before - 1)
    const again = await kit.copy(['from/a'], 'to')
    assert.deepEqual([again.copied, again.same], [0, 1])
  })

  it('extended attributes travel when asked', async () => {
    makeTree(kit.at('from'), { a: file('1') })
    const set = `import os; os.setxattr(${JSON.stringify(kit.at('from/a'))}, 'user.note', b'kept')`
    execFileSync('python3', ['-c', set])
    await kit.copy(['from'], 'with', { xattrs: true })
    await kit.copy(['from'], 'without')
    const names = (name: string): string =>
      execFileSync('python3', ['-c', `import os; print(os.listxattr(${JSON.stringify(kit.at(name))}))`], {
        encoding: 'utf8'
      })
    assert.match(names('with/a'), /user\.note/)
    assert.doesNotMatch(names('without/a'), /user\.note/)
  })

  it('links that lead outside are copied as links', async () => {
    makeTree(kit.dir, { 'secret/s': file('1'), 'from/x': file('2') })
    symlinkSync(kit.at('secret'), kit.at('from/out'))
    await kit.copy(['from'], 'to')
    assert.equal(lstatSync(kit.at('to/out')).isSymbolicLink(), true)
  })

  it('a dry run tells each folder once, however much is in it', async () => {
    mkdirSync(kit.at('from/in'), { recursive: true })
    for (let i = 0; i < 2 * PAGE_NAMES; i++) writeFileSync(kit.at('from/in', String(i)), '')
    const made: string[] = []
    const input = copyInput.parse({ operation: 'copy', sources: [kit.at('from')], destination: kit.at('to') })
    const { files, folders } = await kit.copies.preview(input, {
      line: ({ action, path }) => action === 'make-folder' && made.push(path),
      problem: p => assert.fail(p.message)
    })
    assert.deepEqual([files, folders, made], [2 * PAGE_NAMES, 2, [kit.at('to'), kit.at('to/in')]])
  })

  it('what cannot be copied is listed, the rest is', async () => {
    makeTree(kit.at('from'), { a: file('1'), 'z/b': file('2') })
    execFileSync('mkfifo', [kit.at('from/pipe')])
    mkdirSync(kit.at('to/from/a'), { recursive: true })
    writeFileSync(kit.at('to/from/z'), 'a file where a folder should be')
    const result = await kit.copy(['from'], 'to', { overwrite: 'replace' })
    assert.equal(result.state, 'completed-with-problems')
    assert.deepEqual(
      new Set(result.problems.map(p => `${p.path} ${p.code}`)),
      new Set(['from/a KIND_DIFFERS', 'from/pipe SPECIAL_FILE', 'from/z KIND_DIFFERS'])
    )
    assert.equal(readFileSync(kit.at('to/from/z'), 'utf8'), 'a file where a folder should be')
  })

  for (const [why, sources, destination, code] of [
    ['a source that is not there', ['gone'], 'to', 'NOT_FOUND'],
    ['a folder into itself', ['a'], 'a/b/new', 'INTO_ITSELF'],
    ['a folder onto itself', ['a'], '', 'SAME_FILE'],
    ['a file onto itself', ['f'], 'f', 'SAME_FILE'],
    ['a source that lies in what it would be put over', ['a/b/a'], '', 'SOURCE_INSIDE_DESTINATION'],
    ['a folder onto a file', ['a'], 'f', 'NOT_A_FOLDER'],
    ['two things onto a file', ['a', 'f'], 'f', 'NOT_A_FOLDER'],
    ['two sources of one name', ['f', 'a/f'], 'to', 'SAME_NAME_TWICE'],
    ['a destination whose folder is missing', ['f'], 'no/where/f', 'NOT_FOUND'],
    ['a destination below a file', ['a'], 'f/x', 'NOT_A_FOLDER']
  ] as const) {
    it(`refused: ${why}`, async () => {
      makeTree(kit.dir, { f: file('1'), 'a/f': file('2'), 'a/b/a/x': file('3') })
      const before = readTree(kit.at('a'))
      await assert.rejects(kit.copy([...sources], destination), { code })
      assert.deepEqual(readTree(kit.at('a')), before)
    })
  }
})

/** What of ours lies about in a folder. */
function lsOurs(dir: string): string[] {
  return Object.keys(readTree(dir)).filter(path => path.includes('.spacedrive-tmp'))
}
