import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { type CopyKit, openCopies } from './fixture.js'
import { file, folder, link, makeTree, readTree } from './trees.js'

describe('move', () => {
  let kit: CopyKit
  beforeEach(async () => {
    kit = await openCopies()
  })
  afterEach(() => kit.clean())

  it('within a volume it is one rename, whatever it holds', async () => {
    makeTree(kit.at('from'), { 'a/b': file('1', 0o600, 5), c: link('a'), d: folder(0o700, 6) })
    const before = readTree(kit.at('from'))
    const inode = statSync(kit.at('from')).ino
    const result = await kit.copy(['from'], 'to', { operation: 'move' })
    assert.deepEqual([result.renamed, result.copied], [1, 0])
    assert.equal(statSync(kit.at('to')).ino, inode)
    assert.deepEqual(readTree(kit.at('to')), before)
    assert.equal(existsSync(kit.at('from')), false)
  })

  it('into a folder that exists it merges, and moves each file by its name alone', async () => {
    makeTree(kit.dir, { 'from/a/new': file('1', 0o640, 7), 'from/a/b/x': file('2'), 'from/l': link('a') })
    makeTree(kit.dir, { 'to/from/a/old': file('3'), 'from/a': folder(0o750, 8) })
    const inode = statSync(kit.at('from/a/new')).ino
    const result = await kit.copy(['from'], 'to', { operation: 'move' })
    assert.equal(result.state, 'completed')
    assert.equal(statSync(kit.at('to/from/a/new')).ino, inode)
    assert.equal(existsSync(kit.at('from')), false)
    assert.deepEqual(Object.keys(readTree(kit.at('to'))).sort(), [
      ...['from', 'from/a', 'from/a/b', 'from/a/b/x', 'from/a/new', 'from/a/old', 'from/l']
    ])
    assert.deepEqual(readTree(kit.at('to'))['from/a'], folder(0o750, 8))
  })

  it('what was not moved stays, with the folders around it', async () => {
    makeTree(kit.dir, { 'from/same': file('1'), 'from/d/other': file('2'), 'from/d/free': file('3') })
    makeTree(kit.dir, { 'to/from/same': file('1'), 'to/from/d/other': file('something else') })
    const result = await kit.copy(['from'], 'to', { operation: 'move', overwrite: 'skip' })
    assert.equal(result.skipped.exists, 1)
    assert.deepEqual(Object.keys(readTree(kit.at('from'))).sort(), ['d', 'd/other'])
    assert.equal(readTree(kit.at('to'))['from/d/other']!.kind, 'file')
  })

  it('the same size and time do not prove that it is the same: contents are compared before a source goes', async () => {
    makeTree(kit.dir, { 'from/f': file('aaaa'), 'to/from/f': file('bbbb') })
    const result = await kit.copy(['from'], 'to', { operation: 'move', overwrite: 'skip' })
    assert.equal(result.skipped.exists, 1)
    assert.deepEqual(readTree(kit.at('from')).f, file('aaaa'))
  })

  it('replaces on the way, and keeps what it replaced', async () => {
    makeTree(kit.dir, { 'from/f': file('new one'), 'to/from/f': file('old') })
    const { job, replaced } = await kit.copy(['from'], 'to', { operation: 'move', overwrite: 'replace' })
    assert.equal(replaced, 1)
    assert.equal((await kit.trash.list({ job })).entries.length, 1)
    assert.equal(existsSync(kit.at('from')), false)
  })
})
