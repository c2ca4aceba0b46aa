import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import type { Pacing } from '../../../protocols/pace/index.js'
import { transferWrites } from '../../../protocols/transfer/rows.worker.js'
import { Slots } from '../../../protocols/transfer/slots.js'
import { type DeviceId, type ProgressFields, raceSignal } from '../../../storage/base/index.js'
import { nextEvent } from '../../peers.js'
import { tempDir } from '../../temp.js'
import { below, devicePair, type Pair, type Prepared, prepare } from './devices.js'
import { content, look } from './trees.js'

describe('how a transfer ends', () => {
  let pair: Pair
  let temp: ReturnType<typeof tempDir>
  let prepared: Prepared
  /** While somebody holds it, this much content goes and no more: what is done in the middle is in the middle. */
  const HELD_BYTES = 8_000_000
  let held: Promise<void> | undefined
  let release = (): void => {}
  let passed = 0
  const pacing: Pacing = {
    async take(_device, direction, bytes, { signal } = {}) {
      if (direction === 'down' || held === undefined) return
      passed += bytes
      if (passed > HELD_BYTES) await raceSignal(held, signal)
    },
    sliceBytes: (_device, direction) => (direction === 'down' || held === undefined ? undefined : 1_000_000)
  }
  before(async () => {
    pair = await devicePair({ timings: { minRetryMs: 1, maxRetryMs: 20 }, pacing })
  })
  after(() => pair.stop())
  beforeEach(async () => {
    temp = tempDir()
    mkdirSync(below(temp.path, 'in'))
    mkdirSync(below(temp.path, 't'))
    writeFileSync(below(temp.path, 't/large'), content(30_000_000, 2))
    writeFileSync(below(temp.path, 't/run.sh'), '#!/bin/sh\n')
    chmodSync(below(temp.path, 't/run.sh'), 0o777)
    prepared = await prepare(pair, [below(temp.path, 't')], below(temp.path, 'in'))
  })
  afterEach(() => {
    release()
    temp.clean()
  })
  const inside = (): string[] => readdirSync(below(temp.path, 'in'))
  /** Resolves when some of it is on its way; the rest waits for `release`. */
  const whileMoving = (device: 'sender' | 'receiver'): Promise<unknown> => {
    passed = 0
    held = new Promise(resolve => {
      release = () => {
        held = undefined
        resolve()
      }
    })
    const moves = (e: ProgressFields & { transfer: string }): boolean =>
      e.phase === 'transferring' && e.transfer === prepared.id
    return nextEvent(pair[device].peer, 'transfer:progress', moves)
  }

  it('the receiver cancels: the sender is told, nothing stays', async () => {
    const moving = whileMoving('receiver')
    const receiving = pair.receiver.transfers.receive(prepared.receive)
    const outcomes = Promise.allSettled([receiving, pair.sender.transfers.send(prepared.send)])
    await moving
    await pair.receiver.transfers.cancel(prepared.id)
    const [got, sent] = await outcomes
    assert.equal((got as PromiseRejectedResult).reason.code, 'CANCELLED')
    assert.equal((sent as PromiseRejectedResult).reason.code, 'CANCELLED')
    assert.deepEqual(inside(), [])
    assert.equal(pair.receiver.transfers.find(prepared.id)?.state, 'cancelled')
    await assert.rejects(pair.receiver.transfers.receive(prepared.receive), { code: 'CANCELLED' })
  })

  it('the sender cancels: the receiver is told, nothing stays', async () => {
    const moving = whileMoving('receiver')
    const receiving = pair.receiver.transfers.receive(prepared.receive)
    const outcomes = Promise.allSettled([receiving, pair.sender.transfers.send(prepared.send)])
    await moving
    await pair.sender.transfers.cancel(prepared.id)
    const [got, sent] = await outcomes
    assert.equal((got as PromiseRejectedResult).reason.code, 'CANCELLED')
    assert.equal((sent as PromiseRejectedResult).reason.code, 'CANCELLED')
    assert.deepEqual(inside(), [])
  })

  it('paused by either side it goes on where it was', async () => {
    const pause = new AbortController()
    const reason = new Error('later')
    const moving = whileMoving('receiver')
    const receiving = pair.receiver.transfers.receive(prepared.receive, { signal: pause.signal })
    const outcome = assert.rejects(receiving, reason)
    const sending = pair.sender.transfers.send(prepared.send)
    await moving
    pause.abort(reason)
    await outcome
    assert.equal(pair.receiver.transfers.find(prepared.id)?.state, 'active')
    release()
    const [got, sent] = await Promise.all([pair.receiver.transfers.receive(prepared.receive), sending])
    assert.equal(got.files, 2)
    assert.equal(sent.bytes, 30_000_010)
    assert.deepEqual(look(below(temp.path, 'in/t')), look(below(temp.path, 't')))
    // And again: the same answer, without another byte.
    assert.deepEqual((await pair.receiver.transfers.receive(prepared.receive)).placed, got.placed)
    assert.equal((await pair.sender.transfers.send(prepared.send)).bytesOnWire, 0)
  })

  it('a device that was revoked leaves nothing', async () => {
    const moving = whileMoving('receiver')
    const outcomes = Promise.allSettled([
      pair.receiver.transfers.receive(prepared.receive),
      pair.sender.transfers.send(prepared.send)
    ])
    await moving
    await pair.receiver.transfers.forget(pair.sender.peer.id)
    const [got] = await outcomes
    assert.equal((got as PromiseRejectedResult).reason.code, 'CANCELLED')
    assert.deepEqual(inside(), [])
  })

  it('a folder that is replaced by a link meanwhile gets nothing, nor does what the link points to', async () => {
    const moving = whileMoving('receiver')
    const outcomes = Promise.allSettled([
      pair.receiver.transfers.receive(prepared.receive),
      pair.sender.transfers.send(prepared.send)
    ])
    await moving
    mkdirSync(below(temp.path, 'elsewhere'))
    renameSync(below(temp.path, 'in'), below(temp.path, 'away'))
    symlinkSync(below(temp.path, 'elsewhere'), below(temp.path, 'in'))
    release()
    const [got, sent] = await outcomes
    assert.equal((got as PromiseRejectedResult).reason.code, 'ROOT_MOVED')
    assert.equal((sent as PromiseRejectedResult).reason.code, 'ROOT_MOVED')
    assert.deepEqual(readdirSync(below(temp.path, 'elsewhere')), [])
    // Put back, it goes on.
    unlinkSync(below(temp.path, 'in'))
    renameSync(below(temp.path, 'away'), below(temp.path, 'in'))
    await Promise.all([pair.receiver.transfers.receive(prepared.receive), pair.sender.transfers.send(prepared.send)])
    assert.deepEqual(inside(), ['t'])
  })

  it('what changed since it was offered is a problem of that path at both ends, the rest arrives', async () => {
    writeFileSync(below(temp.path, 't/run.sh'), 'something else')
    const [got, sent] = await Promise.all([
      pair.receiver.transfers.receive(prepared.receive),
      pair.sender.transfers.send(prepared.send)
    ])
    for (const { problems } of [got, sent])
      assert.deepEqual(
        problems.map(p => [p.path, p.code]),
        [['t/run.sh', 'CHANGED']]
      )
    assert.deepEqual(readdirSync(below(temp.path, 'in/t')), ['large'])
  })

  for (const [what, swapped, names] of [
    ['a folder in it', 't/album', ['album', 'large', 'run.sh']],
    ['all of it', 't', ['album']]
  ] as const) {
    it(`${what} whose place a link has taken is not followed: nothing of where that leads is sent`, async () => {
      for (const album of ['t/album', 'theirs/album', 'theirs']) {
        mkdirSync(below(temp.path, album), { recursive: true })
        writeFileSync(below(temp.path, `${album}/photo`), album.startsWith('t/') ? 'mine' : 'no!!')
        utimesSync(below(temp.path, `${album}/photo`), 1, 1) // no look at the file alone tells them apart
      }
      prepared = await prepare(pair, [below(temp.path, 't')], below(temp.path, 'in'))
      renameSync(below(temp.path, swapped), below(temp.path, 'was'))
      symlinkSync(below(temp.path, 'theirs'), below(temp.path, swapped))
      const [got, sent] = await Promise.all([
        pair.receiver.transfers.receive(prepared.receive),
        pair.sender.transfers.send(prepared.send)
      ])
      for (const { problems } of [got, sent])
        assert.ok(problems.some(p => p.path === 't/album/photo' && p.code === 'CHANGED'))
      assert.deepEqual(readdirSync(below(temp.path, 'in/t')).sort(), names)
      assert.deepEqual(readdirSync(below(temp.path, 'in/t/album')), [])
    })
  }

  it('what changes while it is read is a problem of that path, the rest arrives', async () => {
    const moving = whileMoving('sender')
    const outcomes = Promise.all([
      pair.receiver.transfers.receive(prepared.receive),
      pair.sender.transfers.send(prepared.send)
    ])
    await moving
    appendFileSync(below(temp.path, 't/large'), 'one more line')
    release()
    const [got, sent] = await outcomes
    for (const { problems } of [got, sent])
      assert.deepEqual(
        problems.map(p => [p.path, p.code]),
        [['t/large', 'CHANGED']]
      )
    assert.deepEqual(readdirSync(below(temp.path, 'in/t')), ['run.sh'])
  })

  it('without leave an executable comes as a plain file, and a taken name gets a number', async () => {
    mkdirSync(below(temp.path, 'in/t'))
    const [got] = await Promise.all([
      pair.receiver.transfers.receive({ ...prepared.receive, keepExecutable: false }),
      pair.sender.transfers.send(prepared.send)
    ])
    assert.deepEqual(got.placed, [{ name: 't', path: below(temp.path, 'in/t (1)') }])
    assert.equal(look(below(temp.path, 'in/t (1)')).get('run.sh')?.mode, 0o644)
  })

  it('killed between the names and the books, it is at its end with the next start: nothing is sent again', async () => {
    writeFileSync(below(temp.path, 't/run.sh'), 'something else') // a problem, to be told by who comes after
    const { instance: database } = pair.receiver.peer
    const write = database.write
    const pause = new AbortController()
    const reason = new Error('killed')
    database.write = (task, ...rest) => {
      if ((task as unknown) !== transferWrites.end) return write(task, ...rest)
      pause.abort(reason)
      return Promise.reject(reason)
    }
    const sending = pair.sender.transfers.send(prepared.send)
    await assert.rejects(pair.receiver.transfers.receive(prepared.receive, { signal: pause.signal }), reason)
    database.write = write
    assert.equal(pair.receiver.transfers.find(prepared.id)?.state, 'active')
    const there = look(below(temp.path, 'in/t'))
    const [got, sent] = await Promise.all([pair.receiver.transfers.receive(prepared.receive), sending])
    for (const { files, bytes, problems } of [got, sent])
      assert.deepEqual([files, bytes, problems.map(p => p.path)], [1, 30_000_000, ['t/run.sh']])
    assert.deepEqual(got.placed, [{ name: 't', path: below(temp.path, 'in/t') }])
    assert.ok(sent.bytesOnWire < 40_000_000, `${sent.bytesOnWire} bytes were sent`)
    assert.deepEqual(look(below(temp.path, 'in/t')), there)
    assert.deepEqual(inside(), ['t'])
  })

  it('says how far it is, and never back', async () => {
    const seen: ProgressFields[] = []
    const onProgress = (p: ProgressFields): void => void seen.push(p)
    await Promise.all([
      pair.receiver.transfers.receive(prepared.receive, { onProgress }),
      pair.sender.transfers.send(prepared.send)
    ])
    assert.ok(seen.length > 0)
    assert.equal(seen[0]!.totalBytes, 30_000_010)
    for (const [i, p] of seen.entries()) assert.ok(i === 0 || p.doneBytes >= seen[i - 1]!.doneBytes)
  })

  it('runs four with one device and sixteen in all, the others in the order of asking', async () => {
    const slots = new Slots()
    const [a, b] = ['a', 'b'] as unknown as DeviceId[]
    const held = [1, 2, 3, 4].map(() => slots.take(a!))
    assert.throws(() => slots.take(a!), { code: 'TOO_MANY' })
    slots.take(b!)()
    const order: string[] = []
    const asked = (name: string) =>
      slots.acquire(a!).then(give => {
        order.push(name)
        return give
      })
    const first = asked('first')
    const second = asked('second')
    held[0]!()
    ;(await first)()
    await second
    assert.deepEqual(order, ['first', 'second'])
    for (let i = 0; i < 12; i++) slots.take(`d${i}` as DeviceId)
    assert.throws(() => slots.take('last' as DeviceId), { code: 'TOO_MANY' })
    const gone = new AbortController()
    const waiting = slots.acquire('last' as DeviceId, { signal: gone.signal })
    const reason = new Error('gone')
    gone.abort(reason)
    await assert.rejects(waiting, reason)
  })
})
