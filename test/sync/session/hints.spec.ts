import assert from 'node:assert/strict'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { RelPath } from '../../../storage/base/index.js'
import type { Mode } from '../../../sync/reconcile/index.js'
import type { Hint } from '../../../sync/session/index.js'
import { untilVouched } from '../../vouched.js'
import { applyEdit, edit } from './edits.js'
import { look, openSync, type SyncFixture } from './fixture.js'
import { hintsBetween, seenIn } from './hinting.js'

/** More by SPACEDRIVE_RUNS, for a long search. */
const RUNS = Number(process.env.SPACEDRIVE_RUNS ?? 4)
const hint = (path: string, subtree = false): Hint => ({ path: path as RelPath, subtree })

const inBig = (name: string) => fc.tuple(fc.nat(2), fc.nat(1_009)).map(([a, b]) => `${name}/${a}/${b - (b % 3) + a}`)
const anywhere = fc.oneof(
  inBig('big'),
  inBig('big'),
  inBig('other'),
  fc.nat(5).map(n => `beside/${n}`),
  fc.constant('top')
)
/** Edits of single files, and renames of the folder, which is most often renamed once. */
const around = fc.oneof(
  fc.record({ kind: fc.constantFrom('write', 'delete'), path: anywhere, to: fc.constant('') }),
  fc.record({ kind: fc.constant('move'), path: anywhere, to: anywhere }),
  fc.record({
    kind: fc.constant('move'),
    path: fc.constantFrom('big', 'big/1'),
    to: fc.constantFrom('other', 'beside/big')
  })
)

function applyAround(dir: string, { kind, path, to }: { kind: string; path: string; to: string }): void {
  const [at, there] = [join(dir, path), join(dir, to)]
  try {
    if (kind === 'write') writeFileSync(at, `written ${path}`)
    else if (kind === 'delete') rmSync(at)
    else if (!existsSync(there)) renameSync(at, there)
  } catch (err) {
    // What cannot be done is not done: nothing is there any more, or something else.
    const { code } = err as { code?: string }
    if (!['ENOENT', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'EINVAL'].includes(code ?? '')) throw err
  }
}

