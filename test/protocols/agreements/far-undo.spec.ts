/** Taking runs back at the end on another device, from where the sync is driven: two whole peers over a real connection. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { JobId } from '../../../storage/base/index.js'
import type { UndoAsked, Undone } from '../../../sync/history/index.js'
import type { Mode } from '../../../sync/reconcile/index.js'
import { look } from '../../sync/session/fixture.js'
import { putAt, TwoDevices } from './two-devices.js'

describe('taking a run back at the end on another device', () => {
  const two = new TwoDevices()
  before(() => two.start())
  after(() => two.clean())
  afterEach(() => two.truth())
  let name = ''
  let count = 0
  const mine = (path = ''): string => join(two.at(`${name}-mine`), path)
  const theirs = (path = ''): string => join(two.at(`${name}-theirs`), path)

  async function add(mode: Mode): Promise<void> {
    name = `s${count++}`
    await two.add(name, { mode, side: 'destination', mine: `${name}-mine`, theirs: `${name}-theirs` })
  }
  const run = (): Promise<void> => two.converge(name)
  const sync = () => two.ada.syncs.find(name)
  const begin = async (asked: UndoAsked = {}): Promise<JobId> => (await two.ada.history.undo(sync(), asked)).id
  async function ended(id: JobId): Promise<Undone> {
    return two.ended<Undone>(id).finally(() => two.later(1_000))
  }
  const undo = async (asked: UndoAsked = {}): Promise<Undone> => ended(await begin(asked))
  const cut = (): void => two.ada.network.session(two.bob.network.localDevice)?.abort(new Error('the link is cut'))

  it('what was deleted, replaced, moved and made there is as before; the sync rests; again, and it is done again', async () => {
    await add('mirror')
    for (const path of ['d/a', 'b', 'c']) putAt(mine(path), `${path} one`)
    putAt(mine('film'), Buffer.alloc(3_000_000, 'f'))
    await run()
    const before = look(theirs())
    rmSync(mine('d'), { recursive: true })
    rmSync(mine('film'))
    putAt(mine('b'), 'two')
    renameSync(mine('c'), mine('c2'))
    putAt(mine('new'), 'new')
    await run()
    const after = look(theirs())
    const dry = await two.ada.history.previewUndo(sync(), {})
    assert.deepEqual([dry.run, dry.list.length > 3, look(theirs())], [undefined, true, after])
    const done = await undo()
    assert.deepEqual([done.left, done.problems, done.paused], [[], [], true])
    assert.deepEqual(look(theirs()), before)
    const redone = await undo()
    assert.equal(redone.runs[0]!.kind, 'undo')
    assert.deepEqual(look(theirs()), after)
  })

  it('both ends, where nothing newer stands in the way; the rest is named', async () => {
    await add('bidirectional')
    for (const path of ['a', 'b', 'c', 'd']) putAt(mine(path), '1')
    await run()
    putAt(mine('a'), '22')
    putAt(theirs('b'), '22')
    rmSync(theirs('c'))
    putAt(mine('d'), '22')
    await run()
    putAt(theirs('d'), 'newer')
    const { left, problems, operations } = await undo()
    assert.deepEqual(problems, [])
    assert.deepEqual(
      left.map(l => [l.end, l.path]),
      [['destination', 'd']]
    )
    assert.equal(operations, 3)
    const read = (path: string): string => readFileSync(path, 'utf8')
    // What was edited by hand stays where that was.
    assert.deepEqual([read(theirs('a')), read(mine('b')), read(mine('c')), read(theirs('d'))], ['1', '1', '1', 'newer'])
  })

  it('what a guard there stops is done at neither end, and a look at it takes no yes away', async () => {
    await add('bidirectional')
    putAt(mine('a'), '1')
    putAt(theirs('b'), '1')
    await run()
    for (let i = 0; i < 30; i++) putAt(mine(`f${i}`), `${i}`)
    rmSync(theirs('b'))
    await run()
    const was = [look(mine()), look(theirs())]
    await assert.rejects(undo(), { code: 'GUARD' })
    assert.deepEqual([look(mine()), look(theirs())], was)
    await two.bob.served.allow(two.bob.served.list().find(s => s.uuid === sync().uuid)!)
    await two.ada.history.previewUndo(sync(), {})
    await undo()
    assert.ok(existsSync(mine('b')))
    assert.ok(!existsSync(theirs('f0')))
  })

  it('a link that is cut after a batch was placed and before that was told: it goes on, as one run', async () => {
    await add('mirror')
    for (let i = 0; i < 40; i++) putAt(mine(`d${i % 3}/f${i}`), `${i}`)
    await run()
    const before = look(theirs())
    rmSync(mine('d1'), { recursive: true })
    renameSync(mine('d2'), mine('elsewhere'))
    for (let i = 0; i < 40; i += 3) putAt(mine(`d0/f${i}`), `other ${i}`)
    await run()
    let placed = 0
    await two.lie({
      end: truth => ({
        async place(...batch) {
          const results = await truth.place(...batch)
          if (++placed <= 2) cut()
          return results
        }
      })
    })
    const done = await undo()
    assert.ok(placed >= 1)
    assert.deepEqual(done.left, [])
    assert.deepEqual(look(theirs()), before)
    const runs = two.ada.syncs.lastRuns(sync(), 10).filter(r => r.kind === 'undo')
    assert.deepEqual(
      runs.map(r => r.id),
      [done.run]
    )
  })

  it('a device that is away: nothing is done, unless what lies here is asked for alone', async () => {
    await add('bidirectional')
    putAt(mine('a'), '1')
    putAt(mine('b'), '1')
    await run()
    putAt(theirs('a'), '22')
    putAt(mine('b'), '22')
    await run()
    const was = look(mine())
    await two.bob.network.stop()
    await two.until('bob is away', () => two.ada.network.session(two.bob.network.localDevice) === undefined, 'device:')
    try {
      await assert.rejects(undo(), { code: 'DEVICE_AWAY', hint: /--here/ })
      assert.deepEqual(look(mine()), was)
      const { operations, left } = await undo({ here: true })
      assert.deepEqual([operations, left], [1, []])
      assert.equal(readFileSync(mine('a'), 'utf8'), '1')
    } finally {
      await two.bob.network.start()
    }
  })

  it('a device that is revoked while it goes on: it ends, and nothing there is half', async () => {
    await add('mirror')
    for (let i = 0; i < 20; i++) putAt(mine(`f${i}`), `${i}`)
    await run()
    for (let i = 0; i < 9; i++) putAt(mine(`f${i}`), `other ${i}`)
    putAt(mine('d/new'), 'x')
    await run()
    let revoked: Promise<unknown> | undefined
    await two.lie({
      end: truth => ({
        async place(...batch) {
          revoked ??= two.bob.devices.revoke(two.ada.network.localDevice)
          return truth.place(...batch)
        }
      })
    })
    const id = await begin()
    const { state, error } = await two.ada.jobs.outcome(id)
    await revoked
    assert.equal(state, 'failed', JSON.stringify(error))
    for (let i = 0; i < 9; i++) assert.match(readFileSync(theirs(`f${i}`), 'utf8'), new RegExp(`^(other )?${i}$`))
    await assert.rejects(undo())
  })
})
