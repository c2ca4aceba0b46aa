import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type PairedDaemon, runningPair } from '../../daemons.js'
import { file, folder, link, makeTree } from '../../sync/copy/trees.js'

interface Deleted {
  device: string | null
  job: string
  plan: { items: number; files: number; problems: { code: string }[] }
  ended: { problemCount: number; output: { items: number; files: number; bytes: number } }
}

describe('file delete, info and validate of DEVICE:/path', () => {
  let ada: PairedDaemon
  let bob: PairedDaemon
  let there: string
  runningPair('ada', 'bob', (a, b) => {
    ada = a
    bob = b
    there = join(b.downloads, '..', 'Shared')
  })
  before(async () => {
    mkdirSync(there, { recursive: true })
    await bob.ok('network', 'grant', 'ada', there, '--write')
    await bob.ok('library', 'create', 'main')
  })

  it('what is deleted goes to the trash of its device and comes back from there', async () => {
    makeTree(join(there, 'old'), { 'a/b': file('b'), c: link('nowhere') })
    writeFileSync(join(there, 'one'), '1')
    const dry = await ada.json<Deleted>('file', 'delete', `bob:${there}/old`, `bob:${there}/one`, '--dry-run')
    assert.deepEqual([dry.plan.items, dry.plan.files, dry.device], [2, 3, 'bob'])
    assert.equal(existsSync(join(there, 'one')), true)
    const args = ['file', 'delete', `bob:${there}/old`, `bob:${there}/one`, `bob:${there}/none`]
    const result = await ada.run('--json', ...args)
    assert.equal(result.code, 3, result.stderr)
    const gone = JSON.parse(result.stdout.trimEnd().split('\n').at(-1)!) as Deleted
    assert.deepEqual([gone.ended.output.items, gone.ended.output.files, gone.ended.problemCount], [2, 3, 1])
    assert.deepEqual([existsSync(join(there, 'old')), existsSync(join(there, 'one'))], [false, false])
    await bob.ok('file', 'trash', 'restore', '--job', gone.job)
    assert.equal(readFileSync(join(there, 'old/a/b'), 'utf8'), 'b')
  })

  it('for good only when it is confirmed; then nothing of it is left anywhere', async () => {
    makeTree(join(there, 'secret'), { 'a/b': file('b'), 'a/empty': folder(), 'x/y/z': link('nowhere'), f: file('f') })
    const args = ['file', 'delete', `bob:${there}/secret`, '--permanent']
    const refused = await ada.run(...args)
    assert.match(refused.stderr, /nothing was deleted/)
    assert.equal(existsSync(join(there, 'secret')), true)
    assert.match(await ada.ok(...args, '--yes'), /Removed for good: .*3 files/)
    assert.equal(existsSync(join(there, 'secret')), false)
    const trash = await bob.json<{ entries: { path: string }[] }>('file', 'trash', 'list')
    assert.equal(
      trash.entries.some(e => e.path.includes('secret')),
      false
    )
  })

  it('a granted folder itself stays; what is not there, not granted or of several devices is refused', async () => {
    const refused = async (code: number, says: RegExp, ...args: string[]): Promise<void> => {
      const result = await ada.run('file', ...args)
      assert.match(result.stderr, says)
      assert.equal(result.code, code)
    }
    await refused(1, /is the granted folder itself: it stays/, 'delete', `bob:${there}`)
    await refused(1, /is not there/, 'delete', `bob:${there}/none`)
    await refused(1, /not granted/, 'delete', `bob:${bob.downloads}/x`)
    await refused(2, /several devices/, 'delete', `bob:${there}/x`, '/tmp/x')
    await refused(6, /nobody/, 'info', 'nobody:/x')
    await refused(1, /there is no bob:/, 'info', `bob:${there}/none`)
  })

  it('info tells what its disk tells, hashes there, and counts', async () => {
    makeTree(join(there, 'told'), { 'photo.jpg': file('abc', 0o640, 1_234_567), 'in/x': file('12345') })
    const info = await ada.json<Record<string, unknown>>('file', 'info', `bob:${there}/told/photo.jpg`, '--hash')
    assert.equal(info.path, `bob:${there}/told/photo.jpg`)
    assert.deepEqual(
      [info.form, info.type, info.sizeBytes, info.modifiedMs, info.mode],
      ['file', 'image', 3, 1_234_567_000, 0o640]
    )
    assert.equal(info.hash, '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85')
    const shown = await ada.ok('file', 'info', `bob:${there}/told`, '--count')
    assert.match(shown, /holds +8 B in 2 files/)
    assert.match(await ada.ok('file', 'info', `bob:${there}`), /directory/)
  })

  it('validate has files read there and compared with what is recorded there', async () => {
    makeTree(join(there, 'kept'), { 'in/a': file('a'), 'in/b': file('before'), c: file('c') })
    await bob.ok('location', 'add', join(there, 'kept/in'), '--no-watch', '--wait')
    writeFileSync(join(there, 'kept/in/b'), 'longer than before')
    const { ended } = await ada.json<{ ended: { state: string; output: Record<string, number> } }>(
      'file',
      'validate',
      `bob:${there}/kept`
    )
    assert.deepEqual(
      [ended.state, ended.output],
      ['completed', { whole: 1, corrupt: 0, changed: 1, unreadable: 0, unrecorded: 1, bytes: ended.output.bytes }]
    )
    assert.match((await ada.run('file', 'validate', `bob:${there}/nothing`)).stderr, /is not there/)
  })

  it('content:HASH comes from whoever has it and lets it be read; nothing is told of what is not granted', async () => {
    const [granted, hidden] = [join(there, 'films'), join(bob.downloads, '..', 'private')]
    makeTree(granted, { 'one.mkv': file('a film') })
    makeTree(hidden, { secret: file('a secret') })
    await bob.ok('location', 'add', granted, '--wait')
    await bob.ok('location', 'add', hidden, '--wait')
    const hashOf = async (path: string): Promise<string> =>
      String((await bob.json<{ hash: string }>('file', 'info', path, '--hash')).hash)
    const to = join(ada.downloads, '..', 'fetched')
    mkdirSync(to)
    const film = await hashOf(join(granted, 'one.mkv'))
    await ada.ok('file', 'copy', `content:${film}`, to)
    assert.equal(readFileSync(join(to, 'one.mkv'), 'utf8'), 'a film')
    const refused = await ada.run('file', 'copy', `content:${await hashOf(join(hidden, 'secret'))}`, to)
    assert.match(refused.stderr, /nobody has content:.*; asked: this device, bob/)
    assert.equal(refused.code, 1)
    assert.equal((await ada.run('file', 'move', `content:${film}`, to)).code, 2)
    // What the index tells is looked at: another content by now is not that content.
    writeFileSync(join(granted, 'one.mkv'), 'b film')
    assert.equal((await ada.run('file', 'copy', `content:${film}`, `${to}/again`)).code, 1)
    const { records } = await bob.json<{ records: { command: string; paths: string[] }[] }>('system', 'audit')
    assert.ok(records.some(r => r.command === 'remote.read' && r.paths[0] === `content:${film}`))
  })
})