describe('a session that looks only where something was hinted at', () => {
  let fixture: SyncFixture
  afterEach(() => fixture.close())

  const put = (path: string, text: string): void => {
    mkdirSync(join(fixture.source, path, '..'), { recursive: true })
    writeFileSync(join(fixture.source, path), text)
  }
  const run = async (hints?: { source: readonly Hint[]; destination: readonly Hint[] }) => {
    const looked = { source: { entries: 0, hashedFiles: 0 }, destination: { entries: 0, hashedFiles: 0 } }
    const outcome = await fixture.run({
      hints,
      onScan(end, progress) {
        looked[end] = progress
      }
    })
    if (outcome.state !== 'done') throw new Error(outcome.state)
    assert.deepEqual(outcome.result.problems, [])
    return { ...outcome, looked }
  }
  /** Once more, so that the next run knows what there is. */
  const agree = async (): Promise<void> => {
    await untilVouched(fixture.source)
    await run()
    const again = await run()
    assert.equal(again.plan.operations, 0)
  }
  const only = (...source: Hint[]) => ({ source, destination: [] })

  it('finds what was hinted at and nothing else; a whole run finds the rest', async () => {
    fixture = await openSync({ mode: 'bidirectional' })
    for (const name of ['a', 'b', 'gone', 'folder/in it', 'old/x', 'old/y/z']) put(name, name)
    await agree()
    for (const name of ['a', 'b', 'new/deep/file']) put(name, `${name} edited`)
    rmSync(join(fixture.source, 'gone'))
    rmSync(join(fixture.source, 'old'), { recursive: true })
    const hints = only(hint('a'), hint('gone'), hint('new', true), hint('old'), hint('never there'))
    const { plan, looked } = await run(hints)
    assert.equal(plan.whole, false)
    assert.equal(looked.destination.entries, 0)
    assert.deepEqual(Object.keys(look(fixture.destination)), [
      ...['a', 'b', 'folder', 'folder/in it', 'new', 'new/deep', 'new/deep/file']
    ])
    assert.match(look(fixture.destination).a!, /^a edited /)
    assert.match(look(fixture.destination).b!, /^b 644/)
    const { plan: rest } = await run()
    assert.equal(rest.operations, 1)
    assert.deepEqual(look(fixture.destination), look(fixture.source))
  })

  it('a large folder that was renamed is one move: nothing in it is listed or read', async () => {
    fixture = await openSync({ mode: 'bidirectional' })
    for (let i = 0; i < 1_010; i++) put(`folder/sub ${i % 7}/file ${i}`, `${i}`)
    await agree()
    renameSync(join(fixture.source, 'folder'), join(fixture.source, 'other'))
    const { plan, looked, result, later } = await run(only(hint('folder'), hint('other', true)))
    assert.deepEqual([plan.whole, plan.operations, result.bytes], [false, 1, 0])
    assert.deepEqual(looked.source, { entries: 2, hashedFiles: 0, hashedBytes: 0 })
    assert.deepEqual(look(fixture.destination), look(fixture.source))
    assert.deepEqual(later.source, ['other'])
    // What changed in it meanwhile is found when it is looked into.
    put('other/sub 3/file 3', 'changed on the way')
    await untilVouched(fixture.source)
    const { plan: next } = await run(only(hint('other', true)))
    assert.deepEqual([next.whole, next.operations], [false, 1])
    const { plan: last, looked: all } = await run()
    assert.equal(last.operations, 0)
    assert.equal(all.source.entries, 1_018)
    assert.deepEqual([all.source.hashedFiles, all.destination.hashedFiles], [0, 0])
  })

  it('a large folder is renamed right after a file in it was changed: one move, and only that is looked at', async () => {
    fixture = await openSync({ mode: 'bidirectional' })
    for (let i = 0; i < 1_010; i++) put(`folder/${i}`, `${i}`)
    await agree()
    put('folder/1', 'edited')
    assert.equal((await run(only(hint('folder/1')))).plan.operations, 1)
    renameSync(join(fixture.source, 'folder'), join(fixture.source, 'other'))
    const { plan, looked } = await run(only(hint('folder'), hint('other', true)))
    assert.deepEqual([plan.whole, plan.operations, looked.source.entries], [false, 1, 2])
    assert.deepEqual(look(fixture.destination), look(fixture.source))
  })

  for (const [when, how] of [
    ['before', 'under its old name'],
    ['after', 'under its new name']
  ] as const)
    it(`a large folder is renamed and a file in it edited in one burst (${when}): the move, then the one file`, async () => {
      fixture = await openSync({ mode: 'bidirectional' })
      for (let i = 0; i < 1_010; i++) put(`folder/sub ${i % 7}/file ${i}`, `${i}`)
      await agree()
      if (when === 'before') put('folder/sub 3/file 3', `edited ${how}`)
      renameSync(join(fixture.source, 'folder'), join(fixture.source, 'other'))
      if (when === 'after') put('other/sub 3/file 3', `edited ${how}`)
      const edited = hint(`${when === 'before' ? 'folder' : 'other'}/sub 3/file 3`)
      const { plan, looked, result, later } = await run(only(edited, hint('folder'), hint('other', true)))
      assert.deepEqual([plan.whole, plan.operations, result.bytes], [false, 1, 0])
      assert.deepEqual(looked.source, { entries: 3, hashedFiles: 0, hashedBytes: 0 })
      assert.deepEqual(later.source, ['other'])
      await untilVouched(fixture.source)
      const { plan: next } = await run(only(hint('other', true)))
      assert.deepEqual([next.whole, next.operations], [false, 1])
      assert.deepEqual(look(fixture.destination), look(fixture.source))
      assert.equal((await run()).plan.operations, 0)
    })

  it('what is moved into a folder, or out of it, before that is renamed stays a move', async () => {
    fixture = await openSync({ mode: 'bidirectional' })
    for (let i = 0; i < 1_010; i++) put(`folder/${i}`, `${i}`)
    put('in', 'goes in')
    await agree()
    renameSync(join(fixture.source, 'in'), join(fixture.source, 'folder/in'))
    renameSync(join(fixture.source, 'folder/7'), join(fixture.source, 'out'))
    renameSync(join(fixture.source, 'folder'), join(fixture.source, 'other'))
    const { plan, result } = await run(only(hint('in'), hint('out'), hint('folder'), hint('other', true)))
    assert.deepEqual([result.bytes, plan.totals.destination.removed], [0, 0])
    assert.deepEqual(look(fixture.destination), look(fixture.source))
  })

  it('what is not alike and stays so is compared at each run, until it is', async () => {
    fixture = await openSync({ mode: 'replica' })
    put('both', 'both')
    await agree()
    writeFileSync(join(fixture.destination, 'extra'), 'theirs')
    const there = { source: [], destination: [hint('extra')] }
    assert.deepEqual((await run(there)).plan.odd, ['extra'])
    put('both', 'edited')
    assert.deepEqual((await run(only(hint('both')))).plan.odd, ['both', 'extra'])
    put('extra', 'ours')
    assert.deepEqual((await run(only(hint('extra')))).plan.odd, ['extra'])
    put('both', 'edited again')
    assert.deepEqual((await run(only(hint('both')))).plan.odd, ['both'])
  })

  it('a renamed folder with edits in it, seen under the old and the new name: none of it is taken for deleted', async () => {
    fixture = await openSync({ mode: 'bidirectional' })
    for (let i = 0; i < 1_010; i++) put(`folder/${i}`, `${i}`)
    await agree()
    put('folder/1', 'edited before')
    put('folder/2', 'edited before as well')
    renameSync(join(fixture.source, 'folder'), join(fixture.source, 'other'))
    rmSync(join(fixture.source, 'other/3'))
    const hints = only(hint('folder/1'), hint('folder/2'), hint('folder'), hint('other', true))
    const { plan: move, later } = await run(hints)
    assert.deepEqual([move.totals.destination.removed, move.totals.destination.replaced], [0, 0])
    const { plan } = await run(only(...later.source.map(path => hint(path, true))))
    assert.deepEqual([plan.totals.destination.removed, plan.totals.destination.replaced], [1, 2])
    assert.deepEqual(look(fixture.destination), look(fixture.source))
    assert.equal((await run()).plan.operations, 0)
  })

  for (const files of [1, 1_010])
    it(`a folder with ${files} files that was renamed, and a new one under its old name: both are found`, async () => {
      fixture = await openSync({ mode: 'bidirectional' })
      for (let i = 0; i < files; i++) put(`folder/${i}`, `${i}`)
      await agree()
      renameSync(join(fixture.source, 'folder'), join(fixture.source, 'other'))
      put('folder/new', 'new')
      await run(only(hint('other', true), hint('folder', true)))
      assert.deepEqual(look(fixture.destination), look(fixture.source))
      assert.equal((await run()).plan.operations, 0)
    })

  it('a large file that was renamed is not read for that, and is at the next whole look', async () => {
    fixture = await openSync({ mode: 'bidirectional' })
    put('large', 'x'.repeat(100_000))
    await agree()
    renameSync(join(fixture.source, 'large'), join(fixture.source, 'larger'))
    const { plan, looked, result } = await run(only(hint('large'), hint('larger')))
    assert.deepEqual([plan.operations, result.bytes, looked.source.hashedFiles], [1, 0, 0])
    assert.deepEqual(look(fixture.destination), look(fixture.source))
    const { plan: last, looked: all } = await run()
    assert.deepEqual([last.operations, all.source.hashedFiles], [0, 1])
  })

  it('random edits in and around a large folder that is renamed in the same burst: nothing is lost or left', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(around, { minLength: 1, maxLength: 8 }), async edits => {
        fixture = await openSync({ mode: 'bidirectional' })
        try {
          for (let i = 0; i < 1_010; i++) put(`big/${i % 3}/${i}`, `${i}`)
          for (let i = 0; i < 4; i++) put(`beside/${i}`, `beside ${i}`)
          await agree()
          const before = seenIn(fixture.source)
          for (const e of edits) applyAround(fixture.source, e)
          const meant = look(fixture.source)
          // What a watcher told of a name that was given up since comes along.
          const gone = edits.map(e => hint(e.path))
          let next: readonly Hint[] = [...gone, ...hintsBetween(before, seenIn(fixture.source))]
          for (let i = 0; i < 2 && next.length > 0; i++) {
            const outcome = await fixture.run({ hints: only(...next) })
            next = outcome.state === 'done' ? outcome.later.source.map(path => hint(path, true)) : []
          }
          assert.deepEqual(next, [])
          assert.deepEqual(look(fixture.source), meant)
          assert.deepEqual(look(fixture.destination), meant)
          assert.equal((await run()).plan.operations, 0)
        } finally {
          await fixture.close()
        }
      }),
      { numRuns: Math.ceil(RUNS / 2), endOnFailure: true }
    )
  })

  for (const mode of ['bidirectional', 'mirror', 'replica', 'backup'] as Mode[])
    it(`${mode}: random edits, told by hints, leave nothing for a whole run to do`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(edit, { maxLength: 8 }), { minLength: 2, maxLength: 4 }), async rounds => {
          fixture = await openSync({ mode })
          try {
            for (let i = 0; i < 12; i++) put(`d/${i}`, `${i}`)
            await agree()
            for (const edits of rounds) {
              const before = { source: seenIn(fixture.source), destination: seenIn(fixture.destination) }
              for (const e of edits) applyEdit(fixture[e.end], e)
              const hints = {
                source: hintsBetween(before.source, seenIn(fixture.source)),
                destination: hintsBetween(before.destination, seenIn(fixture.destination))
              }
              const outcome = await fixture.run({ hints })
              if (outcome.state !== 'done') return // halted
              assert.deepEqual(outcome.result.problems, [])
              const whole = await fixture.run()
              assert.equal(whole.state === 'done' && whole.plan.operations, 0, 'the hints told all of it')
            }
          } finally {
            await fixture.close()
          }
        }),
        { numRuns: RUNS, endOnFailure: true }
      )
    })
})
