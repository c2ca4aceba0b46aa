import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MIN_RATE_BYTES_PER_SECOND, type Pacing, type RateLimits, rateLimits } from '../../../protocols/pace/index.js'
import { IDLE_TURN_MS, replicas, servingPort } from '../../../protocols/replica/index.js'
import { TRANSFER_PROTOCOL } from '../../../protocols/transfer/index.js'
import { type AbsPath, type DeviceId, systemRandom } from '../../../storage/base/index.js'
import { transferLarge } from '../../../sync/delta/index.js'
import { type ManualClock, manualClock } from '../../manual-clock.js'
import { type TestPeer, testPeer } from '../../peers.js'
import { rel } from '../../sync/endpoints/gather.js'
import { tempDir } from '../../temp.js'
import { openForSync, type ReplicaPair, replicaPair } from '../replica/fixture.js'
import { below, devicePair, prepare } from '../transfer/devices.js'

/** Streams that share the limit with the one that is looked at. */
const OTHERS = 31
const content = randomBytes(400_000)

/**
 * Real sockets, and a real limit by a clock that goes on while content waits for it: what takes hours takes seconds, and every deadline is as long
 * as it is.
 */
describe('the least limit that can be set, shared by 32 streams', function () {
  this.timeout(240_000)
  let peer: TestPeer
  let clock: ManualClock
  let limits: RateLimits
  let waiting = 0
  before(async () => {
    peer = await testPeer({ name: 'least' })
    clock = manualClock()
    limits = rateLimits(peer.instance, clock)
  })
  after(async () => {
    await peer.stop()
    peer.clean()
  })

  /** Time passes while somebody waits for his slice. */
  const pacing: Pacing = {
    async take(device, direction, bytes, options) {
      const taken = limits.pacing.take(device, direction, bytes, options).finally(() => {
        waiting--
      })
      taken.catch(() => {}) // told below
      if (waiting++ === 0) while (waiting > 0) await clock.advance(1_000)
      await taken
    },
    sliceBytes: (device, direction) => limits.pacing.sliceBytes(device, direction)
  }

  async function shared<T>(way: 'up' | 'down', work: () => Promise<T>): Promise<T> {
    const rate = { up: undefined, down: undefined, [way]: MIN_RATE_BYTES_PER_SECOND }
    await limits.set({ device: undefined, schedule: undefined, ...rate })
    const over = new AbortController()
    setMaxListeners(0, over.signal) // one for each of the others
    const others = Array.from({ length: OTHERS }, async (_, i) => {
      const device = `other ${i}` as DeviceId
      for (;;) await limits.pacing.take(device, way, limits.pacing.sliceBytes(device, way)!, { signal: over.signal })
    })
    try {
      return await work()
    } finally {
      over.abort()
      await Promise.allSettled(others)
      await limits.set({ device: undefined, up: undefined, down: undefined, schedule: undefined })
    }
  }
  /** What 256 bytes a second take. */
  const leastMs = (content.length / MIN_RATE_BYTES_PER_SECOND) * (OTHERS + 1) * 900

  for (const way of ['up', 'down'] as const) {
    it(`ends no drop, ${way}: it arrives with the stream it began with`, async () => {
      const devices = await devicePair({ pacing, clock })
      const temp = tempDir()
      let opened = 0
      const { network } = devices.sender.peer
      const open = network.open.bind(network)
      network.open = (device, protocol, options) => {
        if (protocol === TRANSFER_PROTOCOL) opened++
        return open(device, protocol, options)
      }
      try {
        writeFileSync(below(temp.path, 'file'), content)
        mkdirSync(below(temp.path, 'in'))
        const { send, receive } = await prepare(devices, [below(temp.path, 'file')], below(temp.path, 'in'))
        const { receiver, sender } = devices
        const fromMs = clock.monotonicMs()
        await shared(way, () => Promise.all([receiver.transfers.receive(receive), sender.transfers.send(send)]))
        assert.ok(clock.monotonicMs() - fromMs >= leastMs, `${clock.monotonicMs() - fromMs} ms`)
        assert.equal(opened, 1)
        assert.ok(readFileSync(below(temp.path, 'in/file')).equals(content))
      } finally {
        await devices.stop()
        temp.clean()
      }
    })
  }

  describe('while a folder is kept for it', () => {
    let pair: ReplicaPair
    const temp = tempDir()
    before(async () => {
      pair = await replicaPair()
    })
    after(async () => {
      await pair.stop()
      temp.clean()
    })

    for (const at of ['driver', 'server'] as const) {
      for (const way of ['up', 'down'] as const) {
        it(`${way} at the ${at} costs no turn`, async () => {
          const root = join(realpathSync(temp.path), randomUUID()) as AbsPath
          const here = join(realpathSync(temp.path), randomUUID()) as AbsPath
          for (const dir of [root, here]) mkdirSync(dir)
          const { driver, server } = pair
          const how = { clock, random: systemRandom, ours: () => [], open: (path: AbsPath) => pair.parts.open(path) }
          const paced = (one: typeof at) => (one === at ? { pacing } : {})
          const serving = replicas({
            ...{
              ...how,
              network: server.peer.network,
              grants: server.grants,
              log: server.peer.log,
              nameOf: () => 'ada'
            },
            ...paced('server'),
            syncs: (from, id) =>
              servingPort({ served: server.served, watcher: pair.watcher, isNetwork: async () => false }, from, id)
          })
          const driving = replicas({
            ...{
              ...how,
              network: driver.peer.network,
              grants: driver.grants,
              log: driver.peer.log,
              nameOf: () => 'bob'
            },
            ...paced('driver')
          })
          await server.replicas.stop()
          await serving.start()
          try {
            const mine = { ...pair, driver: { ...driver, replicas: driving } }
            const sync = { uuid: randomUUID(), mode: 'bidirectional', side: 'destination' } as const
            const endpoint = await openForSync(mine, root, sync)
            const end = await endpoint.sync!.open()
            const run = randomUUID()
            await end.announce({ run, removed: 0, repacked: 0, replaced: 0, directoriesRemoved: 0 })
            const stage = await end.stage()
            const local = await pair.parts.open(here)
            const mineToo = await local.openStage(randomUUID())
            const toThem = (at === 'driver') === (way === 'up')
            writeFileSync(join(toThem ? here : root, 'film'), content)
            const path = rel('film')
            const sizeBytes = content.length
            const fromMs = clock.monotonicMs()
            await shared(way, () =>
              toThem
                ? transferLarge({ ...{ from: local, to: stage, path, sizeBytes }, stagedAs: rel('new/film') })
                : transferLarge({ ...{ from: endpoint, to: mineToo, path, sizeBytes }, stagedAs: path })
            )
            const passedMs = clock.monotonicMs() - fromMs
            assert.ok(passedMs >= leastMs && passedMs > 3 * IDLE_TURN_MS, `${passedMs} ms`)
            const step = toThem
              ? ({ kind: 'create', path: rel('there'), from: { staging: stage.id, path: rel('new/film') } } as const)
              : ({ kind: 'make-directory', path: rel('there') } as const)
            const [placed] = await end.place({ run, steps: [step], why: ['test'], was: [null] })
            assert.equal(placed?.done, true)
            if (toThem) assert.ok(readFileSync(join(root, 'there')).equals(content))
            await mineToo.discard()
            await end.close({ done: true })
            await endpoint.close()
            await local.close()
          } finally {
            await driving.stop()
            await serving.stop()
            await server.replicas.start()
          }
        })
      }
    }
  })
})
