import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RelPath } from '../../../storage/base/index.js'
import { WHOLE_AGAIN_MS } from '../../../sync/session/follow.js'
import { type Hint, snapshotting } from '../../../sync/session/index.js'
import { jumpClock } from '../../jump-clock.js'
import { look, openSync, type SyncFixture } from '../../sync/session/fixture.js'
import { untilVouched } from '../../vouched.js'
import { openForSync, type ReplicaPair, replicaPair } from './fixture.js'

const FILES = 1_000
/** Under both names more paths than a plan is made of without comparing everything. */
const LARGE = 2_600
/** A session opens a folder, asks a few things and closes it: some 2 KB, however large the folder is. */
const SESSION_BYTES = 6_000

describe('what a session with a folder of a paired device sends', () => {
  let pair: ReplicaPair
  let fixture: SyncFixture
  const clock = jumpClock()
  before(async () => {
    pair = await replicaPair()
    fixture = await openSync({
      mode: 'bidirectional',
      clock,
      openEnd: async (end, { path, ...sync }) =>
        end === 'destination' ? openForSync(pair, path, { ...sync, side: end }) : undefined
    })
    for (let i = 0; i < FILES; i++) {
      const dir = join(fixture.source, `folder ${i % 4}`)
      mkdirSync(dir, { recursive: true })
      writeFileSync(join(dir, `file ${i}`), `content ${i}`)
    }
    for (let i = 0; i < 3; i++) {
      await run()
      for (const dir of [fixture.source, fixture.destination]) await untilVouched(dir)
    }
  })
  after(async () => {
    await fixture.close()
    await pair.stop()
  })

  /** @returns bytes, both ways */
  async function run(...hints: Hint[]): Promise<number> {
    pair.wire.bytes = 0
    const outcome = await fixture.run(hints.length === 0 ? {} : { hints: { source: [], destination: hints } })
    assert.ok(outcome.state === 'idle' || outcome.state === 'done', outcome.state)
    if (outcome.state === 'done') assert.deepEqual(outcome.result.problems, [])
    assert.deepEqual(look(fixture.destination), look(fixture.source))
    return pair.wire.bytes
  }
  const hint = (path: string, subtree = false): Hint => ({ path: path as RelPath, subtree })
  const far = (path: string): string => join(fixture.destination, path)

  it('of a folder in which nothing changed: nothing, though all of both ends is looked at', async () => {
    const bytes = await run()
    assert.ok(bytes < SESSION_BYTES, `${bytes} bytes`)
  })

  it('of one file that was edited: that file, whether it was hinted at or all is looked at', async () => {
    for (const hints of [[], [hint('folder 1/file 1')]]) {
      writeFileSync(far('folder 1/file 1'), `edited ${hints.length}`)
      const bytes = await run(...hints)
      assert.ok(bytes < SESSION_BYTES, `${bytes} bytes`)
      await untilVouched(fixture.destination)
    }
  })

  it('of a folder that was renamed there: names', async () => {
    renameSync(far('folder 2'), far('renamed'))
    for (const hints of [[hint('folder 2'), hint('renamed', true)], []]) {
      const bytes = await run(...hints)
      assert.ok(bytes < SESSION_BYTES, `${bytes} bytes`)
    }
  })

  it('of a folder that was renamed here: names, also when that end is asked what came of it', async () => {
    renameSync(join(fixture.source, 'folder 3'), join(fixture.source, 'here'))
    // A watch may tell of the old name first, and of the new one once it has looked into it.
    for (const hints of [[], [hint('folder 3')], [hint('here', true)], []]) {
      const bytes = await run(...hints)
      assert.ok(bytes < SESSION_BYTES, `${bytes} bytes`)
    }
  })

  it('of a large folder that was renamed there, and then looked into: names, of a plan that is made of them alone', async () => {
    mkdirSync(join(fixture.source, 'large'))
    for (let i = 0; i < LARGE; i++) writeFileSync(join(fixture.source, 'large', `file ${i}`), '')
    for (let i = 0; i < 3; i++) {
      await run()
      for (const dir of [fixture.source, fixture.destination]) await untilVouched(dir)
    }
    renameSync(far('large'), far('larger'))
    const hints = { source: [], destination: [hint('large'), hint('larger', true)] }
    const outcome = await fixture.run({ hints })
    assert.ok(outcome.state === 'done' && !outcome.plan.whole)
    assert.deepEqual([outcome.plan.operations, outcome.later.destination], [1, ['larger']])
    assert.deepEqual(look(fixture.destination), look(fixture.source))
    writeFileSync(far('larger/file 7'), 'edited before it was looked into')
    const bytes = await run(hint('larger', true))
    assert.ok(bytes < SESSION_BYTES, `${bytes} bytes`)
    writeFileSync(join(fixture.source, 'larger', 'file 8'), 'edited here')
    rmSync(far('larger/file 9'))
    assert.ok((await run()) < 2 * SESSION_BYTES)
  })

  it('after that daemon was started again: nothing', async () => {
    await pair.server.scans.close()
    const bytes = await run()
    assert.ok(bytes < SESSION_BYTES, `${bytes} bytes`)
  })

  it('after a week: everything, and then nothing again', async () => {
    clock.jump(WHOLE_AGAIN_MS)
    const listing = await run()
    assert.ok(listing > SESSION_BYTES, `${listing} bytes`)
    const bytes = await run()
    assert.ok(bytes < SESSION_BYTES, `${bytes} bytes`)
  })

  it('what the rows here have lost without anybody noticing: nothing is done by that, and after a week it is known again', async () => {
    const path = 'folder 0/file 0' as RelPath
    const whole = look(fixture.source)
    await fixture.snapshot.write(snapshotting.gone, { at: 'destination', paths: [path] })
    for (const weeks of [0, 0, 1]) {
      clock.jump(weeks * WHOLE_AGAIN_MS)
      const outcome = await fixture.run()
      const problems = outcome.state === 'done' ? outcome.result.problems.map(p => [p.path, p.code]) : []
      assert.deepEqual(problems, weeks === 0 ? [[path, 'CHANGED']] : [])
      assert.deepEqual([look(fixture.source), look(fixture.destination)], [whole, whole])
    }
    const bytes = await run()
    assert.ok(bytes < SESSION_BYTES, `${bytes} bytes`)
  })

  it('once it is lost what was told there: everything, and then nothing again', async () => {
    const [{ uuid } = { uuid: '' }] = pair.server.served.list()
    await pair.server.scans.remove(uuid)
    const listing = await run()
    assert.ok(listing > SESSION_BYTES, `${listing} bytes`)
    const bytes = await run()
    assert.ok(bytes < SESSION_BYTES, `${bytes} bytes`)
  })
})
