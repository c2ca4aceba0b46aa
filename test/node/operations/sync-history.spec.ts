import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testInstance } from '../../cli.js'
import { look } from '../../sync/session/fixture.js'

interface Moments {
  moments: { at: number; run: string; changes: number }[]
  kept: { end: string; contents: number }[]
}

describe('sync versions and restore', () => {
  const instance = testInstance()
  const folder = `${instance.dataDir}-history`
  const at = (path: string): string => join(folder, path)
  before(async () => {
    mkdirSync(at('photos/2026'), { recursive: true })
    await instance.ok('start')
  })
  after(() => instance.clean())
  const run = (): Promise<unknown> => instance.json('sync', 'run', 'photos')

  it('backed up, edited for a while, and the state of before is had back; the moment as it is shown', async () => {
    for (let i = 0; i < 3; i++) writeFileSync(at(`photos/2026/p${i}`), `picture ${i}`)
    await instance.ok('sync', 'add', 'photos', 'photos', 'disk', '--mode', 'backup', '--manual', { cwd: folder })
    await run()
    const was = look(at('photos'))
    cpSync(at('photos'), at('saved'), { recursive: true })
    writeFileSync(at('photos/2026/p0'), 'edited')
    rmSync(at('photos/2026/p1'))
    renameSync(at('photos/2026/p2'), at('photos/2026/best'))
    await run()
    const { moments, kept } = await instance.json<Moments>('sync', 'versions', 'photos')
    assert.deepEqual(
      moments.map(m => m.changes >= 3),
      [true, true]
    )
    assert.deepEqual(
      kept.map(k => [k.end, k.contents]),
      [['destination', 2]]
    )
    assert.match(await instance.ok('sync', 'versions', 'photos', '2026/p0'), /destination +9 B +2026\/p0/)
    const dry = await instance.json<{ list: { path: string }[] }>(
      ...['sync', 'restore', 'photos', '--at', moments[1]!.run.slice(-8), '--dry-run']
    )
    assert.deepEqual(dry.list.map(op => op.path).slice(0, 2), ['2026/p0', '2026/p1'])
    assert.equal(readFileSync(at('photos/2026/p0'), 'utf8'), 'edited')
    const done = await instance.ok('sync', 'restore', 'photos', '--at', moments[1]!.run.slice(-8))
    assert.match(done, /Restored at source \(as of .*\): \d+ changes/)
    assert.deepEqual(look(at('photos')), was)
    const log = await instance.json<{ records: { command: string; outcome: string }[] }>('system', 'audit')
    assert.ok(log.records.some(r => r.command === 'sync.restore' && r.outcome === 'done'))
  })

  it('a file into a folder; out of a folder alone; what is wrong with what was asked, in words', async () => {
    await instance.ok('sync', 'restore', 'photos', at('photos/2026/p1'), '--to', 'out', { cwd: folder })
    assert.equal(readFileSync(at('out/p1'), 'utf8'), 'picture 1')
    await instance.ok('sync', 'restore', '--from', 'disk', '2026', '--to', 'found', { cwd: folder })
    assert.equal(existsSync(at('found/2026/best')), true)
    for (const [args, code, text] of [
      [['photos', 'nowhere'], 1, /no earlier state of it is kept/],
      [['photos', '--at', '2020-01-01'], 1, /history begins at \d{4}-.*\n.*sync versions photos/],
      [['photos', '--at', 'whenever'], 2, /expected a time after --at/],
      [['photos', '/etc/passwd'], 2, /in neither end of photos/],
      [['photos', '../x'], 2, /no path within photos/],
      [['photos', '--at', 'abcdef12'], 1, /no moment abcdef12/],
      [['photos', '--to', 'out'], 1, /there is something in it/],
      [['none'], 1, /there is no sync none/],
      [['--from', 'out', '--to', 'else'], 1, /no versions are kept there/],
      [['--from', 'disk'], 2, /expected a folder after --to/],
      [[], 2, /name of a sync/]
    ] as const) {
      const result = await instance.run('sync', 'restore', ...args, { cwd: folder })
      assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`)
      assert.match(result.stderr, text)
    }
  })

  it('what is kept is verified: a damaged content is named, exit code 3', async () => {
    assert.match(await instance.ok('sync', 'versions', 'photos', '--verify'), /^4 contents whole/)
    const { versions } = await instance.json<{ versions: { end: string; hash: string }[] }>(
      ...['sync', 'versions', 'photos', '2026/p0']
    )
    const { hash } = versions.find(v => v.end === 'destination')!
    writeFileSync(at(`disk/.spacedrive/versions/content/${hash.slice(0, 2)}/${hash}`), 'picture X')
    const result = await instance.run('sync', 'versions', 'photos', '--verify')
    assert.equal(result.code, 3)
    assert.match(result.stderr, /2026\/p0 \(destination\): damaged/)
  })

  it('a conflict waits, is shown, and is answered', async () => {
    mkdirSync(at('one'))
    writeFileSync(at('one/todo'), 'base')
    await instance.ok(
      'sync',
      'add',
      'notes',
      'one',
      'two',
      '--mode',
      'bidirectional',
      '--conflict',
      'prompt',
      '--manual',
      {
        cwd: folder
      }
    )
    await instance.json('sync', 'run', 'notes')
    writeFileSync(at('one/todo'), 'mine')
    writeFileSync(at('two/todo'), 'theirs')
    assert.equal((await instance.run('sync', 'run', 'notes')).code, 3)
    const shown = await instance.run('sync', 'conflicts', 'notes')
    assert.equal(shown.code, 3)
    assert.match(shown.stdout, /todo +4 B, .* 6 B, /)
    assert.match((await instance.run('sync', 'resolve', 'notes', 'todo')).stderr, /expected --keep source/)
    assert.match((await instance.run('sync', 'resolve', 'notes', 'x', '--keep', 'both')).stderr, /x of notes waits/)
    assert.match(await instance.ok('sync', 'resolve', 'notes', '--all', '--keep', 'destination'), /1 conflict answered/)
    assert.equal(readFileSync(at('one/todo'), 'utf8'), 'theirs')
    assert.match(await instance.ok('sync', 'conflicts', 'notes'), /No conflict of notes/)
  })

  it('a run is taken back, what was changed since is named; why a path is as it is; policies', async () => {
    writeFileSync(at('one/todo'), 'four')
    writeFileSync(at('one/other'), 'other')
    await instance.json('sync', 'run', 'notes')
    writeFileSync(at('two/other'), 'by hand')
    const dry = await instance.run('sync', 'undo', 'notes', '--dry-run')
    assert.match(dry.stdout, /Would be taken back .*\n +replace +destination +todo/)
    const undone = await instance.run('sync', 'undo', 'notes')
    assert.equal(undone.code, 3)
    assert.match(undone.stdout, /Took back the run [0-9a-f]{8} of .*: \d change/)
    assert.match(undone.stderr, /other \(destination\): it was changed since/)
    assert.match(undone.stderr, /notes is paused: .*carry this to the other end/)
    assert.equal(readFileSync(at('two/todo'), 'utf8'), 'theirs')
    assert.match(await instance.ok('sync', 'status', 'notes'), /paused.*taken back/)
    assert.match(await instance.ok('sync', 'why', 'notes', at('two/todo')), /todo: it was changed at the destination/)
    const none = await instance.run('sync', 'add', 'x', 'one', 'three', '--mode', 'mirror', '--versions', 'none', {
      cwd: folder
    })
    assert.equal(none.code, 2)
    assert.match(none.stderr, /the least is trashcan:1/)
  })
})
