import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { RelPath } from '../../../storage/base/index.js'
import type { Mode } from '../../../sync/reconcile/index.js'
import { applyEdit, edit } from '../session/edits.js'
import { look } from '../session/fixture.js'
import { type HistoryFixture, openHistory } from './fixture.js'

/** More by SPACEDRIVE_RUNS, for a long search. */
const RUNS = Number(process.env.SPACEDRIVE_RUNS ?? 1)

describe('taking a run back', () => {
  let fixture: HistoryFixture
  // Once more for one that was closed does nothing.
  afterEach(() => fixture.close())
  const at = (path: string): string => join(fixture.source, path)
  const there = (path: string): string => join(fixture.destination, path)

  it('what was deleted, replaced and made is as before; the sync rests; again, and it is done again', async () => {
    fixture = await openHistory({ mode: 'mirror' })
    mkdirSync(at('d'))
    for (const name of ['d/a', 'b', 'c']) writeFileSync(at(name), `${name} one`)
    await fixture.run()
    const before = look(fixture.destination)
    rmSync(at('d'), { recursive: true })
    writeFileSync(at('b'), 'two')
    writeFileSync(at('new'), 'new')
    await fixture.run()
    const after = look(fixture.destination)
    const dry = await fixture.history.previewUndo(fixture.sync(), {})
    assert.deepEqual([dry.run, dry.list.length > 3, look(fixture.destination)], [undefined, true, after])
    const done = await fixture.undo({})
    assert.deepEqual([done.left, done.problems, done.paused], [[], [], true])
    assert.deepEqual(look(fixture.destination), before)
    assert.match(fixture.sync().pausedBecause ?? '', /taken back, and the next run would do it again/)
    const redone = await fixture.undo({})
    assert.equal(redone.runs[0]!.kind, 'undo')
    assert.deepEqual(look(fixture.destination), after)
  })

  it('names that changed places, two and in a ring, change them back', async () => {
    fixture = await openHistory({ mode: 'mirror' })
    for (const name of ['a', 'b', 'c', 'd', 'e']) writeFileSync(at(name), name)
    await fixture.run()
    const before = look(fixture.destination)
    for (const [from, to] of [
      ['a', 't'],
      ['b', 'a'],
      ['t', 'b'],
      ['c', 't'],
      ['d', 'c'],
      ['e', 'd'],
      ['t', 'e']
    ] as const)
      renameSync(at(from), at(to))
    await fixture.run()
    assert.notDeepEqual(look(fixture.destination), before)
    const { left, problems } = await fixture.undo({})
    assert.deepEqual([left, problems], [[], []])
    assert.deepEqual(look(fixture.destination), before)
  })

  it('names that moved on, each to where the next one was, move back', async () => {
    fixture = await openHistory({ mode: 'mirror' })
    for (const name of ['a', 'b', 'c']) writeFileSync(at(name), name)
    for (const name of ['d', 'e']) {
      mkdirSync(at(name))
      writeFileSync(at(`${name}/in`), name)
    }
    await fixture.run()
    const before = look(fixture.destination)
    for (const [from, to] of [
      ['c', 'new'],
      ['b', 'c'],
      ['a', 'b'],
      ['e', 'other'],
      ['d', 'e']
    ] as const)
      renameSync(at(from), at(to))
    await fixture.run()
    const { left, problems } = await fixture.undo({})
    assert.deepEqual([left, problems], [[], []])
    assert.deepEqual(look(fixture.destination), before)
  })

  for (const [what, names] of [
    ['two', ['a', 'b']],
    ['three in a ring', ['a', 'b', 'c']]
  ] as const) {
    it(`folders that changed places, ${what}, with what is in them, change them back`, async () => {
      fixture = await openHistory({ mode: 'mirror' })
      for (const name of names) {
        mkdirSync(at(`${name}/sub`), { recursive: true })
        for (let i = 0; i < 3; i++) writeFileSync(at(`${name}/sub/${i}`), `${name} ${i}`)
        writeFileSync(at(`${name}/only ${name}`), name)
      }
      await fixture.run()
      const before = look(fixture.destination)
      renameSync(at(names[0]), at('t'))
      for (const [i, name] of names.slice(1).entries()) renameSync(at(name), at(names[i]!))
      renameSync(at('t'), at(names.at(-1)!))
      writeFileSync(at(`${names[0]}/sub/1`), 'edited as well')
      rmSync(at(`${names[0]}/sub/2`))
      await fixture.run()
      const after = look(fixture.destination)
      const { left, problems } = await fixture.undo({})
      assert.deepEqual([left, problems], [[], []])
      assert.deepEqual(look(fixture.destination), before)
      await fixture.undo({})
      assert.deepEqual(look(fixture.destination), after)
    })
  }

  it('a folder that a file took the name of, and the other way round, come back with what was in them', async () => {
    fixture = await openHistory({ mode: 'mirror' })
    writeFileSync(at('folder'), 'a file now')
    mkdirSync(at('file'))
    writeFileSync(at('file/in'), 'a folder now')
    mkdirSync(at('moved'))
    writeFileSync(at('moved/in'), 'goes elsewhere')
    await fixture.run()
    rmSync(there('folder'))
    mkdirSync(there('folder/in/it'), { recursive: true })
    writeFileSync(there('folder/in/it/x'), 'x')
    rmSync(there('file'), { recursive: true })
    writeFileSync(there('file'), 'a file there')
    renameSync(at('moved'), at('elsewhere'))
    writeFileSync(at('moved'), 'a file in its place')
    const before = look(fixture.destination)
    await fixture.run()
    const { left, problems } = await fixture.undo({})
    assert.deepEqual([left, problems], [[], []])
    assert.deepEqual(look(fixture.destination), before)
  })

  it('what was changed since stays, with all that belongs to it, and is named with the reason', async () => {
    fixture = await openHistory({ mode: 'bidirectional' })
    mkdirSync(at('old'))
    for (const name of ['edited', 'gone', 'back', 'old/x']) writeFileSync(at(name), 'one')
    await fixture.run()
    writeFileSync(at('edited'), 'two')
    rmSync(at('gone'))
    rmSync(at('old'), { recursive: true })
    mkdirSync(at('made'))
    writeFileSync(at('made/a'), 'a')
    renameSync(at('back'), at('forth'))
    await fixture.run()
    writeFileSync(there('edited'), 'three')
    writeFileSync(there('made/mine'), 'mine')
    const { left, problems } = await fixture.undo({})
    assert.deepEqual(problems, [])
    assert.deepEqual(left.map(l => `${l.end} ${l.path}: ${l.why}`).sort(), [
      'destination edited: it was changed since',
      'destination made: it holds made/mine, which stays'
    ])
    for (const [name, text] of Object.entries({ edited: 'three', gone: 'one', back: 'one', 'old/x': 'one' }))
      assert.equal(readFileSync(there(name), 'utf8'), text)
    assert.deepEqual([existsSync(there('made/mine')), existsSync(there('made/a'))], [true, false])
    assert.equal(existsSync(at('forth')), true, 'the source was never touched by the run')
  })

  it('the first run, a run by its name, all since a time; a restore too', async () => {
    fixture = await openHistory({ mode: 'backup' })
    writeFileSync(at('a'), 'one')
    await fixture.run()
    const then = fixture.now()
    writeFileSync(at('a'), 'two')
    await fixture.run()
    writeFileSync(at('a'), 'three')
    writeFileSync(at('b'), 'b')
    await fixture.run()
    await fixture.restore({ path: 'a' as RelPath, atMs: then, to: 'source' })
    assert.equal(readFileSync(at('a'), 'utf8'), 'one')
    const { paused } = await fixture.undo({})
    assert.deepEqual([readFileSync(at('a'), 'utf8'), paused], ['three', false])
    const ids = fixture.db.all<{ id: string }>(`SELECT id FROM sync_runs WHERE kind = 'run' ORDER BY began_at`, [])
    const middle = await fixture.undo({ run: ids[1]!.id })
    assert.deepEqual(
      middle.left.map(l => [l.path, l.why]),
      [['a', 'a later run changed it again']]
    )
    await fixture.undo({ sinceMs: then })
    assert.deepEqual([readFileSync(there('a'), 'utf8'), existsSync(there('b'))], ['one', false])
    await fixture.undo({ run: ids[0]!.id })
    assert.deepEqual([look(fixture.destination), readFileSync(at('a'), 'utf8')], [{}, 'three'])
    await assert.rejects(fixture.undo({ run: 'x' }), { code: 'RUN_NOT_FOUND' })
    await assert.rejects(fixture.undo({ sinceMs: fixture.now() }), { code: 'NOTHING_TO_UNDO' })
  })

  const rounds = fc.array(fc.array(edit, { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 3 })
  for (const mode of ['mirror', 'bidirectional'] as Mode[]) {
    it(`${mode}: whatever a run did, both ends are as they were before it: contents, permissions, times`, async () => {
      await fc.assert(
        fc.asyncProperty(rounds, async list => {
          fixture = await openHistory({ mode })
          try {
            writeFileSync(at('first'), 'x')
            await fixture.run()
            let before = { source: look(fixture.source), destination: look(fixture.destination) }
            for (const edits of list) {
              for (const e of edits) applyEdit(fixture[e.end], e)
              before = { source: look(fixture.source), destination: look(fixture.destination) }
              assert.deepEqual((await fixture.run()).problems, [])
            }
            const { n } = fixture.db.get<{ n: number }>(
              'SELECT count(*) n FROM sync_changes WHERE run = (SELECT id FROM sync_runs ORDER BY began_at DESC LIMIT 1)'
            )!
            fc.pre(n > 0)
            const done = await fixture.undo({})
            assert.deepEqual([done.left, done.problems], [[], []])
            assert.deepEqual({ source: look(fixture.source), destination: look(fixture.destination) }, before)
          } finally {
            await fixture.close()
          }
        }),
        { numRuns: RUNS, endOnFailure: true }
      )
    })
  }
})
