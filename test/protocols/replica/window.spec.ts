import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { REPLICA_PROTOCOL } from '../../../protocols/replica/index.js'
import { CALL, RESULT, sealedPipe } from '../../../protocols/replica/sealed-pipe.js'
import { CREDIT_BYTES } from '../../../protocols/transfer/index.js'
import { systemRandom } from '../../../storage/base/index.js'
import { transferLarge, transferSmall } from '../../../sync/delta/index.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import { rel } from '../../sync/endpoints/gather.js'
import { WatchedLimit } from '../watched-limit.js'
import { type ReplicaPair, remoteFolder, replicaPair } from './fixture.js'

const KIB = 1024
const MIB = 2 ** 20
/** Heads and questions, of all frames together, and what goes beside content. */
const HEADS_BYTES = 32 * KIB
const film = randomBytes(3 * MIB)

/** Real sockets. The limit is that of the end that gets the content, by a clock that stands still until it is moved. */
describe('a limit where the content of a folder arrives', () => {
  let watched: WatchedLimit
  let pair: ReplicaPair
  let from: 'driver' | 'server' = 'driver'
  before(async () => {
    watched = await WatchedLimit.open()
    pair = await replicaPair({
      pacing: watched.pacing(device => device === pair[from].peer.id),
      onSent(one, bytes) {
        if (one === from) watched.sent(bytes)
      }
    })
  })
  after(async () => {
    await pair.stop()
    await watched.stop()
  })
  afterEach(() => limit(undefined))

  /** Holds where content of the sending end arrives, and nowhere else: an end knows the other one by its id. */
  const limit = (down: number | undefined): Promise<void> =>
    watched.limits.set({ device: pair[from].peer.id, up: undefined, down, schedule: undefined })

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
    watched.reset()
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

  for (const direction of ['push', 'pull'] as const) {
    for (const [rate, windowBytes] of [
      [8 * KIB, 16 * KIB],
      [100 * KIB, 200 * KIB]
    ] as const) {
      it(`${direction}: of ${rate / KIB} KiB a second that is set when the folder is open, a large file is a few seconds ahead of it at most`, () =>
        between(direction, async ({ large }) => {
          await limit(rate)
          await watched.passing(large(film))
          // Parts of an answer are four, each a quarter of the window and 16 KiB at least.
          const mostBytes = direction === 'push' ? windowBytes : Math.max(windowBytes, 64 * KIB)
          assert.ok(watched.mostAhead <= mostBytes + HEADS_BYTES, `${watched.mostAhead} bytes ahead`)
        }))
    }

    it(`${direction}: small files are a few seconds ahead of it at most`, () =>
      between(
        direction,
        async ({ small }) => {
          await watched.passing(small(Array.from({ length: 150 }, () => randomBytes(10_000))))
          // Six packs are asked for at once, each a quarter of the window.
          const windowBytes = direction === 'push' ? 200 * KIB : 300 * KIB
          // Beside each file is what it is.
          assert.ok(watched.mostAhead <= windowBytes + 2 * HEADS_BYTES, `${watched.mostAhead} bytes ahead`)
        },
        100 * KIB
      ))

    it(`${direction}: when it is lifted in the middle the rest comes as if there had been none`, () =>
      between(direction, async ({ large }) => {
        await limit(100 * KIB)
        const work = large(randomBytes(24 * MIB))
        work.catch(() => {}) // told below
        await watched.ahead(100 * KIB)
        assert.ok(watched.mostAhead <= 200 * KIB + HEADS_BYTES, `${watched.mostAhead} bytes ahead`)
        // Time stands still: it could never end. What was cut into small pieces is let through.
        let go = (): void => {}
        const over = new Promise<void>(resolve => {
          go = resolve
        })
        watched.hold = { fromBytes: watched.paidBytes + 10 * MIB, over }
        await limit(undefined)
        await watched.ahead(direction === 'push' ? CREDIT_BYTES - 2 * MIB : 3 * MIB)
        go()
        await work
        assert.ok(watched.mostAhead <= CREDIT_BYTES + HEADS_BYTES, `${watched.mostAhead} bytes ahead`)
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
