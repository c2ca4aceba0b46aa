import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { look, type OpenSync, type SyncFixture } from './fixture.js'

/** An end with guards of its own: what they stop of `attempt`, a person there says yes to. */
export type GuardsThere = (attempt: () => Promise<unknown>) => Promise<void>

/** What a session does, between whichever ends. To be called within a `describe`. */
export function sessionSuite(openSync: OpenSync, guardsThere: GuardsThere = async () => {}): void {
  let fixture: SyncFixture
  afterEach(() => fixture.close())
  const put = (path: string, text: string, end: 'source' | 'destination' = 'source'): void => {
    const at = join(fixture[end], path)
    mkdirSync(join(at, '..'), { recursive: true })
    writeFileSync(at, text)
  }
  const done = async (options = {}) => {
    const outcome = await fixture.run(options)
    assert.equal(
      outcome.state,
      'done',
      JSON.stringify(outcome, (_, v) => (typeof v === 'bigint' ? String(v) : v))
    )
    if (outcome.state !== 'done') throw new Error('unreachable')
    assert.deepEqual(outcome.result.problems, [])
    return outcome
  }
  const nothing = async (): Promise<void> => {
    const again = await done()
    assert.equal(again.plan.operations, 0, 'a second run does nothing')
  }

  it('copies a tree, and a second run does nothing', async () => {
    fixture = await openSync({ mode: 'replica' })
    put('a.txt', 'one')
    put('folder/deep/b', 'two')
    put('folder/empty', '')
    mkdirSync(join(fixture.source, 'nothing in it'))
    symlinkSync('../elsewhere', join(fixture.source, 'folder/link'))
    writeFileSync(join(fixture.source, 'large'), Buffer.alloc(3_000_000, 7))
    utimesSync(join(fixture.source, 'a.txt'), 1, 1_000_000_000.123456)
    const { result, plan } = await done()
    assert.deepEqual(look(fixture.destination), look(fixture.source))
    assert.equal(result.bytes, 3_000_006)
    assert.equal(plan.totals.destination.created, 5)
    await nothing()
  })

  it('both ways: edits, deletions and renames of either side go to the other', async () => {
    fixture = await openSync({ mode: 'bidirectional' })
    for (const name of ['edited', 'gone', 'renamed', 'd/1', 'd/2', 'd/3', 'kept']) put(name, `${name} `.repeat(10))
    await done()
    put('edited', 'by the source')
    rmSync(join(fixture.destination, 'gone'))
    renameSync(join(fixture.destination, 'd'), join(fixture.destination, 'folder of another name'))
    renameSync(join(fixture.source, 'renamed'), join(fixture.source, 'kept too'))
    put('new', 'from there', 'destination')
    const { plan, result } = await done()
    assert.deepEqual(look(fixture.destination), look(fixture.source))
    assert.deepEqual(Object.keys(look(fixture.source)), [
      ...['edited', 'folder of another name', 'folder of another name/1', 'folder of another name/2'],
      ...['folder of another name/3', 'kept', 'kept too', 'new']
    ])
    assert.equal(plan.totals.source.moved + plan.totals.destination.moved, 2)
    assert.equal(result.bytes, 'by the source'.length + 'from there'.length, 'a rename sends no content')
    await nothing()
  })

  it('a rename with other permission bits and time, and a new file at the old name', async () => {
    fixture = await openSync({ mode: 'bidirectional' })
    put('old', 'content')
    put('folder/kept', 'more')
    await done()
    renameSync(join(fixture.source, 'old'), join(fixture.source, 'folder/new'))
    chmodSync(join(fixture.source, 'folder/new'), 0o600)
    utimesSync(join(fixture.source, 'folder/new'), 1, 1_000_000_000)
    put('old', 'another content')
    await done()
    assert.deepEqual(look(fixture.destination), look(fixture.source))
    assert.equal(statSync(join(fixture.destination, 'folder/new')).mode & 0o777, 0o600)
    assert.equal(statSync(join(fixture.destination, 'folder/new')).mtimeMs, 1e12)
    await nothing()
  })

  it('permission bits that somebody sets between the rename of a file and its new time are not taken for agreed', async () => {
    fixture = await openSync({ mode: 'bidirectional' })
    put('old', 'content')
    await done()
    renameSync(join(fixture.source, 'old'), join(fixture.source, 'new'))
    utimesSync(join(fixture.source, 'new'), 1, 1_000_000_000)
    let set = false
    await fixture.run({
      onProgress({ operations }) {
        if (set || operations === 0) return
        set = true
        chmodSync(join(fixture.destination, 'new'), 0o600)
      }
    })
    assert.ok(set)
    await done()
    assert.equal(statSync(join(fixture.source, 'new')).mode & 0o777, 0o600)
    assert.deepEqual(look(fixture.destination), look(fixture.source))
    await nothing()
  })

  it('two edits of one file: both are kept, the newer under the name', async () => {
    fixture = await openSync({ mode: 'bidirectional' })
    put('file.txt', 'before')
    await done()
    put('file.txt', 'older')
    put('file.txt', 'newer', 'destination')
    utimesSync(join(fixture.source, 'file.txt'), 1_700_000_000, 1_700_000_000)
    const { remarks } = await done()
    const after = look(fixture.source, { times: false })
    assert.deepEqual(look(fixture.destination, { times: false }), after)
    assert.equal(after['file.txt'], 'newer 644')
    assert.equal(after['file.conflict-20231114-221320-ada.txt'], 'older 644')
    assert.deepEqual(
      remarks.map(r => (r.row === 'conflict' ? r.resolution : JSON.stringify(r))),
      ['kept-both']
    )
    await nothing()
  })

  it('two names that swap, and three that turn in a ring', async () => {
    fixture = await openSync({ mode: 'bidirectional' })
    for (const name of ['a', 'b', 'x', 'y', 'z']) put(name, `${name} `.repeat(3))
    await done()
    const move = (from: string, to: string): void => renameSync(join(fixture.source, from), join(fixture.source, to))
    move('a', 't')
    move('b', 'a')
    move('t', 'b')
    move('x', 't')
    move('y', 'x')
    move('z', 'y')
    move('t', 'z')
    const { result } = await done()
    assert.equal(result.bytes, 0)
    assert.deepEqual(look(fixture.destination), look(fixture.source))
    await nothing()
  })

  it('names that turn, with an edit of what came to a name', async () => {
    fixture = await openSync({ mode: 'bidirectional' })
    for (const name of ['a', 'b', 'x', 'y', 'z', 'other']) put(name, `${name} `.repeat(3))
    await done()
    const move = (from: string, to: string): void => renameSync(join(fixture.source, from), join(fixture.source, to))
    for (const [from, to] of ['at', 'ba', 'tb', 'xt', 'yx', 'zy', 'tz']) move(from!, to!)
    for (const name of ['a', 'x', 'z']) writeFileSync(join(fixture.source, name), `edited ${name}`)
    rmSync(join(fixture.source, 'other'))
    await done()
    assert.deepEqual(look(fixture.destination), look(fixture.source))
    await nothing()
    const kept = readdirSync(join(fixture.destination, '.spacedrive/versions/content'), { recursive: true })
    assert.equal(kept.filter(name => String(name).length > 60).length, 4, 'what was edited, and what is gone')
  })

  it('a folder that goes below what was in it, and files that leave it on the way', async () => {
    fixture = await openSync({ mode: 'bidirectional' })
    for (const path of ['outer/inner/deep/f', 'outer/inner/edited', 'outer/g', 'p/1', 'p/both', 'q/2', 'q/both'])
      put(path, path)
    await done()
    const move = (from: string, to: string): void => renameSync(join(fixture.source, from), join(fixture.source, to))
    move('outer/inner', 'x')
    move('outer', 'x/outer')
    move('x', 'inner')
    move('inner/deep/f', 'inner/outer/f')
    writeFileSync(join(fixture.source, 'inner/edited'), 'on the way')
    // Two folders swap, and a file in each goes to the other.
    move('p', 'y')
    move('q', 'p')
    move('y', 'q')
    move('p/2', 'q/2')
    move('q/1', 'p/1')
    const { result } = await done()
    assert.equal(result.bytes, 'on the way'.length, 'names alone, but for what was edited')
    assert.deepEqual(look(fixture.destination), look(fixture.source))
    await nothing()
  })

  it('a mirror that would delete half of it halts, writes nothing, and does it after a word', async () => {
    fixture = await openSync({ mode: 'mirror' })
    for (let i = 0; i < 20; i++) put(`f${i}`, String(i))
    await done()
    const before = look(fixture.destination)
    for (let i = 0; i < 12; i++) rmSync(join(fixture.source, `f${i}`))
    const halted = await fixture.run()
    assert.equal(halted.state, 'halted')
    assert.deepEqual(halted.state === 'halted' && halted.halts.map(h => [h.reason, 'count' in h && h.count]), [
      ['too-many-deletions', 12]
    ])
    assert.deepEqual(look(fixture.destination), before)
    const yes = halted.state === 'halted' ? { planHash: halted.plan.hash, totals: halted.plan.totals } : undefined
    rmSync(join(fixture.source, 'f12'))
    assert.equal((await fixture.run({ force: yes })).state, 'halted', 'the deletions grew since')
    put('f12', '12')
    await guardsThere(() => fixture.run({ force: yes }))
    assert.deepEqual(look(fixture.destination), before)
    await done({ force: yes })
    assert.equal(Object.keys(look(fixture.destination)).length, 8)
  })

  it('what is replaced or deleted is kept in the version store of that end', async () => {
    fixture = await openSync({ mode: 'mirror' })
    put('edited', 'old words')
    put('gone', 'last words')
    await done()
    put('edited', 'new words')
    rmSync(join(fixture.source, 'gone'))
    await done()
    const stored: string[] = []
    const dir = join(fixture.destination, '.spacedrive/versions/content')
    for (const part of readdirSync(dir))
      for (const name of readdirSync(join(dir, part))) stored.push(readFileSync(join(dir, part, name), 'utf8'))
    assert.deepEqual(stored.sort(), ['last words', 'old words'])
    assert.equal(look(fixture.destination, { times: false }).edited, 'new words 644')
  })

  it('a one-way source is never written, not even a marker', async () => {
    fixture = await openSync({ mode: 'mirror' })
    put('a', '1')
    const before = statSync(fixture.source, { bigint: true }).mtimeNs
    await done()
    put('a', '2', 'destination')
    await done()
    assert.deepEqual(readdirSync(fixture.source), ['a'])
    assert.equal(statSync(fixture.source, { bigint: true }).mtimeNs, before)
    assert.equal(look(fixture.destination, { times: false }).a, '1 644')
  })

  it('what is ignored at either end stays alone at both', async () => {
    fixture = await openSync({ mode: 'mirror', ignore: ['*.tmp'] })
    put('.spacedriveignore', 'build/\n!build/kept\n')
    put('sub/.spacedriveignore', '/local\n')
    for (const path of ['a', 'x.tmp', 'build/out', 'sub/local', 'local']) put(path, path)
    put('build/theirs', 'theirs', 'destination')
    put('y.tmp', 'theirs', 'destination')
    await done()
    assert.deepEqual(Object.keys(look(fixture.destination)), [
      ...['.spacedriveignore', 'a', 'build', 'build/theirs', 'local', 'sub', 'sub/.spacedriveignore', 'y.tmp']
    ])
    await nothing()
  })

  it('a plan is what is done: another plan than the one that was shown does nothing', async () => {
    fixture = await openSync({ mode: 'replica' })
    put('a', '1')
    const planned = await fixture.run({ planOnly: true })
    assert.equal(planned.state, 'planned')
    assert.deepEqual(look(fixture.destination), {})
    const planHash = planned.state === 'planned' ? planned.plan.hash : ''
    put('b', '2')
    assert.equal((await fixture.run({ planHash })).state, 'other-plan')
    assert.deepEqual(look(fixture.destination), {})
    rmSync(join(fixture.source, 'b'))
    await done({ planHash })
    assert.deepEqual(look(fixture.destination), look(fixture.source))
  })
}
