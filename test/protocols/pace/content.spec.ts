import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type Pacing, type RateLimits, rateLimits } from '../../../protocols/pace/index.js'
import type { DeviceId } from '../../../storage/base/index.js'
import { transferLarge } from '../../../sync/delta/index.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import { type ManualClock, manualClock } from '../../manual-clock.js'
import { type TestPeer, testPeer } from '../../peers.js'
import { rel } from '../../sync/endpoints/gather.js'
import { tempDir } from '../../temp.js'
import { type ReplicaPair, remoteFolder, replicaPair } from '../replica/fixture.js'
import { below, devicePair, prepare } from '../transfer/devices.js'

const MIB = 2 ** 20
const content = randomBytes(6 * MIB)
/** What goes before anything must be paid: the burst, and the frame that begins within it. */
const FREE_BYTES = MIB / 4 + 2 * MIB

/** Moves the clock on until it is done. @returns how long that was, by that clock */
async function timed(clock: ManualClock, work: Promise<unknown>): Promise<number> {
  const from = clock.monotonicMs()
  let over = false
  const ended = work.finally(() => {
    over = true
  })
  ended.catch(() => {})
  while (!over) await clock.advance(20)
  await ended
  return clock.monotonicMs() - from
}

describe('limits of rates, with content on its way', () => {
  let peer: TestPeer
  let clock: ManualClock
  let limits: RateLimits
  let pacing: Pacing
  /** Bytes that asked whether they may go. */
  const asked = { up: 0, down: 0 }
  let pair: ReplicaPair
  before(async () => {
    peer = await testPeer({ name: 'limits' })
    clock = manualClock()
    limits = rateLimits(peer.instance, clock)
    pacing = {
      take(device, direction, bytes, options) {
        asked[direction] += bytes
        return limits.pacing.take(device, direction, bytes, options)
      },
      sliceBytes: (device, direction) => limits.pacing.sliceBytes(device, direction)
    }
    pair = await replicaPair({ pacing })
  })
  after(async () => {
    await pair.stop()
    await peer.stop()
    peer.clean()
  })
  const limit = (rates: { up?: number; down?: number }): Promise<void> =>
    limits.set({ device: undefined, up: rates.up, down: rates.down, schedule: undefined })
  const leastMs = ((content.length - FREE_BYTES) / MIB) * 1000

  /** From a folder here to one of the other device, or the other way. */
  async function large(direction: 'push' | 'pull', during: (work: Promise<unknown>) => Promise<void>): Promise<void> {
    const [here, there] = [await remoteFolder(pair), await remoteFolder(pair)]
    const [local, remote] = [await pair.parts.open(here.root), await there.open()]
    const [from, to]: Endpoint[] = direction === 'push' ? [local, remote] : [remote, local]
    const path = rel('file')
    writeFileSync(`${direction === 'push' ? here.root : there.root}/file`, content)
    const stage = await to!.openStage(randomUUID())
    // Placing waits for the limit as well: its answer has bytes beside it, and what went before may not be paid yet.
    const all = async (): Promise<void> => {
      await transferLarge({ from: from!, path, sizeBytes: content.length, to: stage, stagedAs: path })
      await to!.place([{ kind: 'create', path, from: { staging: stage.id, path } }])
    }
    const work = all()
    work.catch(() => {})
    await during(work)
    assert.ok(readFileSync(`${direction === 'push' ? there.root : here.root}/file`).equals(content))
    await stage.discard()
    await local.close()
    for (const folder of [here, there]) await folder.close()
  }

  for (const direction of ['push', 'pull'] as const) {
    for (const way of ['up', 'down'] as const) {
      it(`${direction === 'push' ? 'to' : 'from'} a remote end, ${way} at the end that keeps to it`, async () => {
        await limit({ [way]: MIB })
        asked[way] = 0
        await large(direction, async work => assert.ok((await timed(clock, work)) >= leastMs))
        assert.ok(asked[way] >= content.length, `${asked[way]} bytes asked`)
        await limit({})
      })
    }
    it(`${direction === 'push' ? 'to' : 'from'} a remote end: a limit that is taken away lets at once go what waits`, async () => {
      await limit({ up: 64 * 1024 })
      await large(direction, async work => {
        // Time stands still: it could never end.
        await limit({})
        await work
      })
    })
  }

  for (const way of ['up', 'down'] as const) {
    it(`a drop, ${way}: it takes its time, and arrives whole`, async () => {
      const devices = await devicePair({ pacing })
      const temp = tempDir()
      writeFileSync(below(temp.path, 'file'), content)
      mkdirSync(below(temp.path, 'in'))
      const { send, receive } = await prepare(devices, [below(temp.path, 'file')], below(temp.path, 'in'))
      await limit({ [way]: MIB })
      asked[way] = 0
      const { receiver, sender } = devices
      const work = Promise.all([receiver.transfers.receive(receive), sender.transfers.send(send)])
      assert.ok((await timed(clock, work)) >= leastMs)
      assert.ok(asked[way] >= content.length, `${asked[way]} bytes asked`)
      assert.ok(readFileSync(below(temp.path, 'in/file')).equals(content))
      await limit({})
      await devices.stop()
      temp.clean()
    })
  }

  it('content of one device leaves the other one alone', async () => {
    const [slow, fast] = ['slow', 'fast'] as DeviceId[]
    await limits.set({ device: slow, up: 64 * 1024, down: undefined, schedule: undefined })
    await limits.pacing.take(slow!, 'up', 10 * MIB)
    let waits = true
    void limits.pacing.take(slow!, 'up', 1).then(() => {
      waits = false
    })
    for (let i = 0; i < 100; i++) await limits.pacing.take(fast!, 'up', MIB)
    assert.ok(waits)
    await limits.set({ device: slow, up: undefined, down: undefined, schedule: undefined })
  })
})
