import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  ALIVE_EVERY_MS,
  GOT_ON_EVERY_MS,
  IDLE_TURN_MS,
  type Replicas,
  replicas,
  STALLED_TURN_MS,
  servingPort
} from '../../../protocols/replica/index.js'
import { type AbsPath, systemRandom } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import { transferLarge } from '../../../sync/delta/index.js'
import type { Endpoint, StagedFileWriter, SyncedEnd } from '../../../sync/endpoints/index.js'
import { type ManualClock, manualClock } from '../../manual-clock.js'
import { rel } from '../../sync/endpoints/gather.js'
import { openSync } from '../../sync/session/fixture.js'
import { tempDir } from '../../temp.js'
import { openForSync, type ReplicaPair, replicaPair } from './fixture.js'

const MIB = 1024 * 1024
const FILE = rel('film')
const STAGED = rel('new/film')

describe('a driver that says that it gets on', () => {
  let pair: ReplicaPair
  let root: AbsPath
  const temp = tempDir()
  before(async () => {
    pair = await replicaPair()
  })
  after(async () => {
    await pair.stop()
    temp.clean()
  })

  let [here, there]: ManualClock[] = []
  let patient: Replicas
  let endpoint: Endpoint
  let end: SyncedEnd
  const run = randomUUID()
  const opened: Endpoint[] = []

  async function openWith(driving: Replicas): Promise<Endpoint> {
    const driver = { ...pair, driver: { ...pair.driver, replicas: driving } }
    const one = await openForSync(driver, root, { uuid: randomUUID(), mode: 'mirror', side: 'destination' })
    opened.push(one)
    return one
  }
  beforeEach(async () => {
    root = join(realpathSync(temp.path), randomUUID()) as AbsPath
    mkdirSync(root)
    here = manualClock()
    there = manualClock()
    const { peer, grants, served } = pair.server
    await pair.server.replicas.stop()
    patient = replicas({
      ...{ network: peer.network, grants, clock: there, random: systemRandom, log: peer.log, ours: () => [] },
      ...{ nameOf: () => 'ada', open: path => pair.parts.open(path) },
      syncs: (from, id) => servingPort({ served, watcher: pair.watcher, isNetwork: async () => false }, from, id)
    })
    await patient.start()
    const { driver } = pair
    const init = { network: driver.peer.network, grants: driver.grants, clock: here, random: systemRandom }
    const how = { ours: () => [], nameOf: () => 'bob', open: (path: AbsPath) => pair.parts.open(path) }
    endpoint = await openWith(replicas({ ...init, ...how, log: driver.peer.log }))
    end = await endpoint.sync!.open()
    await end.announce({ run, removed: 0, repacked: 0, replaced: 0, directoriesRemoved: 0 })
  })
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close()
    await patient.stop()
    await pair.server.replicas.start()
  })

  /** Time goes by at both devices, with all answered that was asked. @param says - what this one does then, besides */
  async function passes(ms: number, says: () => void): Promise<void> {
    await here!.advance(ms)
    says()
    await endpoint.space() // what was asked before is answered by then
    await there!.advance(ms)
  }
  const placeIn = (path: string): Promise<unknown> =>
    end.place({ run, steps: [{ kind: 'make-directory', path: rel(path) }], why: ['test'], was: [null] })

  it('keeps its turn while it reads, and says no more than it has to', async () => {
    pair.wire.sends = 0
    for (let passed = 0; passed <= 2 * IDLE_TURN_MS; passed += GOT_ON_EVERY_MS)
      await passes(GOT_ON_EVERY_MS, () => {
        for (let i = 0; i < 1_000; i++) end.gotOn?.()
      })
    assert.ok(pair.wire.sends < 100, `${pair.wire.sends} messages`)
    await placeIn('kept')
  })

  it('and nothing else for hours, loses it', async () => {
    let passed = 0
    const everyMs = 4 * GOT_ON_EVERY_MS
    await assert.rejects(
      async () => {
        for (; passed < 2 * STALLED_TURN_MS; passed += everyMs) await passes(everyMs, () => end.gotOn?.())
      },
      { code: 'UNREACHABLE' }
    )
    assert.ok(passed >= STALLED_TURN_MS - everyMs, `lost after ${passed} ms`)
    await (await openWith(pair.driver.replicas)).sync!.open()
  })

  it('too often, is no more listened to', async () => {
    const often = async (): Promise<void> => {
      await here!.advance(GOT_ON_EVERY_MS)
      end.gotOn?.()
      await endpoint.space()
    }
    await often()
    await there!.advance(GOT_ON_EVERY_MS / 2)
    await often()
    await there!.advance(ALIVE_EVERY_MS)
    await assert.rejects(
      async () => {
        await often()
        await endpoint.space()
      },
      { code: 'UNREACHABLE' }
    )
    await (await openWith(pair.driver.replicas)).sync!.open()
  })

  it('gets a file over whose staged beginning takes it long to read', async () => {
    const content = Buffer.alloc(10 * MIB, 'film')
    const folder = join(realpathSync(temp.path), randomUUID()) as AbsPath
    mkdirSync(folder)
    writeFileSync(join(folder, FILE), content)
    const stage = await end.stage()
    const first = await stage.openFile(STAGED, { sizeBytes: content.length })
    await first.append(content.subarray(0, 9 * MIB))
    await first.close()
    const local = await pair.parts.open(folder)
    opened.push(local)
    let prefix: Promise<unknown> = Promise.resolve()
    let read = 0
    await transferLarge({
      from: {
        read: local.read.bind(local),
        blocks: local.blocks.bind(local),
        async hashStart(path, lengthBytes, how = {}) {
          const pieces: number[] = []
          const start = await local.hashStart(path, lengthBytes, { ...how, onBytes: bytes => void pieces.push(bytes) })
          await prefix // nothing is due here while its clock goes on
          for (const bytes of pieces) {
            read += bytes
            await passes(GOT_ON_EVERY_MS, () => how.onBytes?.(bytes))
          }
          return start
        }
      },
      to: {
        async openFile(path, init): Promise<StagedFileWriter> {
          const writer = await stage.openFile(path, init)
          const asked = writer.prefixHash()
          prefix = asked
          writer.prefixHash = () => asked
          return writer
        }
      },
      ...{ path: FILE, stagedAs: STAGED, sizeBytes: content.length, hash: hashBytes(content) },
      onRead: () => end.gotOn?.()
    })
    assert.equal(read, 9 * MIB)
    const step = { kind: 'create', path: FILE, from: { staging: stage.id, path: STAGED } } as const
    await end.place({ run, steps: [step], why: ['test'], was: [null] })
    assert.ok(readFileSync(join(root, FILE)).equals(content))
  })

  it('says so in a session, whichever end gets the content', async () => {
    let said = 0
    const fixture = await openSync({
      mode: 'bidirectional',
      openEnd: async (side, { path, ...sync }) =>
        side === 'destination' ? openForSync(pair, path, { ...sync, side }) : undefined,
      hook({ sync }) {
        const open = sync?.open.bind(sync)
        if (sync === undefined || open === undefined) return
        sync.open = async options => {
          const far = await open(options)
          far.gotOn = () => {
            said++
          }
          return far
        }
      }
    })
    try {
      for (const dir of [fixture.source, fixture.destination]) {
        said = 0
        writeFileSync(join(dir, `from ${dir === fixture.source}`), Buffer.alloc(2 * MIB, dir))
        const { state } = await fixture.run()
        assert.deepEqual([state, said > 0], ['done', true])
      }
    } finally {
      await fixture.close()
    }
  })
})
