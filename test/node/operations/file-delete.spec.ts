import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { testInstance } from '../../cli.js'

interface Listed {
  entries: { id: number; path: string; kind: string; files: number; bytes: number }[]
  totals: { items: number; files: number; bytes: number }
}
interface Deleted {
  ended: { state: string; output: { items: number; files: number; bytes: number }; problems: { code: string }[] }
}
interface Audited {
  records: { command: string; outcome: string; paths: string[]; pathCount: number; files: number; error: unknown }[]
}

describe('file delete', () => {
  const instance = testInstance()
  const folder = `${instance.dataDir}-files`
  const at = (path: string): string => join(folder, path)
  const write = (tree: Readonly<Record<string, string>>): void => {
    for (const [path, content] of Object.entries(tree)) {
      mkdirSync(dirname(at(path)), { recursive: true })
      writeFileSync(at(path), content)
    }
  }
  before(async () => {
    mkdirSync(folder)
    await instance.ok('start')
  })
  after(() => instance.clean())

  it('to the trash and back: a preview says exactly that, and all is written down', async () => {
    write({ 'a.txt': 'one', 'tree/b': 'two!', 'tree/deep/c': 'three' })
    const args = ['file', 'delete', 'a.txt', 'tree', 'tree/b'] as const
    const preview = await instance.json<{ plan: { items: number; files: number; list: { path: string }[] } }>(
      ...args,
      '--dry-run',
      { cwd: folder }
    )
    assert.deepEqual([preview.plan.items, preview.plan.files], [2, 3])
    assert.deepEqual(
      preview.plan.list.map(i => i.path),
      [at('a.txt'), at('tree')]
    )
    assert.equal(existsSync(at('tree/deep/c')), true)

    const { ended } = await instance.json<Deleted>(...args, { cwd: folder })
    assert.deepEqual([ended.state, ended.output], ['completed', { items: 2, files: 3, bytes: 12 }])
    assert.deepEqual(readdirSync(folder), [])
    const { entries, totals } = await instance.json<Listed>('file', 'trash', 'list')
    assert.deepEqual(totals, { items: 2, files: 3, bytes: 12 })
    assert.deepEqual(entries.map(e => e.path).sort(), [at('a.txt'), at('tree')])

    await instance.ok('file', 'trash', 'restore', at('tree'), String(entries.find(e => e.path.endsWith('txt'))!.id))
    assert.equal(readFileSync(at('tree/deep/c'), 'utf8'), 'three')
    const { records } = await instance.json<Audited>('system', 'audit')
    assert.deepEqual(
      records.map(r => [r.command, r.outcome, r.files, r.pathCount]),
      [
        ['file.delete', 'done', 3, 2],
        ['file.trash.restore', 'done', 3, 2]
      ]
    )
    assert.deepEqual(readdirSync(join(instance.dataDir, 'work')), [])
  })

  it('what must not go stops everything before it begins; what is not there is told, the rest goes', async () => {
    write({ keep: 'k', goes: 'g' })
    const refused = await instance.run('file', 'delete', 'keep', instance.dataDir, { cwd: folder })
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /belongs to spacedrive itself/)
    assert.equal(existsSync(at('keep')), true)
    const partly = await instance.run('--json', 'file', 'delete', 'goes', 'nothing', { cwd: folder })
    assert.equal(partly.code, 3)
    const { ended } = JSON.parse(partly.stdout.trim().split('\n').at(-1)!) as Deleted
    assert.deepEqual(
      ended.problems.map(p => p.code),
      ['MISSING']
    )
    assert.equal(existsSync(at('goes')), false)
    const none = await instance.run('file', 'delete', 'nothing', { cwd: folder })
    assert.equal(none.code, 1)
    const { records } = await instance.json<Audited>('system', 'audit', '--tail', '3')
    assert.deepEqual(
      records.map(r => r.outcome),
      ['refused', 'problems', 'refused']
    )
  })

  it('a link goes itself, through a link the real thing', async () => {
    write({ 'real/inside': 'x', 'real/stays': 'y' })
    symlinkSync('real', at('link'))
    await instance.ok('file', 'delete', 'link/inside', { cwd: folder })
    assert.deepEqual(readdirSync(at('real')), ['stays'])
    await instance.ok('file', 'delete', 'link', { cwd: folder })
    assert.equal(existsSync(at('real/stays')), true)
    assert.equal(existsSync(at('link')), false)
    const { entries } = await instance.json<Listed>('file', 'trash', 'list', folder, '--limit', '2')
    assert.deepEqual(
      entries.map(e => [e.path, e.kind]),
      [
        [at('link'), 'symlink'],
        [at('real/inside'), 'file']
      ]
    )
  })

  it('for good: only when that was confirmed, and then nothing is left', async () => {
    write({ 'gone/a': '1', 'gone/b/c': '22' })
    const unconfirmed = await instance.run('file', 'delete', 'gone', '--permanent', { cwd: folder })
    assert.match(unconfirmed.stderr, /--yes/)
    assert.equal(existsSync(at('gone/a')), true)
    const before = await instance.json<Listed>('file', 'trash', 'list')
    const { ended } = await instance.json<Deleted>('file', 'delete', 'gone', '--permanent', '--yes', { cwd: folder })
    assert.deepEqual(ended.output, { items: 1, files: 2, bytes: 3 })
    assert.equal(existsSync(at('gone')), false)
    assert.deepEqual((await instance.json<Listed>('file', 'trash', 'list')).totals, before.totals)
  })

  it('the trash is emptied: of one place, of what is older, of everything', async () => {
    write({ 'one/x': '1', 'two/y': '2' })
    await instance.ok('file', 'delete', 'one/x', 'two/y', { cwd: folder })
    const items = async (path: string): Promise<number> =>
      (await instance.json<Listed>('file', 'trash', 'list', path)).totals.items
    await instance.ok('file', 'trash', 'empty', at('one'), '--yes')
    assert.deepEqual([await items(at('one')), await items(at('two'))], [0, 1])
    await instance.ok('file', 'trash', 'empty', '--older-than', '1d', '--yes')
    assert.equal(await items(at('two')), 1)
    await instance.ok('file', 'trash', 'empty', '--yes')
    assert.equal(await items('/'), 0)
    assert.deepEqual(readdirSync(join(instance.dataDir, 'trash')), [])
  })

  it('a location is refused until it is taken out', async () => {
    write({ 'indexed/x': '1' })
    await instance.ok('library', 'create', 'Mine')
    await instance.ok('location', 'add', at('indexed'), '--wait')
    assert.match((await instance.run('file', 'delete', at('indexed'))).stderr, /it is the location indexed/)
    await instance.ok('file', 'delete', at('indexed/x'))
    await instance.ok('location', 'remove', 'indexed')
    await instance.ok('file', 'delete', at('indexed'))
  })

  it('kill -9 while it deletes: each file is in one place, and the job goes on to its end', async () => {
    const names = Array.from({ length: 1_200 }, (_, i) => `many/f${i}`)
    write(Object.fromEntries(names.map(name => [name, name])))
    const { job } = await instance.json<{ job: string }>('file', 'delete', ...names, '--no-wait', { cwd: folder })
    for (let round = 0; round < 2; round++) {
      const added = await instance.listen('trash:added', 'job:completed')
      const { state } = await instance.json<{ state: string }>('job', 'info', job)
      if (state.startsWith('completed')) break
      await added.next()
      await instance.kill()
      await instance.ok('start')
    }
    const done = await instance.listen('job:completed')
    const info = await instance.json<{ state: string; problems: number }>('job', 'info', job)
    if (!info.state.startsWith('completed')) await done.next(e => e.job === job)
    const ended = await instance.json<{ state: string; output: { items: number } }>('job', 'info', job)
    assert.deepEqual([ended.state, ended.output.items], ['completed', names.length])
    assert.deepEqual(readdirSync(at('many')), [])
    const { totals } = await instance.json<Listed>('file', 'trash', 'list', at('many'))
    assert.equal(totals.items, names.length)
    await instance.ok('file', 'trash', 'restore', '--job', job)
    for (const name of names) assert.equal(readFileSync(at(name), 'utf8'), name)
    const { records } = await instance.json<Audited>('system', 'audit', '--tail', '2')
    assert.deepEqual(
      records.map(r => [r.outcome, r.files]),
      [
        ['done', names.length],
        ['done', names.length]
      ]
    )
  })
})
