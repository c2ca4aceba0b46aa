import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { testInstance } from '../../cli.js'
import { tempDir } from '../../temp.js'
import { file, makeTree, readTree } from './trees.js'

interface Answer {
  job: string
  state: string
  conflicts: number
  problems: number
  result: { copied: number; skipped: { exists: number } } | null
}

describe('copy: by the command line', () => {
  const alice = testInstance('alice')
  const temp = tempDir()
  const at = (name: string): string => join(temp.path, name)
  before(() => alice.ok('start'))
  after(async () => {
    await alice.clean()
    temp.clean()
  })

  it('files that exist are left alone, and said by the exit code, unless somebody says what to do', async () => {
    makeTree(temp.path, { '1/from/f': file('new'), '1/from/g': file('2'), '1/to/from/f': file('there') })
    const asked = await alice.run('--json', 'file', 'copy', at('1/from'), at('1/to'))
    assert.equal(asked.code, 3, asked.stderr)
    const { result } = JSON.parse(asked.stdout.trim().split('\n').at(-1)!) as Answer
    assert.deepEqual([result!.copied, result!.skipped.exists], [1, 1])
    const told = await alice.json<Answer>('file', 'copy', at('1/from'), at('1/to'), '--overwrite', 'skip')
    assert.equal(told.result!.skipped.exists, 1)
    await alice.ok('file', 'copy', at('1/from'), at('1/to'), '--overwrite')
    assert.equal(readFileSync(at('1/to/from/f'), 'utf8'), 'new')
  })

  it('a dry run says what would be done, and does nothing', async () => {
    makeTree(temp.path, { '2/from/f': file('new'), '2/from/in/g': file('2'), '2/to/from/f': file('there') })
    const before = readTree(at('2'))
    const text = await alice.ok('file', 'copy', at('2/from'), at('2/to'), '--overwrite', 'replace', '--dry-run')
    assert.match(text, /replace .*2\/to\/from\/f/)
    assert.match(text, /make folder .*2\/to\/from\/in\n/)
    assert.match(text, /copy .*2\/to\/from\/in\/g .*small/)
    assert.match(text, /Nothing was done/)
    assert.deepEqual(readTree(at('2')), before)
  })

  it('prompt: all else is copied, then the job rests, shows what it asks, and goes on with the answer', async () => {
    makeTree(temp.path, { '3/from/a': file('new a'), '3/from/b': file('new b'), '3/from/c': file('c') })
    makeTree(temp.path, { '3/to/from/a': file('a'), '3/to/from/b': file('b') })
    const run = await alice.run('--json', 'file', 'copy', at('3/from'), at('3/to'), '--overwrite', 'prompt')
    assert.equal(run.code, 3, run.stderr)
    const { job, state, conflicts } = JSON.parse(run.stdout.trim().split('\n').at(-1)!) as Answer
    assert.deepEqual([state, conflicts], ['paused', 2])
    assert.equal(readFileSync(at('3/to/from/c'), 'utf8'), 'c')
    assert.match(await alice.ok('job', 'info', job), /wait for an answer \(2\)[\s\S]*from\/a: there 1 B/)

    await alice.client.call('file.answer', { job, answer: 'skip', paths: ['from/b'], resume: false })
    const ended = await alice.listen('job:completed')
    await alice.ok('job', 'resume', job, '--answer', 'replace')
    await ended.next(e => e.job === job)
    assert.equal(readFileSync(at('3/to/from/a'), 'utf8'), 'new a')
    assert.equal(readFileSync(at('3/to/from/b'), 'utf8'), 'b')
    const none = await alice.run('job', 'resume', job, '--answer', 'skip')
    assert.equal(none.code, 1)
    assert.match(none.stderr, /asks nothing/)
  })

  it('a list of a folder that nobody indexed', async () => {
    makeTree(temp.path, { '4/b': file('12345'), '4/a/x': file('1') })
    const { entries } = await alice.json<{ entries: { name: string; kind: string; sizeBytes: number }[] }>(
      'file',
      'list',
      at('4')
    )
    assert.deepEqual(
      entries.map(e => [e.name, e.kind]),
      [
        ['a', 'directory'],
        ['b', 'file']
      ]
    )
    const none = await alice.run('file', 'list', at('4/b'))
    assert.equal(none.code, 1)
  })

  it('every copy is in the audit log, also one that was refused', async () => {
    makeTree(temp.path, { '5/from': file('1') })
    await alice.ok('file', 'copy', at('5/from'), at('5/to'))
    const refused = await alice.run('file', 'move', at('5/gone'), at('5/to'))
    assert.equal(refused.code, 1)
    const rows = await alice.json<{ records?: { command: string; outcome: string }[] }>(
      'system',
      'audit',
      '--tail',
      '2'
    )
    const text = JSON.stringify(rows)
    assert.match(text, /file\.copy/)
    assert.match(text, /file\.move/)
    assert.match(text, /refused/)
  })

  it('wrong words are said so', async () => {
    const run = await alice.run('file', 'copy', at('5/from'), at('5/to'), '--overwrite', 'always')
    assert.equal(run.code, 2)
    assert.match(run.stderr, /expected --overwrite skip \| replace \| prompt \| skip-newer, got "always"/)
  })
})
