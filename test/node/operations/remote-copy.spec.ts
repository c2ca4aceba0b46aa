import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type PairedDaemon, sharingPair } from '../../daemons.js'
import { file, folder, link, makeTree, readTree, type Tree } from '../../sync/copy/trees.js'

interface Copied {
  job: string
  state: string
  result: {
    renamed: number
    copied: number
    copiedBytes: number
    same: number
    replaced: number
    removed: number
    directories: number
    skipped: { exists: number; newer: number }
    strategies: Record<string, number>
  }
  problems: number
  problemList: { path: string; code: string }[]
}

/** A name that is no UTF-8. */
const oddIn = (folder: string): Buffer => Buffer.concat([Buffer.from(`${folder}/odd`), Buffer.from([0xff])])

/** Names, kinds, modes, times; a file larger than a pack, one with holes, folders without anything in them. */
function manyKinds(): Tree {
  const tree: Tree = {
    'a.txt': file('a', 0o640, 1_111_111),
    'run.sh': file('#!/bin/sh\n', 0o755),
    empty: folder(0o750, 2_222_222),
    'deep/er/est': folder(0o755, 3_333_333),
    'deep/er/zero': file(''),
    'deep/link': link('../a.txt', 1_500_000),
    'deep/dangling': link('nowhere/at/all'),
    'deep/big': file('0123456789abcdef'.repeat(200_000), 0o600, 1_234_567),
    'locked/in': file('in a folder that nobody may write to'),
    locked: folder(0o555, 4_444_444),
    ' spaces and \n line': file('x'),
    'ünï/日本': file('unicode')
  }
  for (let i = 0; i < 1500; i++) tree[`many/f${i}`] = file(`content ${i}`)
  return tree
}

