import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import {
  MAX_REPLICA_FRAME_BYTES,
  MAX_REQUESTS,
  MAX_STREAMED,
  PARTS_AHEAD,
  REPLICA_PROTOCOL,
  replicas,
  SILENCE_MS
} from '../../../protocols/replica/index.js'
import { pageToWire } from '../../../protocols/replica/page.js'
import {
  CALL,
  ERROR,
  MORE,
  PART,
  RESULT,
  type ReplicaFrame,
  type SealedPipe,
  sealedPipe
} from '../../../protocols/replica/sealed-pipe.js'
import { decode } from '../../../protocols/wire/index.js'
import { systemRandom } from '../../../storage/base/index.js'
import type { Endpoint, TreeEntry } from '../../../sync/endpoints/index.js'
import { manualClock } from '../../manual-clock.js'
import { bytesOf, gather, rel } from '../../sync/endpoints/gather.js'
import { type ReplicaPair, remoteFolder, replicaPair } from './fixture.js'

const head = z.object({ name: z.string(), input: z.any() })

describe('a replica whose device does not keep to the rules', () => {
  let pair: ReplicaPair
  before(async () => {
    pair = await replicaPair()
  })
  after(() => pair.stop())

  const stat = {
    ...{ kind: 'file' as const, sizeBytes: 1, mtimeNs: 1n, ctimeNs: 1n, birthNs: 0n, device: 1n, inode: 1n },
    ...{ mount: 0n, mode: 0o644, links: 1, uid: 0, gid: 0, allocatedBytes: 1 }
  }
  const about = { root: { ...stat, kind: 'directory' }, fileSystem: 'ext4', network: false, timeStepNs: 1n }
  const hashed = (path: string) => ({ path, hash: '0'.repeat(64), stat, racy: false })
  const entry = (path: string): TreeEntry => ({ path: rel(path), stat })

  /** The server's replica answers calls but the hello by `answer`. */
  async function lying(answer: (pipe: SealedPipe, call: number, name: string, frame: ReplicaFrame) => void) {
    await pair.server.replicas.stop()
    await pair.server.peer.network.handle(REPLICA_PROTOCOL, (stream, peer) => {
      return new Promise(resolve => {
        const pipe = sealedPipe({
          ...{ stream, peer, onEnd: () => resolve() },
          onFrame(frame) {
            if (frame.type !== CALL) return
            const { name } = decode(frame.values, head, 'a call')
            if (name === 'hello') pipe.send(RESULT, frame.call, about)
            else if (name === 'close') pipe.send(RESULT, frame.call, {})
            else answer(pipe, frame.call, name, frame)
          }
        })
      })
    })
    return pair.driver.replicas.connect(pair.server.peer.id, '/anywhere', 'read')
  }

  const walk = (endpoint: Endpoint) => gather(endpoint.walk(rel('')))
  const page = (
    pipe: SealedPipe,
    call: number,
    entries: TreeEntry[],
    change: (v: Record<string, unknown>) => void = () => {}
  ) => {
    const { values, data } = pageToWire(entries)
    change(values as never)
    pipe.send(PART, call, values, data)
    pipe.send(RESULT, call, undefined)
  }

  const lies: [string, (pipe: SealedPipe, call: number) => void, (endpoint: Endpoint) => Promise<unknown>][] = [
    ['a name that leaves the folder', (p, c) => page(p, c, [entry('../x')]), walk],
    ['an absolute name', (p, c) => page(p, c, [entry('/etc/passwd')]), walk],
    ['names out of order', (p, c) => page(p, c, [entry('b'), entry('a')]), walk],
    ['a name twice', (p, c) => page(p, c, [entry('a'), entry('a')]), walk],
    ['a name that was not asked for', (p, c) => page(p, c, [entry('b')]), e => gather(e.walk(rel('a')))],
    ['more than one level', (p, c) => page(p, c, [entry('a/b')]), e => gather(e.list(rel('')))],
    ['columns of another length', (p, c) => page(p, c, [entry('a')], v => (v.count = 2)), walk],
    ['other names than columns', (p, c) => page(p, c, [entry('a')], v => (v.paths = 'a\0b')), walk],
    ['a size that is none', (p, c) => page(p, c, [{ path: rel('a'), stat: { ...stat, sizeBytes: -1 } }]), walk],
    ['a mode that is none', (p, c) => page(p, c, [{ path: rel('a'), stat: { ...stat, mode: 0o100644 } }]), walk],
    ['another path than was looked at', (p, c) => p.send(RESULT, c, [{ path: 'b' }]), e => e.look([rel('a')])],
    [
      'an entry of another path',
      (p, c) => p.send(RESULT, c, [{ path: 'a', entry: entry('b') }]),
      e => e.look([rel('a')])
    ],
    ['no files of a pack', (p, c) => p.send(RESULT, c, []), e => e.readPack([rel('a')])],
    [
      'a file that lies beyond its pack',
      (p, c) =>
        p.send(RESULT, c, [{ path: 'a', offset: 1, length: 1, hash: '0'.repeat(64), stat }], [new Uint8Array(1)]),
      e => e.readPack([rel('a')])
    ],
    [
      'content out of order',
      (p, c) => {
        p.send(PART, c, { kind: 'opened', stat })
        p.send(PART, c, { kind: 'data', atBytes: 5 }, [new Uint8Array(5)])
        p.send(PART, c, { kind: 'data', atBytes: 0 }, [new Uint8Array(5)])
        p.send(RESULT, c, undefined)
      },
      e => bytesOf(e.read(rel('a')))
    ],
    [
      'content without its end',
      (p, c) => {
        p.send(PART, c, { kind: 'opened', stat })
        p.send(RESULT, c, undefined)
      },
      e => bytesOf(e.read(rel('a')))
    ],
    [
      'fewer hashes than files',
      (p, c) => p.send(RESULT, c, undefined),
      async e => {
        for await (const _ of e.hash([rel('a')])) void _
      }
    ],
    [
      'more hashes than files',
      (p, c) => p.send(PART, c, { bytes: 2, files: ['a', 'b'].map(path => hashed(path)) }),
      async e => {
        for await (const _ of e.hash([rel('a')])) void _
      }
    ],
    ['an answer of another shape', (p, c) => p.send(RESULT, c, { free: 'much' }), e => e.space()],
    ['an error without a code', (p, c) => p.send(ERROR, c, { code: 'no code', message: '' }), e => e.space()],
    ['an answer to nothing', (p, c) => p.send(RESULT, c + 7, {}), e => e.space()],
    [
      'more parts than there is room for',
      (p, c) => {
        for (let i = 0; i <= PARTS_AHEAD; i++) {
          const { values, data } = pageToWire([entry(`a${i}`)])
          p.send(PART, c, values, data)
        }
      },
      walk
    ]
  ]
  for (const [what, answer, ask] of lies) {
    it(`${what}: the call fails, and nothing of it is believed`, async () => {
      const endpoint = await lying(answer)
      await assert.rejects(ask(endpoint), err => ['MALFORMED', 'UNREACHABLE'].includes((err as { code: string }).code))
      await endpoint.close()
      await pair.server.peer.network.unhandle(REPLICA_PROTOCOL)
    })
  }

  it('the text of an error is escaped and cut before a person sees it', async () => {
    const endpoint = await lying((p, c) =>
      p.send(ERROR, c, { code: 'MISSING', message: `\u001b[2J${'x'.repeat(3_000)}` })
    )
    await assert.rejects(endpoint.space(), (err: { code: string; message: string }) => {
      assert.equal(err.code, 'MISSING')
      assert.ok(!err.message.includes('\u001b') && err.message.length < 1_100)
      return true
    })
    await endpoint.close()
    await pair.server.peer.network.unhandle(REPLICA_PROTOCOL)
  })

  it('silence ends what waits for an answer, and nothing while no answer is due', async () => {
    await (await lying(() => {})).close()
    const clock = manualClock()
    const { peer, grants } = pair.driver
    const silent = replicas({
      ...{ network: peer.network, grants, clock, random: systemRandom, log: peer.log, ours: () => [] },
      ...{ nameOf: () => 'bob', open: path => pair.parts.open(path) }
    })
    const endpoint = await silent.connect(pair.server.peer.id, '/anywhere', 'read')
    await clock.advance(10 * SILENCE_MS)
    const asked = assert.rejects(endpoint.space(), {
      code: 'UNREACHABLE',
      message: /bob is not reachable: .*said nothing/
    })
    await clock.advance(2 * SILENCE_MS)
    await asked
    await endpoint.close()
    await pair.server.peer.network.unhandle(REPLICA_PROTOCOL)
  })

  describe('that asks', () => {
    before(() => pair.server.replicas.start())

    /** A stream of the driver's own making; `ended` says why the other end ended it. */
    async function raw(path: string) {
      const { stream, peer } = await pair.driver.peer.network.open(pair.server.peer.id, REPLICA_PROTOCOL)
      const answers: { type: number; call: number; code?: string }[] = []
      let wake = (): void => {}
      let over: Error | null | undefined
      const pipe = sealedPipe({
        ...{ stream, peer, random: systemRandom },
        onEnd: err => {
          over = err ?? null
          wake()
        },
        onFrame({ type, call, values }) {
          const code = type === ERROR ? decode(values, z.object({ code: z.string() }), 'an error').code : undefined
          answers.push({ type, call, ...(code && { code }) })
          wake()
        }
      })
      const until = async (done: () => boolean): Promise<void> => {
        while (!done() && over === undefined) await new Promise<void>(resolve => (wake = resolve))
      }
      pipe.send(CALL, 1, { name: 'hello', input: { path, access: 'write' } })
      await until(() => answers.length > 0)
      return { pipe, answers, until, ended: () => over }
    }

    const wrong: [string, string, unknown][] = [
      ['a path that leaves the folder', 'look', { paths: ['../x'] }],
      ['an absolute path', 'walk', { path: '/etc' }],
      ['a path with a NUL', 'read', { path: 'a\0b' }],
      ['a range that is none', 'read', { path: 'a', ranges: [{ fromBytes: -1, lengthBytes: 1 }] }]
    ]
    it('for what no folder holds is refused, call by call, and the session goes on', async () => {
      const folder = await remoteFolder(pair)
      const { pipe, answers, until } = await raw(folder.root)
      for (const [i, [what, name, input]] of wrong.entries()) {
        pipe.send(CALL, i + 2, { name, input })
        await until(() => answers.length === i + 2)
        assert.deepEqual(answers.at(-1), { type: ERROR, call: i + 2, code: 'MALFORMED' }, what)
      }
      pipe.send(CALL, 99, { name: 'toString', input: {} })
      pipe.send(CALL, 100, { name: 'append', input: { writer: 77 } })
      pipe.send(CALL, 101, { name: 'stageClose', input: { stage: 77 } })
      pipe.send(CALL, 102, { name: 'nothing', input: {} })
      pipe.send(CALL, 103, { name: 'hello', input: { path: folder.root, access: 'read' } })
      pipe.send(CALL, 104, { name: 'space', input: {} })
      await until(() => answers.some(a => a.call === 104))
      assert.deepEqual(
        answers
          .slice(-6)
          .map(a => [a.call, a.code ?? 'done'])
          .sort((a, b) => Number(a[0]) - Number(b[0])),
        [
          [99, 'UNEXPECTED_MESSAGE'],
          [100, 'GONE'],
          [101, 'GONE'],
          [102, 'UNEXPECTED_MESSAGE'],
          [103, 'UNEXPECTED_MESSAGE'],
          [104, 'done']
        ]
      )
      assert.deepEqual(readdirSync(folder.root), [])
      await pipe.close()
      await folder.close()
    })

    const breaks: [string, (pipe: SealedPipe, root: string) => void][] = [
      ['a call twice under one number', p => p.send(CALL, 1, { name: 'space', input: {} })],
      ['what only the other side says', p => p.send(RESULT, 1, {})],
      [
        'more at once than is served',
        p => {
          for (let i = 0; i <= MAX_REQUESTS + MAX_STREAMED; i++)
            p.send(CALL, i + 2, { name: 'walk', input: { path: '' } })
        }
      ],
      [
        'more parts than there may be',
        p => {
          p.send(CALL, 2, { name: 'walk', input: { path: '' } })
          p.send(MORE, 2, { parts: PARTS_AHEAD + 1 })
        }
      ]
    ]
    for (const [what, act] of breaks) {
      it(`and says ${what} is cut off; nothing stays open, and others go on`, async () => {
        const folder = await remoteFolder(pair)
        for (let i = 0; i < 2_000; i++) writeFileSync(`${folder.root}/${i}`, '')
        const other = await folder.open()
        const { pipe, until, ended } = await raw(folder.root)
        act(pipe, folder.root)
        await until(() => false)
        assert.notEqual(ended(), undefined)
        assert.equal((await gather(other.walk(rel('')))).length, 2_001)
        await folder.close()
      })
    }

    it('and announces a frame that is too long, or no salt, is cut off', async () => {
      const { network } = pair.driver.peer
      for (const bytes of [Buffer.alloc(36 + 8).fill(0xff, 32), Buffer.alloc(32 + 4 + 40, 1)]) {
        if (bytes[32] === 1) bytes.writeUInt32BE(MAX_REPLICA_FRAME_BYTES, 32)
        const { stream } = await network.open(pair.server.peer.id, REPLICA_PROTOCOL)
        const closed = new Promise(resolve => stream.addEventListener('close', resolve, { once: true }))
        stream.send(bytes)
        if (bytes[32] === 1) stream.send(Buffer.alloc(MAX_REPLICA_FRAME_BYTES))
        await closed
      }
    })

    it('stages in one session what another has open is told so', async () => {
      const folder = await remoteFolder(pair)
      const [one, two] = [await folder.open(), await folder.open()]
      const id = randomUUID()
      const stage = await one.openStage(id)
      await assert.rejects(two.openStage(id), { code: 'STAGING_IN_USE' })
      await one.close() // lets go of it
      const again = await two.openStage(id)
      await again.discard()
      await assert.rejects(stage.discard(), { code: 'STOPPED' })
      await folder.close()
    })
  })
})
