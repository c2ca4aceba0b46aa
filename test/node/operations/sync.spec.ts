import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testInstance } from '../../cli.js'
import { look } from '../../sync/session/fixture.js'

interface Run {
  sync: string
  state: string
  reason?: string
  planHash: string
  operations: number
  bytesTransferred: number
  conflicts: { path: string; resolution: string }[]
  problems: { code: string }[]
}

describe('sync add, list, plan, run, remove', () => {
  const instance = testInstance()
  const folder = `${instance.dataDir}-folders`
  const at = (path: string): string => join(folder, path)
  before(async () => {
    mkdirSync(at('a'), { recursive: true })
    mkdirSync(at('c'))
    await instance.ok('start')
  })
  after(() => instance.clean())
  const run = (name: string, ...more: string[]): Promise<Run> => instance.json('sync', 'run', name, ...more)

  it('two folders are kept in step both ways; what a plan shows is what is done', async () => {
    for (let i = 0; i < 12; i++) writeFileSync(at(`a/f${i}`), `content ${i}`)
    assert.match(
      await instance.ok('sync', 'add', 'notes', 'a', 'b', '--mode', 'bidirectional', '--manual', { cwd: folder }),
      /Added notes: .*\/a and .*\/b\./
    )
    const planned = await instance.json<{ planHash: string; list: { kind: string; path: string }[]; text: string }>(
      ...['sync', 'plan', 'notes']
    )
    assert.equal(planned.list.length, 12)
    assert.deepEqual(look(at('b')), {})
    const first = await run('notes', '--plan', planned.planHash)
    assert.deepEqual([first.state, first.operations], ['converged', 12])
    assert.deepEqual(look(at('b')), look(at('a')))
    writeFileSync(at('b/f1'), 'edited there')
    renameSync(at('a/f2'), at('a/renamed'))
    rmSync(at('b/f3'))
    const second = await run('notes')
    assert.deepEqual([second.state, second.operations, second.bytesTransferred], ['converged', 3, 12])
    assert.deepEqual(look(at('b')), look(at('a')))
    assert.equal((await run('notes')).operations, 0)
    assert.match(await instance.ok('sync', 'run', 'notes'), /In step: 0 done/)
    assert.match(await instance.ok('sync', 'list'), /notes {2}bidirectional .* converged/)
    const { records } = await instance.json<{ records: { command: string; outcome: string; files: number }[] }>(
      ...['system', 'audit']
    )
    assert.deepEqual(
      records.filter(r => r.command === 'sync.run').map(r => [r.outcome, r.files]),
      [
        ['done', 12],
        ['done', 3],
        ['done', 0],
        ['done', 0]
      ]
    )
  })

  it('rules that leave out most of a folder are said, with the way to see why; and no longer once they are gone', async () => {
    mkdirSync(at('most'))
    for (let i = 0; i < 5; i++) writeFileSync(at(`most/f${i}`), String(i))
    const rules = at('most/.spacedriveignore')
    await instance.ok('sync', 'add', 'most', 'most', 'most2', '--mode', 'mirror', '--manual', { cwd: folder })
    for (const [text, note] of [
      ['*\n', 'the rules leave out 6 of 6 files: '],
      ['f1\nf2\n', undefined],
      ['f1\nf2\nf3\nf4\n', 'the rules leave out 4 of 6 files: '],
      ['nothing like it\n', undefined]
    ] as const) {
      writeFileSync(rules, text)
      const said = await instance.ok('sync', 'run', 'most')
      const { syncs } = await instance.json<{ syncs: { notes: string[] }[] }>('sync', 'status', 'most')
      assert.deepEqual(
        syncs[0]!.notes.map(n => n.slice(0, note?.length)),
        note === undefined ? [] : [note]
      )
      assert.equal(said.includes('the rules leave out'), note !== undefined)
    }
    assert.deepEqual(look(at('most2')), look(at('most')), 'what the old rules left out came in the same run')
    await instance.ok('sync', 'remove', 'most')
  })

  it('a plan that is no longer true does nothing', async () => {
    writeFileSync(at('a/new'), '1')
    const { planHash } = await instance.json<{ planHash: string }>('sync', 'plan', 'notes')
    writeFileSync(at('a/other'), '2')
    const refused = await instance.run('sync', 'run', 'notes', '--plan', planHash)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /another plan/)
    assert.equal(readdirSync(at('b')).includes('new'), false)
    await run('notes')
  })

  it('a plan shows first what goes, then what is renamed; so many as are asked for', async () => {
    for (const name of ['goes', 'is renamed', ...Array(8).keys()]) {
      mkdirSync(at('shown'), { recursive: true })
      writeFileSync(at(`shown/${name}`), `this is ${name}`)
    }
    await instance.ok('sync', 'add', 'shown', at('shown'), at('shown2'), '--mode', 'mirror', '--manual')
    await run('shown')
    for (let i = 0; i < 3; i++) writeFileSync(at(`shown/0 new ${i}`), `new ${i}`)
    rmSync(at('shown/goes'))
    renameSync(at('shown/is renamed'), at('shown/renamed'))
    const plan = async (...options: string[]): Promise<string[]> => {
      const lines = (await instance.ok('sync', 'plan', 'shown', ...options)).split('\n')
      return lines.slice(0, 3).map(line => line.slice(0, 6).trim())
    }
    assert.deepEqual(await plan(), ['remove', 'move', 'create'])
    assert.deepEqual(await plan('--limit', '2'), ['remove', 'move', 'and 3'])
    await instance.ok('sync', 'remove', 'shown')
  })

  it('a plan says what it leaves as it is, and settled conflicts are found again with the other content', async () => {
    for (const end of ['left', 'left2']) mkdirSync(at(end))
    await instance.ok('sync', 'add', 'left', at('left'), at('left2'), '--mode', 'bidirectional', '--manual')
    await run('left')
    writeFileSync(at('left/both'), 'here')
    writeFileSync(at('left2/both'), 'and there, longer')
    writeFileSync(at('left/stands'), 'a file')
    execFileSync('mkfifo', [at('left2/stands')])
    await instance.ok('sync', 'remove', 'left')
    const asked = ['--mode', 'bidirectional', '--conflict', 'prompt', '--manual'] as const
    await instance.ok('sync', 'add', 'left', at('left'), at('left2'), ...asked)
    const said = await instance.ok('sync', 'plan', 'left')
    assert.match(said, /^ {2}conflict {2}both: waiting$/m)
    assert.match(said, /^ {2}could not sync stands: a device, socket or FIFO stands there, at the destination$/m)
    const plan = await instance.json<Run>('sync', 'plan', 'left')
    assert.deepEqual(plan.conflicts, [{ path: 'both', resolution: 'waiting' }])
    assert.equal(plan.problems.length, 1)
    const { stdout } = await instance.run('sync', 'status', 'left')
    assert.doesNotMatch(stdout, /What helps/)
    const first = await instance.run('sync', 'run', 'left')
    assert.equal(first.code, 3)
    assert.match(await instance.ok('sync', 'status', 'left'), /What helps: spacedrive sync why left stands\. Then: /)

    assert.match((await instance.run('sync', 'why', 'left', 'stands')).stderr, /move that away/)
    rmSync(at('left2/stands'))
    await instance.ok('sync', 'resolve', 'left', 'both', '--keep', 'both')
    const copy = readdirSync(at('left')).find(name => name.startsWith('both.conflict-'))!
    assert.match(await instance.ok('sync', 'conflicts', 'left'), new RegExp(`both: kept-both, the other is ${copy}`))
    assert.match(
      (await instance.run('sync', 'why', 'left', copy)).stderr,
      /Both ends had edited both: this is the content/
    )
    assert.match((await instance.run('sync', 'why', 'left', 'both')).stderr, new RegExp(`was kept as ${copy}`))
    await instance.ok('sync', 'remove', 'left')
  })

  it('a mass deletion halts: exit code 4, nothing changed, the way on; then it is done', async () => {
    for (const name of readdirSync(at('a'))) if (name.startsWith('f')) rmSync(at(`a/${name}`))
    const before = look(at('b'))
    const halted = await instance.run('sync', 'run', 'notes')
    assert.equal(halted.code, 4)
    assert.match(halted.stdout, /Halted, and nothing was changed: 10 of 13 files at the destination would be gone/)
    assert.match(halted.stdout, /sync run notes --force/)
    assert.deepEqual(look(at('b')), before)
    const forced = await run('notes', '--force')
    assert.equal(forced.state, 'converged')
    assert.deepEqual(look(at('b')), look(at('a')))
  })

  it('two edits of one file: both are kept, and told', async () => {
    writeFileSync(at('a/both'), 'x')
    await run('notes')
    writeFileSync(at('a/both'), 'one')
    writeFileSync(at('b/both'), 'two!')
    const { state, conflicts } = await run('notes')
    assert.equal(state, 'converged')
    assert.deepEqual(
      conflicts.map(c => [c.path, c.resolution]),
      [['both', 'kept-both']]
    )
    const texts = readdirSync(at('a'))
      .filter(n => n.startsWith('both'))
      .map(n => readFileSync(at(`a/${n}`), 'utf8'))
    assert.deepEqual(texts.sort(), ['one', 'two!'])
  })

  it('a folder that is gone, or another one at its place: nothing is deleted, and no force lets it pass', async () => {
    renameSync(at('b'), at('away'))
    const missing = await instance.run('sync', 'run', 'notes', '--force')
    assert.equal(missing.code, 4)
    assert.match(missing.stdout, /Halted, and nothing was changed: .* is not there/)
    mkdirSync(at('b'))
    const before = look(at('a'))
    const other = await instance.run('sync', 'run', 'notes', '--force')
    assert.equal(other.code, 4)
    assert.match(other.stdout, /another folder than the one that was synced/)
    const status = await instance.json<{ syncs: { state: string; reason: string }[] }>('sync', 'status', 'notes')
    assert.deepEqual(
      status.syncs.map(s => [s.state, s.reason]),
      [['halted', 'root-replaced']]
    )
    assert.deepEqual(look(at('a')), before)
    rmSync(at('b'), { recursive: true })
    renameSync(at('away'), at('b'))
    assert.equal((await run('notes')).operations, 0)
  })

  for (const [what, args, code, text] of [
    ['a folder in itself', ['x', 'a', 'a/inner', '--mode', 'mirror'], 1, /lie in one another/],
    ['a folder within that of another sync', ['x', 'c', 'a/sub', '--mode', 'mirror'], 1, /overlaps/],
    ['a source that is not there', ['x', 'nowhere', 'c', '--mode', 'mirror'], 1, /not there\n.*is its disk mounted/],
    ['a name that is taken', ['notes', 'a', 'c', '--mode', 'mirror'], 1, /there is a sync notes already/],
    ['a bad name', ['../x', 'a', 'c', '--mode', 'mirror'], 2, /no name for one/],
    ['no mode', ['x', 'a', 'c'], 2, /expected --mode/],
    ['a bad policy', ['x', 'a', 'c', '--mode', 'mirror', '--conflict', 'mine'], 2, /expected --conflict/],
    [
      'a pattern that is nothing',
      ['x', 'a', 'c', '--mode', 'mirror', '--ignore', ''],
      2,
      /expected a pattern.*\n.*'\*/
    ],
    ['the way back of another sync', ['x', 'b', 'a', '--mode', 'mirror'], 1, /ends of the bidirectional notes already/],
    ['a file', ['x', 'a/other', 'c', '--mode', 'mirror'], 1, /a\/other: .*\n.*Name a folder/]
  ] as [string, string[], number, RegExp][]) {
    it(`${what} is refused`, async () => {
      const refused = await instance.run('sync', 'add', ...args, { cwd: folder })
      assert.match(refused.stderr, text)
      assert.equal(refused.code, code)
    })
  }

  it('half of a folder is gone and that was not meant: the words of the guard bring it back', async () => {
    mkdirSync(at('ours'))
    for (let i = 0; i < 20; i++) writeFileSync(at(`ours/f${i}`), `content ${i}`)
    const name = "Ada's photos"
    assert.match(
      await instance.ok('sync', 'add', 'our photos', 'ours', 'ours2', '--mode', 'mirror', '--manual', { cwd: folder }),
      /`spacedrive sync run 'our photos'` does it/
    )
    assert.match((await instance.run('sync', 'add', name, 'ours', 'c', '--mode', 'mirror')).stderr, /no name for one/)
    await run('our photos')
    const before = look(at('ours'), { times: false })
    for (let i = 0; i < 15; i++) rmSync(at(`ours/f${i}`))
    const halted = await instance.run('sync', 'run', 'our photos')
    assert.equal(halted.code, 4)
    assert.match(halted.stdout, /If that is meant: spacedrive sync run 'our photos' --force/)
    assert.match(
      halted.stdout,
      /bring back what is missing at the source: spacedrive sync restore 'our photos' --to source/
    )
    const why = await instance.json<{ state: string; advice: string }>('sync', 'why', 'our photos', 'f1')
    assert.equal(why.state, 'waiting')
    assert.match(why.advice, /halted, nothing was changed: 15 of 20 files.* --to source/)
    await instance.ok('sync', 'restore', 'our photos', '--to', 'source')
    assert.deepEqual(look(at('ours'), { times: false }), before)
    assert.equal((await run('our photos')).operations, 0)
    await instance.ok('sync', 'remove', 'our photos')
  })

  it('removed it is forgotten; files and versions stay', async () => {
    const before = look(at('b'))
    await instance.ok('sync', 'remove', 'notes')
    assert.match(await instance.ok('sync', 'list'), /No syncs/)
    assert.deepEqual(look(at('b')), before)
    assert.ok(readdirSync(at('b/.spacedrive')).includes('versions'))
    assert.match((await instance.run('sync', 'run', 'notes')).stderr, /there is no sync notes/)
  })
})
