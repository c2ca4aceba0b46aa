import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { AbsPath, RelPath } from '../../../storage/base/index.js'
import type { Mode } from '../../../sync/reconcile/index.js'
import { applyEdit, edit } from '../session/edits.js'
import { look } from '../session/fixture.js'
import { type HistoryFixture, openHistory } from './fixture.js'

/** More by SPACEDRIVE_RUNS, for a long search. */
const RUNS = Number(process.env.SPACEDRIVE_RUNS ?? 1)
const rel = (path: string): RelPath => path as RelPath

describe('restoring', () => {
  let fixture: HistoryFixture
  // Once more for one that was closed does nothing.
  afterEach(() => fixture.close())
  const at = (path: string): string => join(fixture.source, path)

  it('a backup: a file, a folder, the whole source, as of a moment; what later came goes to versions', async () => {
    fixture = await openHistory({ mode: 'backup' })
    mkdirSync(at('d'))
    writeFileSync(at('d/a'), 'first')
    writeFileSync(at('b'), 'kept')
    await fixture.run()
    const then = fixture.now()
    const was = look(fixture.source)
    writeFileSync(at('d/a'), 'second')
    writeFileSync(at('d/new'), 'later')
    rmSync(at('b'))
    await fixture.run()

    const one = await fixture.restore({ path: rel('b'), to: 'source' })
    assert.equal(one.operations, 1)
    assert.equal(readFileSync(at('b'), 'utf8'), 'kept')
    assert.equal(readFileSync(at('d/a'), 'utf8'), 'second')

    const folder = await fixture.restore({ path: rel('d'), atMs: then, to: 'source' })
    assert.deepEqual(folder.problems, [])
    assert.deepEqual(look(fixture.source), was)
    assert.equal(fixture.sync().paused, false, 'the next run carries it to the backup')
    assert.equal((await fixture.run()).operations > 0, true)
    assert.deepEqual(look(fixture.destination), was)
    await fixture.restore({ path: rel('d/new'), to: 'source' })
    assert.equal(readFileSync(at('d/new'), 'utf8'), 'later')
  })

  it('a large file, over a later one that has much in common with it', async () => {
    fixture = await openHistory({ mode: 'backup' })
    const first = Buffer.alloc(6 * 1024 * 1024, 'x')
    for (let i = 0; i < first.length; i += 997) first[i] = i % 251
    writeFileSync(at('film'), first)
    await fixture.run()
    writeFileSync(
      at('film'),
      Buffer.concat([first.subarray(0, 3_000_000), Buffer.from('cut'), first.subarray(3_000_000)])
    )
    await fixture.run()
    const { problems } = await fixture.restore({ path: rel('film'), to: 'source' })
    assert.deepEqual(problems, [])
    assert.ok(readFileSync(at('film')).equals(first))
  })

  it('before it began, and what never was, is refused; nothing is touched', async () => {
    fixture = await openHistory({ mode: 'backup' })
    writeFileSync(at('a'), '1')
    const before = fixture.now()
    await fixture.run()
    const was = look(fixture.source)
    await assert.rejects(fixture.restore({ path: rel(''), atMs: before, to: 'source' }), {
      code: 'BEFORE_HISTORY'
    })
    await assert.rejects(fixture.restore({ path: rel('x'), atMs: fixture.now(), to: 'source' }), {
      code: 'NO_VERSION'
    })
    await assert.rejects(fixture.restore({ path: rel('x'), to: 'source' }), { code: 'NO_VERSION' })
    assert.deepEqual(look(fixture.source), was)
    assert.equal(existsSync(at('.spacedrive')), false)
  })

  it('into a folder: only where nothing stands, and nothing of ours is left in it', async () => {
    fixture = await openHistory({ mode: 'mirror' })
    mkdirSync(at('d'))
    writeFileSync(at('d/a'), 'one')
    await fixture.run()
    rmSync(at('d'), { recursive: true })
    writeFileSync(at('other'), 'x')
    await fixture.run()
    const out = join(fixture.dir, 'out') as AbsPath
    const asked = { path: rel('d/a'), to: { folder: out } }
    const dry = await fixture.history.previewRestore(fixture.sync(), asked)
    assert.deepEqual([dry.list.map(op => op.path), existsSync(out)], [['a'], false])
    await fixture.restore(asked)
    assert.deepEqual(readdirSync(out), ['a'])
    assert.equal(readFileSync(join(out, 'a'), 'utf8'), 'one')
    await assert.rejects(fixture.restore(asked), { code: 'EXISTS' })
    await assert.rejects(fixture.restore({ ...asked, path: rel('') }), { code: 'NOT_EMPTY' })
    assert.deepEqual(fixture.db.all(`SELECT id FROM sync_runs WHERE kind <> 'run'`, []), [])
  })

  it('to a one-way destination: the sync rests, and says why', async () => {
    fixture = await openHistory({ mode: 'mirror' })
    writeFileSync(at('a'), 'one')
    await fixture.run()
    const then = fixture.now()
    writeFileSync(at('a'), 'two')
    await fixture.run()
    const done = await fixture.restore({ path: rel(''), atMs: then, to: 'destination' })
    assert.deepEqual([done.paused, fixture.sync().paused], [true, true])
    assert.match(fixture.sync().pausedBecause ?? '', /restored/)
    assert.equal(readFileSync(join(fixture.destination, 'a'), 'utf8'), 'one')
  })

  it('from a folder alone, wherever it was taken: no database, no archive, no other end', async () => {
    fixture = await openHistory({ mode: 'backup' })
    mkdirSync(at('d'))
    writeFileSync(at('d/a'), 'first')
    await fixture.run()
    const then = fixture.now()
    const was = look(fixture.source)
    renameSync(at('d'), at('e'))
    writeFileSync(at('e/a'), 'second')
    await fixture.run()
    const moved = join(fixture.dir, 'elsewhere') as AbsPath
    renameSync(fixture.destination, moved)
    await fixture.syncs.remove(fixture.sync())
    const folder = join(fixture.dir, 'back') as AbsPath
    const done = await fixture.restoreFrom({ from: moved, folder, path: rel(''), atMs: then })
    assert.deepEqual(done.problems, [])
    assert.deepEqual(look(folder), was)
    await assert.rejects(fixture.restoreFrom({ from: folder, folder: `${folder}2` as AbsPath, path: rel('') }), {
      code: 'NO_VERSIONS'
    })
  })

  const rounds = fc.array(fc.array(edit, { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 4 })
  for (const mode of ['backup', 'mirror', 'bidirectional'] as Mode[]) {
    it(`${mode}: any moment is what it was, in another folder and at the ends`, async () => {
      await fc.assert(
        fc.asyncProperty(rounds, fc.nat(3), fc.constantFrom('source', 'destination'), async (list, pick, end) => {
          fixture = await openHistory({ mode })
          try {
            writeFileSync(at('first'), 'x')
            const moments: { readonly atMs: number; readonly was: Record<string, string> }[] = []
            const run = async (): Promise<void> => {
              const { problems } = await fixture.run()
              assert.deepEqual(problems, [])
              moments.push({ atMs: fixture.now(), was: look(fixture.destination) })
            }
            await run()
            for (const edits of list) {
              // What is done by hand at both ends alike is nobody's change, and in no history: one end a round.
              const by = mode === 'bidirectional' ? edits[0]!.end : 'source'
              for (const e of edits) applyEdit(fixture[by], e)
              await run()
            }
            const { atMs, was } = moments[pick % moments.length]!
            fc.pre(Object.keys(was).length > 0)
            const folder = join(fixture.dir, 'out') as AbsPath
            const out = await fixture.restore({ path: rel(''), atMs, to: { folder } })
            assert.deepEqual(out.problems, [])
            assert.deepEqual(look(folder), was)
            const back = await fixture.restore({ path: rel(''), atMs, to: end })
            assert.deepEqual(back.problems, [])
            assert.deepEqual(look(fixture[end]), was)
          } finally {
            await fixture.close()
          }
        }),
        { numRuns: RUNS, endOnFailure: true }
      )
    })
  }
})
