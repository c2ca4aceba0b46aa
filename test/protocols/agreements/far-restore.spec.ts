/** Bringing back what the end on another device keeps, from where the sync is driven: two whole peers over a real connection. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { RelPath } from '../../../storage/base/index.js'
import type { RestoreAsked, Restored } from '../../../sync/history/index.js'
import type { End, Mode } from '../../../sync/reconcile/index.js'
import { look } from '../../sync/session/fixture.js'
import { putAt, TwoDevices } from './two-devices.js'

const rel = (path: string): RelPath => path as RelPath

/** @returns the bytes as well that went into sockets of this process meanwhile, from both devices */
async function counting<T>(work: () => Promise<T>): Promise<[T, number]> {
  let sent = 0
  const { write } = Socket.prototype
  Socket.prototype.write = function (this: Socket, ...args: unknown[]) {
    if (this.remoteAddress !== undefined) sent += (args[0] as Uint8Array).length
    return write.apply(this, args as never)
  } as never
  try {
    return [await work(), sent]
  } finally {
    Socket.prototype.write = write
  }
}

describe('restoring what the end on another device keeps', () => {
  // Bob's clock goes wrong by more than all of this takes.
  const two = new TwoDevices({ bobAheadMs: 2 * 3_600_000 + 7_000 })
  before(() => two.start())
  after(() => two.clean())
  let name = ''
  let count = 0
  const mine = (path = ''): string => join(two.at(`${name}-mine`), path)
  const theirs = (path = ''): string => join(two.at(`${name}-theirs`), path)

  async function add(mode: Mode, side: End = 'destination'): Promise<void> {
    name = `s${count++}`
    await two.add(name, { mode, side, mine: `${name}-mine`, theirs: `${name}-theirs` })
  }
  const run = (): Promise<void> => two.converge(name)
  const sync = () => two.ada.syncs.find(name)
  async function restore(asked: RestoreAsked): Promise<Restored> {
    const { id } = await two.ada.history.restore(sync(), asked)
    return two.ended<Restored>(id).finally(() => two.later(1_000))
  }

  it('a backup there: a lost file, a folder as it was, comes back to the source here', async () => {
    await add('backup')
    putAt(mine('d/a'), 'first')
    putAt(mine('film'), Buffer.alloc(3_000_000, 'x'))
    putAt(mine('b'), 'kept')
    await run()
    const was = look(mine())
    const then = (await two.ada.history.moments(sync(), 10)).moments[0]!
    putAt(mine('d/a'), 'second')
    putAt(mine('d/new'), 'later')
    rmSync(mine('b'))
    rmSync(mine('film'))
    await run()

    const one = await restore({ path: rel('film'), to: 'source' })
    assert.deepEqual([one.operations, one.problems], [1, []])
    assert.equal(readFileSync(mine('film')).length, 3_000_000)
    const { versions } = await two.ada.history.versions(sync(), rel('d/a'), 10)
    assert.deepEqual(
      versions.map(({ line, end }) => [line.was?.kind, end]),
      [['file', 'destination']]
    )
    const all = await restore({ path: rel(''), atMs: then.atMs, to: 'source' })
    assert.deepEqual(all.problems, [])
    assert.deepEqual(look(mine()), was)
    assert.equal(sync().paused, false, 'the next run carries it to the backup')
    const folder = two.at(`${name}-found`)
    await restore({ path: rel('d'), atMs: then.atMs, to: { folder } })
    assert.equal(readFileSync(join(folder, 'd/a'), 'utf8'), 'first')
  })

  it('to the end there: no content travels; what is replaced is in its versions, and the sync rests', async () => {
    await add('mirror')
    const large = Buffer.alloc(5_000_000, 'y')
    putAt(mine('large'), large)
    putAt(mine('a'), '1')
    putAt(mine('moved'), 'm')
    await run()
    const was = look(theirs())
    const { atMs } = (await two.ada.history.moments(sync(), 10)).moments[0]!
    rmSync(mine('large'))
    putAt(mine('a'), '22')
    renameSync(mine('moved'), mine('elsewhere'))
    putAt(mine('new'), 'n')
    await run()
    const preview = await two.ada.history.previewRestore(sync(), { path: rel(''), atMs, to: 'destination' })
    assert.equal(preview.operations, 0)
    assert.ok(preview.list.some(({ path }) => path === 'large'))
    assert.ok(!existsSync(theirs('large')))
    const [{ operations, problems, paused, run: id }, sent] = await counting(() =>
      restore({ path: rel(''), atMs, to: 'destination' })
    )
    assert.ok(sent < 500_000, `${sent} bytes were sent`)
    assert.deepEqual(problems, [])
    assert.ok(operations >= 4)
    assert.equal(paused, true)
    assert.deepEqual(look(theirs()), was)
    const { versions } = await two.ada.history.versions(sync(), rel('a'), 10)
    assert.deepEqual(
      versions.map(({ line }) => [line.was?.kind === 'file' && line.was.sizeBytes, line.run === id]),
      [
        [2, true],
        [1, false]
      ]
    )
    await restore({ path: rel('new'), to: 'destination' })
    assert.equal(readFileSync(theirs('new'), 'utf8'), 'n')
  })

  it('both ways: what either end lost, at either end, whatever the clock there says', async () => {
    await add('bidirectional')
    putAt(mine('from-ada'), '1')
    putAt(theirs('from-bob'), '1')
    await run()
    const was = look(mine())
    const { atMs } = (await two.ada.history.moments(sync(), 10)).moments[0]!
    putAt(mine('from-ada'), '22')
    putAt(theirs('from-bob'), '22')
    await run()
    putAt(theirs('from-ada'), '333')
    rmSync(mine('from-bob'))
    await run()
    const here = await restore({ path: rel(''), atMs, to: 'source' })
    assert.deepEqual(here.problems, [])
    assert.deepEqual(look(mine()), was)
    const there = await restore({ path: rel(''), atMs, to: 'destination' })
    assert.deepEqual(there.problems, [])
    assert.deepEqual(look(theirs()), was)
    await two.ada.syncs.resume(sync())
  })

  it('a source there that may only be read: the end here is restored, that one not', async () => {
    await add('mirror', 'source')
    putAt(theirs('a'), '1')
    await run()
    rmSync(theirs('a'))
    await run()
    assert.ok(!existsSync(mine('a')))
    await restore({ path: rel('a'), to: 'destination' })
    assert.equal(readFileSync(mine('a'), 'utf8'), '1')
    await assert.rejects(restore({ path: rel('a'), to: 'source' }), { code: 'NOT_WRITTEN' })
    assert.ok(!existsSync(theirs('a')))
  })

  it('what a guard there stops is not done, until a person there allows it', async () => {
    await add('mirror')
    putAt(mine('a'), '1')
    await run()
    const { atMs } = (await two.ada.history.moments(sync(), 10)).moments[0]!
    for (let i = 0; i < 30; i++) putAt(mine(`f${i}`), `${i}`)
    await run()
    const was = look(theirs())
    const back = { path: rel(''), atMs, to: 'destination' } as const
    await assert.rejects(restore(back), { code: 'GUARD' })
    assert.deepEqual(look(theirs()), was)
    const served = two.bob.served.list().find(s => s.uuid === sync().uuid)!
    assert.equal(served.halted?.removed, 30)
    await two.bob.served.allow(served)
    assert.equal((await restore(back)).operations, 30)
    assert.ok(!existsSync(theirs('f0')))
  })

  it('what was lost there before it was accepted is not told', async () => {
    name = `s${count++}`
    mkdirSync(theirs(), { recursive: true })
    putAt(join(two.at(`${name}-own`), 'secret'), 's')
    // Bob's own sync of that folder.
    await two.bob.syncs.add({
      ...{ name, mode: 'mirror', policy: 'source', ignore: [], maxDeletePercent: 100, manual: true },
      ...{ source: two.at(`${name}-own`), destination: two.at(`${name}-theirs`) }
    } as never)
    const own = async () => {
      const job = await two.bob.syncs.begin(two.bob.syncs.find(name), { force: true })
      assert.equal(((await two.bob.jobs.outcome(job)).output as { state?: string } | undefined)?.state, 'converged')
      two.later(1_000)
    }
    await own()
    rmSync(join(two.at(`${name}-own`), 'secret'))
    await own()
    assert.ok(!existsSync(theirs('secret')))
    putAt(join(two.at(`${name}-own`), 'later'), '1')
    await own()
    await two.add(name, { mode: 'backup', side: 'destination', mine: `${name}-mine`, theirs: `${name}-theirs` })
    putAt(join(two.at(`${name}-own`), 'later'), '22')
    await own()
    const { versions } = await two.ada.history.versions(sync(), rel(''), 10)
    assert.deepEqual(
      versions.map(({ line }) => line.path),
      ['later']
    )
    const before = { path: rel('secret'), atMs: two.ada.clock.nowMs() - 3_600_000, to: 'source' } as const
    await assert.rejects(restore(before), { code: 'BEFORE_HISTORY' })
    await assert.rejects(restore({ path: rel('secret'), to: 'source' }), { code: 'NO_VERSION' })
  })

  it('a link that is cut while contents come back here: it goes on when that device is there again', async () => {
    await add('backup')
    for (let i = 0; i < 12; i++) putAt(mine(`f${i}`), Buffer.alloc(1_500_000, i + 1))
    for (let i = 0; i < 40; i++) putAt(mine(`stays ${i}`), '') // no guard there minds the others then
    await run()
    const was = look(mine())
    const { atMs } = (await two.ada.history.moments(sync(), 10)).moments[0]!
    for (let i = 0; i < 12; i++) putAt(mine(`f${i}`), `other ${i}`)
    await run()
    let cuts = 0
    const off = two.ada.events.on('job:progress', ({ doneBytes = 0 }) => {
      if (doneBytes === 0 || cuts > 0) return
      cuts++
      two.ada.network.session(two.bob.network.localDevice)?.abort(new Error('the link is cut'))
    })
    const { problems, bytes } = await restore({ path: rel(''), atMs, to: 'source' }).finally(off)
    assert.deepEqual([cuts, problems], [1, []])
    assert.ok(bytes >= 12 * 1_500_000)
    assert.deepEqual(look(mine()), was)
  })

  it('a device that is away says so: at once, and what lies here is told where both ends keep something', async () => {
    await add('bidirectional')
    putAt(mine('a'), '1')
    await run()
    putAt(theirs('a'), '22')
    await run()
    await two.bob.network.stop()
    await two.until('bob is away', () => two.ada.network.session(two.bob.network.localDevice) === undefined, 'device:')
    try {
      const { versions, unheard } = await two.ada.history.versions(sync(), rel('a'), 10)
      assert.deepEqual(
        versions.map(v => v.end),
        ['source']
      )
      assert.match(unheard!.why, /is away/)
      const was = look(mine())
      await assert.rejects(restore({ path: rel('a'), to: 'source' }), { code: 'DEVICE_AWAY', hint: /Ask again when/ })
      assert.deepEqual(look(mine()), was)
    } finally {
      await two.bob.network.start()
    }
  })
})