describe('file copy and file move, DEVICE:/path', () => {
  let ada: PairedDaemon
  let bob: PairedDaemon
  let here: string
  let there: string
  sharingPair(pair => {
    ;({ ada, bob, here, there } = pair)
  })

  it('a tree of all kinds goes over and comes back as it was, and a second copy does nothing', async () => {
    makeTree(join(here, 'tree'), manyKinds())
    writeFileSync(oddIn(join(here, 'tree')), 'odd name')
    const size = 64 * 1024 * 1024
    writeFileSync(join(here, 'tree/sparse'), '')
    truncateSync(join(here, 'tree/sparse'), size)
    const over = await ada.json<Copied>('file', 'copy', join(here, 'tree'), `bob:${there}`)
    assert.equal(over.problems, 0, JSON.stringify(over.problemList))
    assert.equal(over.state, 'completed')
    assert.deepEqual(Object.keys(over.result.strategies), ['remote'])
    assert.equal(readFileSync(oddIn(join(there, 'tree')), 'utf8'), 'odd name')
    assert.ok(statSync(join(there, 'tree/sparse')).blocks * 512 < size / 4)
    const again = await ada.json<Copied>('file', 'copy', join(here, 'tree'), `bob:${there}`)
    assert.deepEqual([again.result.copied, again.result.same, again.result.directories], [0, over.result.copied, 0])
    const back = await ada.json<Copied>('file', 'copy', `bob:${there}/tree`, join(here, 'back'))
    assert.equal(back.result.copied, over.result.copied)
    for (const at of [join(here, 'tree'), join(there, 'tree'), join(here, 'back')]) rmSync(oddIn(at))
    assert.deepEqual(readTree(join(there, 'tree')), readTree(join(here, 'tree')))
    assert.deepEqual(readTree(join(here, 'back')), readTree(join(here, 'tree')))
    await ada.ok('file', 'copy', `bob:${there}`, `${here}/all/`)
    assert.deepEqual(readTree(join(here, 'all/Shared/tree')), readTree(join(here, 'tree')))
  })

  it('what exists is skipped, replaced, or left where it is newer; what was replaced is in the trash there', async () => {
    const mine = join(here, 'mine')
    makeTree(mine, { f: file('mine', 0o644, 2_000_000), old: file('mine', 0o644, 1_000_000) })
    makeTree(join(there, 'mine'), { f: file('theirs!', 0o644, 1_000_000), old: file('theirs!', 0o644, 2_000_000) })
    const skipped = await ada.run('--json', 'file', 'copy', mine, `bob:${there}`)
    assert.equal(skipped.code, 3)
    assert.equal(readFileSync(join(there, 'mine/f'), 'utf8'), 'theirs!')
    const newer = await ada.json<Copied>('file', 'copy', mine, `bob:${there}`, '--overwrite', 'skip-newer')
    assert.deepEqual([newer.result.replaced, newer.result.skipped.newer], [1, 1])
    assert.equal(readFileSync(join(there, 'mine/f'), 'utf8'), 'mine')
    assert.equal(readFileSync(join(there, 'mine/old'), 'utf8'), 'theirs!')
    const trash = await bob.json<{ entries: { path: string; command: string }[] }>('file', 'trash', 'list')
    assert.ok(trash.entries.some(e => e.path === join(there, 'mine/f')))
    const all = await ada.json<Copied>('file', 'copy', mine, `bob:${there}`, '--overwrite', 'replace', '--no-keep')
    assert.equal(all.result.replaced, 1)
    assert.equal(readFileSync(join(there, 'mine/old'), 'utf8'), 'mine')
  })

  it('a person is asked about what exists, and the copy goes on with the answer', async () => {
    const asks = join(here, 'asks')
    makeTree(asks, { 'in/f': file('mine', 0o644, 2_000_000), in: folder(0o755, 1_700_000), g: file('new') })
    makeTree(join(there, 'asks'), { 'in/f': file('theirs!', 0o644, 1_000_000), in: folder(0o755, 1_700_000) })
    const asked = await ada.run('--json', 'file', 'copy', asks, `bob:${there}`, '--overwrite', 'prompt')
    assert.equal(asked.code, 3)
    const { job } = JSON.parse(asked.stdout.trimEnd().split('\n').at(-1)!) as Copied
    assert.equal(readFileSync(join(there, 'asks/g'), 'utf8'), 'new')
    const ended = await ada.listen('job:completed')
    await ada.ok('job', 'resume', job, '--answer', 'replace')
    await ended.next(e => e.job === job)
    assert.deepEqual(readTree(join(there, 'asks')), readTree(asks))
  })

  it('a move takes away what arrived, each way, and nothing else', async () => {
    makeTree(join(here, 'goes'), manyKinds())
    const before = readTree(join(here, 'goes'))
    const moved = await ada.json<Copied>('file', 'move', join(here, 'goes'), `bob:${there}`)
    assert.equal(moved.problems, 0, JSON.stringify(moved.problemList))
    assert.equal(existsSync(join(here, 'goes')), false)
    assert.deepEqual(readTree(join(there, 'goes')), before)
    const back = await ada.json<Copied>('file', 'move', `bob:${there}/goes`, `${here}/came`)
    assert.equal(back.problems, 0, JSON.stringify(back.problemList))
    assert.equal(existsSync(join(there, 'goes')), false)
    assert.deepEqual(readTree(join(here, 'came')), before)
  })

  it('a move within the other device is one rename there', async () => {
    makeTree(join(there, 'from/tree'), { 'a/b': file('b'), c: file('c') })
    mkdirSync(join(there, 'to'))
    const inode = statSync(join(there, 'from/tree/c')).ino
    const moved = await ada.json<Copied>('file', 'move', `bob:${there}/from/tree`, `bob:${there}/to/`)
    assert.deepEqual([moved.result.renamed, moved.result.copied, moved.problems], [1, 0, 0])
    assert.equal(statSync(join(there, 'to/tree/c')).ino, inode)
    assert.equal(existsSync(join(there, 'from/tree')), false)
    makeTree(join(there, 'from/tree'), { 'a/b': file('other'), d: file('d') })
    const merged = await ada.json<Copied>(
      ...['file', 'move', `bob:${there}/from/tree`, `bob:${there}/to/`, '--overwrite', 'replace']
    )
    assert.deepEqual([merged.result.renamed, merged.result.copied, merged.result.replaced], [0, 2, 1])
    assert.equal(readFileSync(join(there, 'to/tree/a/b'), 'utf8'), 'other')
    assert.equal(existsSync(join(there, 'from/tree')), false)
  })

  it('a dry run says what would be done, patterns choose, and nothing is written', async () => {
    makeTree(join(here, 'chosen'), { 'a/x.txt': file('x'), 'a/y.bin': file('y'), 'b/z.bin': file('z') })
    const args = [join(here, 'chosen'), `bob:${there}`, '--include', '*.txt']
    const dry = await ada.ok('file', 'copy', ...args, '--dry-run')
    assert.match(dry, /make folder +.*chosen\/a\n[\s\S]*copy .*x\.txt .*remote: one end is another device/)
    assert.match(dry, /Would copy 1 file/)
    assert.equal(existsSync(join(there, 'chosen')), false)
    await ada.ok('file', 'copy', ...args)
    assert.deepEqual(Object.keys(readTree(join(there, 'chosen'))).sort(), ['a', 'a/x.txt'])
  })

  it('what cannot be meant is refused in its own words', async () => {
    const refused = async (code: number, says: RegExp, ...args: string[]): Promise<void> => {
      const result = await ada.run('file', ...args)
      assert.match(result.stderr, says)
      assert.equal(result.code, code)
    }
    writeFileSync(join(here, 'one'), '1')
    await refused(6, /nobody/, 'copy', join(here, 'one'), 'nobody:/x')
    await refused(1, /not granted[\s\S]*network grant/, 'copy', join(here, 'one'), `bob:${bob.downloads}`)
    await refused(1, /there is no such file/, 'copy', `bob:${there}/none`, here)
    await refused(1, /does not exist/, 'copy', join(here, 'one'), `bob:${there}/no/such/folder`)
    await refused(1, /could not put a folder into/, 'copy', join(here, 'chosen'), `bob:${there}/mine/f`)
    await refused(1, /granted folder itself stays/, 'move', `bob:${there}`, here)
    await refused(2, /--xattrs holds within one device/, 'copy', '--xattrs', join(here, 'one'), `bob:${there}`)
    await refused(1, /lies in it/, 'copy', `bob:${there}/mine`, `bob:${there}/mine/in`)
  })

  it('each access is in the audit log of both', async () => {
    const { records } = await bob.json<{ records: { command: string; outcome: string; origin: string }[] }>(
      'system',
      'audit'
    )
    assert.ok(records.some(r => r.command === 'remote.write' && r.outcome === 'done' && r.origin === ada.id))
    assert.ok(records.some(r => r.command === 'remote.write' && r.outcome === 'refused' && r.origin === ada.id))
    const mine = await ada.json<{ records: { command: string; paths: string[] }[] }>('system', 'audit')
    assert.ok(mine.records.some(r => r.command === 'file.move' && r.paths.some(p => p.startsWith('bob:'))))
  })

  it('a source that changes meanwhile or cannot be read is a problem of its own', async () => {
    makeTree(join(here, 'partly'), { ok: file('ok') })
    execFileSync('mkfifo', [join(here, 'partly/pipe')])
    const partly = await ada.run('--json', 'file', 'copy', join(here, 'partly'), `bob:${there}`)
    const { problemList } = JSON.parse(partly.stdout.trimEnd().split('\n').at(-1)!) as Copied
    assert.equal(partly.code, 3)
    assert.deepEqual(
      problemList.map(p => [p.path, p.code]),
      [['partly/pipe', 'SPECIAL_FILE']]
    )
    assert.equal(readFileSync(join(there, 'partly/ok'), 'utf8'), 'ok')
  })
})
