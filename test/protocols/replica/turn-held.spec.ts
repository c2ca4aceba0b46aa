import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  ALIVE_EVERY_MS,
  IDLE_TURN_MS,
  MAX_WANTED_TURN_MS,
  type Replicas,
  replicas,
  servingPort,
  TURN_PROGRESS_BYTES
} from '../../../protocols/replica/index.js'
import { type AbsPath, systemRandom } from '../../../storage/base/index.js'
import type { Endpoint, SyncedEnd } from '../../../sync/endpoints/index.js'
import { type ManualClock, manualClock } from '../../manual-clock.js'
import { rel } from '../../sync/endpoints/gather.js'
import { tempDir } from '../../temp.js'
import { openForSync, type ReplicaPair, replicaPair } from './fixture.js'

describe('a driver that keeps a folder to itself', () => {
  let pair: ReplicaPair
  let root: AbsPath
  let endpoint: Endpoint
  const opened: Endpoint[] = []
  const temp = tempDir()
  before(async () => {
    pair = await replicaPair()
  })
  after(async () => {
    await pair.stop()
    temp.clean()
  })

  async function openOther(): Promise<Endpoint> {
    const other = await openForSync(pair, root, { uuid: randomUUID(), mode: 'mirror', side: 'destination' })
    opened.push(other)
    return other
  }
  async function open(): Promise<SyncedEnd> {
    endpoint = await openOther()
    return endpoint.sync!.open()
  }
  const announced = (end: SyncedEnd, run: string): Promise<void> =>
    end.announce({ run, removed: 0, repacked: 0, replaced: 0, directoriesRemoved: 0 })

  let clock: ManualClock
  let patient: Replicas
  /** The other sync has its turn. */
  let theirs = false
  beforeEach(async () => {
    root = join(realpathSync(temp.path), randomUUID()) as AbsPath
    mkdirSync(root)
    clock = manualClock()
    const { peer, grants, served } = pair.server
    await pair.server.replicas.stop()
    patient = replicas({
      ...{ network: peer.network, grants, clock, random: systemRandom, log: peer.log, ours: () => [] },
      ...{ nameOf: () => 'ada', open: path => pair.parts.open(path) },
      syncs: (from, id) => servingPort({ served, watcher: pair.watcher, isNetwork: async () => false }, from, id)
    })
    await patient.start()
  })
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close()
    await patient.stop()
    await pair.server.replicas.start()
  })

  /** Another sync of that folder waits for its turn while `meanwhile` goes on, and gets it. */
  async function losesTo(meanwhile: () => Promise<unknown>): Promise<void> {
    theirs = false
    const first = endpoint
    const other = await openOther()
    // Opening for writing takes a turn, too.
    const waiting = other.sync!.open().finally(() => {
      theirs = true
    })
    await meanwhile()
    await announced(await waiting, randomUUID())
    await assert.rejects(first.space(), { code: 'UNREACHABLE' })
  }

  it('and does nothing loses its turn; others get theirs', async () => {
    await announced(await open(), randomUUID())
    await losesTo(() => clock.advance(IDLE_TURN_MS + 2 * ALIVE_EVERY_MS))
  })

  it('and asks a little now and then loses it likewise', async () => {
    await announced(await open(), randomUUID())
    const idle = endpoint
    await losesTo(async () => {
      for (let asked = 0; asked < 6; asked++) {
        await clock.advance(IDLE_TURN_MS / 5)
        await idle.space().catch(() => {})
      }
    })
  })

  it('and leaves an answer unread loses it likewise', async () => {
    writeFileSync(join(root, 'large'), Buffer.alloc(8 * 1024 * 1024))
    await announced(await open(), randomUUID())
    const reader = endpoint
    const pieces = reader.read(rel('large'))[Symbol.asyncIterator]()
    await pieces.next()
    await losesTo(async () => {
      // Until as much is on its way as may be, it is read here.
      while (!theirs) {
        await reader.space().catch(() => {})
        await clock.advance(IDLE_TURN_MS / 10)
      }
    })
    await assert.rejects(async () => {
      for (;;) if ((await pieces.next()).done) return
    })
  })

  it('and brings just enough to keep it loses it a day after somebody else came for it', async () => {
    const end = await open()
    await announced(end, randomUUID())
    const stage = await end.stage()
    const writer = await stage.openFile(rel('new/junk'), { sizeBytes: 2 ** 40 })
    // Bytes that nothing makes fewer of, on a link that is measured as slow either.
    const some = randomBytes(TURN_PROGRESS_BYTES)
    const brings = async (forMs: number): Promise<void> => {
      const everyMs = IDLE_TURN_MS - 2 * ALIVE_EVERY_MS
      for (let passed = 0; passed < forMs; passed += everyMs) {
        await writer.append(some)
        await clock.advance(everyMs)
      }
    }
    await brings(3 * 3600_000)
    // It waits a while, is told that the folder is taken, and will ask again.
    const other = await openOther()
    const waited = new AbortController()
    const waiting = other.sync!.open({ signal: waited.signal })
    await endpoint.space()
    waited.abort()
    await assert.rejects(waiting)
    await brings(MAX_WANTED_TURN_MS - 2 * IDLE_TURN_MS)
    await endpoint.space()
    await assert.rejects(brings(4 * IDLE_TURN_MS), { code: 'UNREACHABLE' })
    await announced(await other.sync!.open(), randomUUID())
  })

  it('and gets on, however slowly, keeps it', async () => {
    const end = await open()
    const run = randomUUID()
    await announced(end, run)
    await end.stage()
    for (let i = 0; i < 8; i++) {
      await clock.advance(IDLE_TURN_MS - 2 * ALIVE_EVERY_MS)
      const [made] = await end.place({
        ...{ run, steps: [{ kind: 'make-directory', path: rel(`d${i}`) }], why: ['test'], was: [null] }
      })
      assert.equal(made?.done, true)
    }
    await end.close({ done: true })
  })
})
