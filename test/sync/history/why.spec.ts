import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RelPath } from '../../../storage/base/index.js'
import { openSqlite } from '../../../storage/sql/index.js'
import { tempDir } from '../../temp.js'
import { withoutRoot } from '../../unprivileged.js'
import { type HistoryFixture, openHistory } from './fixture.js'

describe('why a path is as it is', () => {
  let fixture: HistoryFixture
  afterEach(() => fixture.close())
  const at = (path: string): string => join(fixture.source, path)
  const why = (path: string) => fixture.history.why(fixture.sync(), path as RelPath)
  const told = async (path: string): Promise<string> => {
    const { state, text } = await why(path)
    return `${state}: ${text}`
  }

  it('in step since when, changed and waiting, gone, ignored by which line, no kind of thing that is carried', async () => {
    fixture = await openHistory({ mode: 'bidirectional', policy: 'prompt', ignore: ['*.tmp', '/cache/'] })
    for (const folder of ['d', 'd/sub', 'cache']) mkdirSync(at(folder))
    for (const name of ['a', 'b', 'c', 'd/x.tmp', 'd/sub/y.log', 'cache/z', 'gone']) writeFileSync(at(name), 'base')
    writeFileSync(at('d/.spacedriveignore'), '# ours\n\n*.log\n')
    execFileSync('mkfifo', [at('pipe')])
    const before = fixture.now()
    await fixture.run()
    const a = await why('a')
    assert.deepEqual(
      [a.state, a.text, a.changes.map(c => `${c.kind} ${c.end}`)],
      [...['in-step', 'it is in step', ['create destination']]]
    )
    assert.ok(a.sinceMs! >= before)
    writeFileSync(at('a'), 'edited now')
    assert.equal(await told('a'), 'waiting: it was changed at the source since the last run')
    assert.match((await why('a')).advice!, /sync run test/)
    writeFileSync(at('new'), 'x')
    assert.equal(await told('new'), 'waiting: it is new at the source')
    assert.equal(await told('never'), 'absent: there is no such thing at either end')
    assert.equal(await told('d/x.tmp'), 'ignored: it is ignored: line 1 of --ignore says *.tmp')
    assert.equal(
      await told('cache/z'),
      'ignored: it is ignored: line 2 of --ignore says /cache/, which leaves out cache'
    )
    const log = await why('d/sub/y.log')
    assert.deepEqual([log.rule?.line, log.rule?.pattern], [3, '*.log'])
    assert.match(log.rule!.file, /\/source\/d\/\.spacedriveignore$/)
    assert.match(await told('pipe'), /^unknown: at the source it is a device, socket or FIFO/)
    rmSync(at('gone'))
    renameSync(at('c'), at('renamed'))
    writeFileSync(at('b'), 'mine')
    writeFileSync(join(fixture.destination, 'b'), 'theirs')
    await fixture.run()
    assert.equal(await told('gone'), 'absent: it is at neither end: remove at the destination (deleted)')
    assert.deepEqual(
      (await why('renamed')).changes.map(c => c.kind),
      ['move']
    )
    assert.equal(await told('b'), 'conflict: it was edited at both ends, and waits for your word')
    await fixture.history.answer(fixture.sync(), 'b' as RelPath, 'both')
    assert.match(await told('b'), /its conflict is answered \(keep-both\)/)
    renameSync(fixture.destination, `${fixture.destination}-away`)
    assert.match(await told('a'), /^away: the destination, .*, is not there$/)
    renameSync(`${fixture.destination}-away`, fixture.destination)
  })

  it('nothing of an archive that does not count yet', async () => {
    fixture = await openHistory({ mode: 'bidirectional' })
    writeFileSync(at('a'), 'a')
    await fixture.run()
    assert.equal(await told('a'), 'in-step: it is in step')
    const sql = openSqlite(fixture.db.file)
    sql.exec('UPDATE syncs SET archive = 0')
    sql.close()
    assert.equal(await told('a'), 'waiting: it is new at both ends since the last run')
  })

  it('what a one-way sync leaves at its destination', async () => {
    fixture = await openHistory({ mode: 'replica' })
    writeFileSync(at('a'), 'a')
    await fixture.run()
    writeFileSync(join(fixture.destination, 'own'), 'own')
    assert.equal(await told('own'), 'kept-there: only the destination has it, and a replica leaves it there')
  })
})

const ROLE = fileURLToPath(new URL('./why-role.js', import.meta.url))

withoutRoot('why a path below a closed folder is as it is', ROLE, () => {
  it('which folder cannot be read, why, and what to try', () => {
    const temp = tempDir('sd-why-')
    try {
      chmodSync(temp.path, 0o755)
      const { status, stdout } = spawnSync(process.execPath, [ROLE, temp.path], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit']
      })
      assert.equal(status, 0)
      const lines = stdout.trim().split('\n')
      const [before, entered, listed, open] = lines.map(line => JSON.parse(line) as Record<string, string>)
      assert.equal(before!.state, 'in-step')
      for (const [told, folder] of [
        [entered!, 'not entered'],
        [listed!, 'not listed']
      ] as const) {
        assert.equal(told.state, 'unknown')
        assert.ok(
          told.text!.startsWith(
            `at the source the folder ${temp.path}/source/${folder} cannot be read, so what is in it`
          )
        )
        assert.match(told.text!, /permission denied/i)
        assert.ok(told.advice!.includes(`chmod u+rx '${temp.path}/source/${folder}'`), told.advice)
        assert.match(told.advice!, /nothing is taken for deleted/)
      }
      assert.equal(open!.state, 'in-step')
    } finally {
      temp.clean()
    }
  })
})
