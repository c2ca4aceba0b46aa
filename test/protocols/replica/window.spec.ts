import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { type Pacing, type RateLimits, rateLimits } from '../../../protocols/pace/index.js'
import { REPLICA_PROTOCOL } from '../../../protocols/replica/index.js'
import { CALL, RESULT, sealedPipe } from '../../../protocols/replica/sealed-pipe.js'
import { CREDIT_BYTES } from '../../../protocols/transfer/index.js'
import { raceSignal, systemRandom } from '../../../storage/base/index.js'
import { transferLarge, transferSmall } from '../../../sync/delta/index.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import { type ManualClock, manualClock } from '../../manual-clock.js'
import { type TestPeer, testPeer } from '../../peers.js'
import { rel } from '../../sync/endpoints/gather.js'
import { type ReplicaPair, remoteFolder, replicaPair } from './fixture.js'

const KIB = 1024
const MIB = 2 ** 20
/** Heads and questions, of all frames together, and what goes beside content. */
const HEADS_BYTES = 32 * KIB
const film = randomBytes(3 * MIB)

/** Real sockets. The limit is that of the end that gets the content, by a clock that stands still until it is moved. */
describe('a limit where the content of a folder arrives', () => {
  let limiting: TestPeer
  let clock: ManualClock
  let limits: RateLimits
  let pair: ReplicaPair
  /** Of content, where it arrives. */
  let paid = 0
  /** By the other end; and the most of it that was not paid. */
  let sent = 0
  let most = 0
  let from: 'driver' | 'server' = 'driver'
  let onSent = (): void => {}
  /** What comes after so much was paid waits for `over`. */
  let hold: { readonly fromBytes: number; readonly over: Promise<void> } | undefined
  before(async () => {
    limiting = await testPeer({ name: 'limits' })
    clock = manualClock()
    limits = rateLimits(limiting.instance, clock)
    const pacing: Pacing = {
      async take(device, direction, bytes, options) {
        await limits.pacing.take(device, direction, bytes, options)
        if (direction === 'up' || device !== pair[from].peer.id) return
        if (hold !== undefined && paid >= hold.fromBytes) await raceSignal(hold.over, options?.signal)
        paid += bytes
      },
      sliceBytes: (device, direction) => limits.pacing.sliceBytes(device, direction)
    }
    pair = await replicaPair({
      pacing,
      onSent(one, bytes) {
        if (one !== from) return
        sent += bytes
        most = Math.max(most, sent - paid)
        onSent()
      }
    })
  })
  after(async () => {
    await pair.stop()
    await limiting.stop()
    limiting.clean()
  })
  afterEach(() => limit(undefined))

  /** Holds where content of the sending end arrives, and nowhere else: an end knows the other one by its id. */
  const limit = (down: number | undefined): Promise<void> =>
    limits.set({ device: pair[from].peer.id, up: undefined, down, schedule: undefined })
  /** Resolves when so much was sent and not paid. */
  const ahead = (bytes: number): Promise<void> =>
    new Promise(resolve => {
      onSent = () => {
        if (sent - paid >= bytes) resolve()
      }
      onSent()
    })

  interface Bringing {
    /** Brings `film`. */
    large(content: Buffer): Promise<unknown>
    /** Brings files with these contents. */
    small(contents: readonly Buffer[]): Promise<void>
  }

  /**
   * From a folder of the driver to one of the server (push), or the other way.
   * @param down - holds from before it is opened
   */
  async function between(
    direction: 'push' | 'pull',
    during: (bringing: Bringing) => Promise<void>,
    down?: number
  ): Promise<void> {
    from = direction === 'push' ? 'driver' : 'server'
    await limit(down)
    const [here, there] = [await remoteFolder(pair), await remoteFolder(pair)]
    const [source, target] = direction === 'push' ? [here.root, there.root] : [there.root, here.root]
    const [local, remote] = [await pair.parts.open(here.root), await there.open()]
    const [one, other]: Endpoint[] = direction === 'push' ? [local, remote] : [remote, local]
    const stage = await other!.openStage(randomUUID())
    paid = 0
    sent = 0
    most = 0
    onSent = () => {}
    hold = undefined
    await during({
      async large(content) {
        writeFileSync(`${source}/film`, content)
        const path = rel('film')
        await transferLarge({ from: one!, path, sizeBytes: content.length, to: stage, stagedAs: path })
        await limit(undefined) // placing has bytes beside its answer
        await other!.place([{ kind: 'create', path, from: { staging: stage.id, path } }])
        assert.ok(readFileSync(`${target}/film`).equals(content))
      },
      async small(contents) {
        for (const [i, content] of contents.entries()) writeFileSync(`${source}/${i}`, content)
        const files = contents.map((content, i) => ({ path: rel(`${i}`), sizeBytes: content.length }))
        let count = 0
        for await (const results of transferSmall({ from: one!, to: stage, files }))
          for (const { problem } of results) {
            assert.equal(problem, undefined)
            count++
          }
        assert.equal(count, contents.length)
      }
    })
    await limit(undefined)
    await stage.discard()
    await local.close()
    for (const folder of [here, there]) await folder.close()
  }

  async function passing(work: Promise<unknown>): Promise<void> {
    let over = false
    const ended = work.finally(() => {
      over = true
    })
    ended.catch(() => {}) // told below
    while (!over) await clock.advance(1_000)
    await ended
  }

  for (const direction of ['push', 'pull'] as const) {
    for (const [rate, windowBytes] of [
      [8 * KIB, 16 * KIB],
      [100 * KIB, 200 * KIB]
    ] as const) {
      it(`${direction}: of ${rate / KIB} KiB a second that is set when the folder is open, a large file is a few seconds ahead of it at most`, () =>
        between(direction, async ({ large }) => {
          await limit(rate)
          await passing(large(film))
          // Parts of an answer are four, each a quarter of the window and 16 KiB at least.
          const mostBytes = direction === 'push' ? windowBytes : Math.max(windowBytes, 64 * KIB)
          assert.ok(most <= mostBytes + HEADS_BYTES, `${most} bytes ahead`)
        }))
    }

    it(`${direction}: small files are a few seconds ahead of it at most`, () =>
      between(
        direction,
        async ({ small }) => {
          await passing(small(Array.from({ length: 150 }, () => randomBytes(10_000))))
          // Six packs are asked for at once, each a quarter of the window.
          const windowBytes = direction === 'push' ? 200 * KIB : 300 * KIB
          // Beside each file is what it is.
          assert.ok(most <= windowBytes + 2 * HEADS_BYTES, `${most} bytes ahead`)
        },
        100 * KIB
      ))

    it(`${direction}: when it is lifted in the middle the rest comes as if there had been none`, () =>
      between(direction, async ({ large }) => {
        await limit(100 * KIB)
        const work = large(randomBytes(24 * MIB))
        work.catch(() => {}) // told below
        await ahead(100 * KIB)
        assert.ok(most <= 200 * KIB + HEADS_BYTES, `${most} bytes ahead`)
        // Time stands still: it could never end. What was cut into small pieces is let through.
        let go = (): void => {}
        const over = new Promise<void>(resolve => {
          go = resolve
        })
        hold = { fromBytes: paid + 10 * MIB, over }
        await limit(undefined)
        await ahead(direction === 'push' ? CREDIT_BYTES - 2 * MIB : 3 * MIB)
        go()
        await work
        assert.ok(most <= CREDIT_BYTES + HEADS_BYTES, `${most} bytes ahead`)
      }))
  }

  for (const windowBytes of [CREDIT_BYTES + KIB, (2 ** 32 - 1) * KIB]) {
    it(`a driver that says a window of ${windowBytes / KIB} KiB is cut off`, async () => {
      const { driver, server } = pair
      const { stream, peer } = await driver.peer.network.open(server.peer.id, REPLICA_PROTOCOL)
      const answers: number[] = []
      await new Promise<void>(resolve => {
        const pipe = sealedPipe({
          ...{ stream, peer, random: systemRandom, windowBytes: () => windowBytes },
          onFrame: ({ type }) => void answers.push(type),
          onEnd: () => resolve()
        })
        pipe.send(CALL, 1, { name: 'hello', input: { path: '/anywhere', access: 'read' } })
      })
      assert.deepEqual(answers, [])
    })

    it(`a server that says a window of ${windowBytes / KIB} KiB is not listened to`, async () => {
      const { driver, server } = pair
      await server.replicas.stop()
      await server.peer.network.handle(
        REPLICA_PROTOCOL,
        (stream, peer) =>
          new Promise(resolve => {
            const pipe = sealedPipe({
              ...{ stream, peer, onEnd: () => resolve(), windowBytes: () => windowBytes },
              onFrame: ({ call }) => void pipe.send(RESULT, call, {})
            })
          })
      )
      await assert.rejects(driver.replicas.connect(server.peer.id, '/anywhere', 'read'), { code: 'MALFORMED' })
      await server.peer.network.unhandle(REPLICA_PROTOCOL)
      await server.replicas.start()
    })
  }
})
