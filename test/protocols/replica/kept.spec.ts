import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UNPACED } from '../../../protocols/pace/index.js'
import { Caller } from '../../../protocols/replica/client/caller.js'
import { RemoteKept } from '../../../protocols/replica/client/remote-kept.js'
import { REPLICA_PROTOCOL } from '../../../protocols/replica/index.js'
import { CALL, PART, RESULT, sealedPipe } from '../../../protocols/replica/sealed-pipe.js'
import { type AbsPath, type ContentHash, systemRandom } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import type { Endpoint, EndpointKept, KeptPage, KeptWanted } from '../../../sync/endpoints/index.js'
import type { End, Mode } from '../../../sync/reconcile/index.js'
import { KEPT_PAGE_LINES } from '../../../sync/serving/index.js'
import { formatLine, parseLine } from '../../../sync/versions/index.js'
import { bytesOf, rel } from '../../sync/endpoints/gather.js'
import { tempDir } from '../../temp.js'
import { openForSync, type ReplicaPair, replicaPair } from './fixture.js'

const pathOf = (hash: ContentHash) => rel(`${hash.slice(0, 2)}/${hash}`)

describe('what an end keeps, told to the driver of a sync', () => {
  const temp = tempDir()
  let pair: ReplicaPair
  let root: AbsPath
  let uuid: string
  let opened: { close(): Promise<unknown> }[] = []
  before(async () => {
    pair = await replicaPair({ mostTold: 3 })
  })
  after(async () => {
    await pair.stop()
    temp.clean()
  })
  beforeEach(() => {
    uuid = randomUUID()
    root = `${realpathSync(temp.path)}/${uuid}` as AbsPath
    mkdirSync(root)
  })
  afterEach(async () => {
    for (const one of opened) await one.close()
    opened = []
  })

  async function open(mode: Mode = 'mirror', side: End = 'destination'): Promise<Endpoint> {
    const endpoint = await openForSync(pair, root, { uuid, mode, side })
    opened.push(endpoint)
    return endpoint
  }
  const acceptedAtMs = (): number => pair.server.served.find(pair.driver.peer.id, uuid)!.acceptedAtMs!

  /** Contents that lost their names at these moments, the oldest first, as a run of a sync keeps them. */
  function keep(lost: readonly { text: string; atMs: number; from?: string }[]): ContentHash[] {
    const versions = join(root, '.spacedrive/versions')
    mkdirSync(join(versions, 'lists'), { recursive: true })
    const begun = lost[0]!.atMs
    writeFileSync(join(versions, 'lists/since'), `${JSON.stringify({ v: 1, begun, since: begun, thinned: begun })}\n`)
    let day = ''
    const hashes = lost.map(({ text, atMs, from }, i) => {
      const hash = hashBytes(Buffer.from(text))
      mkdirSync(join(versions, 'content', hash.slice(0, 2)), { recursive: true })
      writeFileSync(join(versions, 'content', pathOf(hash)), text)
      const was = { kind: 'file', hash, sizeBytes: text.length, mtimeNs: 1n, mode: 0o644 } as const
      day += formatLine({ atMs, run: randomUUID(), path: rel(`f${i}`), was, why: 'edited', ...(from && { from }) })
      return hash
    })
    writeFileSync(join(versions, 'lists/2026-01-01'), day)
    return hashes
  }
  /** All that is told. */
  async function told(kept: EndpointKept, contents = true) {
    const pages: KeptPage[] = []
    for await (const page of kept.lines({ contents })) pages.push(page)
    const [first] = pages
    assert.equal(first?.kind, 'reach')
    const texts = pages.flatMap(page => (page.kind === 'lines' ? page.texts : []))
    return { reach: first.kind === 'reach' ? first.reach : undefined, lines: texts.map(text => parseLine(text)!) }
  }
  const wanted = (hash: ContentHash, sizeBytes: number, staged = 'new/1'): KeptWanted => ({
    ...{ hash, sizeBytes, mode: 0o600, mtimeNs: 5n, staged: rel(staged) }
  })

  it('newest first, since it was accepted there, without the names of other devices; contents that were told of are read', async () => {
    const kept = (await open()).sync!.kept!
    const at = acceptedAtMs()
    const [before, first, second] = keep([
      { text: 'gone before', atMs: at - 1 },
      { text: 'the first', atMs: at, from: 'ada' },
      { text: 'the second', atMs: at + 5, from: 'carol' }
    ])
    const { reach, lines } = await told(kept)
    assert.deepEqual(reach, { begunMs: 0, sinceMs: at, thinnedMs: at })
    assert.deepEqual(
      lines.map(({ path, from }) => [path, from]),
      [
        ['f2', undefined],
        ['f1', 'ada']
      ]
    )
    assert.equal((await bytesOf(kept.contents.read(pathOf(first!)))).toString(), 'the first')
    const pack = await kept.contents.readPack([pathOf(second!), pathOf(first!)])
    assert.equal(Buffer.from(pack.data).toString(), 'the secondthe first')
    const looks = await kept.contents.look([pathOf(first!)])
    assert.equal(looks[0]!.entry?.stat.kind, 'file')
    await assert.rejects(bytesOf(kept.contents.read(pathOf(before!))), { code: 'NOT_GRANTED' })
  })

  it('a folder in which nothing is kept yet says so', async () => {
    assert.deepEqual(await told((await open()).sync!.kept!), { reach: undefined, lines: [] })
  })

  it('a content is staged where it lies: it does not travel, and is what its name says', async () => {
    const endpoint = await open()
    const kept = endpoint.sync!.kept!
    const text = 'x'.repeat(3_000_000)
    const [large, small, broken] = keep([
      { text, atMs: acceptedAtMs() },
      { text: 'small', atMs: acceptedAtMs() },
      { text: 'whole', atMs: acceptedAtMs() }
    ])
    writeFileSync(join(root, '.spacedrive/versions/content', pathOf(broken!)), 'wrong')
    await told(kept)
    const end = await endpoint.sync!.open()
    const run = randomUUID()
    await end.announce({ run, removed: 0, repacked: 0, replaced: 0, directoriesRemoved: 0 })
    const stage = await end.stage()
    pair.wire.bytes = 0
    const files = [wanted(large!, 3_000_000), wanted(small!, 5, 'new/2'), wanted(broken!, 5, 'new/3')]
    const problems = await kept.stage(stage, files)
    assert.ok(pair.wire.bytes < 10_000, `${pair.wire.bytes} bytes`)
    assert.deepEqual(
      [...problems].map(([i, { code }]) => [i, code]),
      [[2, 'CHANGED']]
    )
    const create = (path: string, staged: string) =>
      ({ kind: 'create', path: rel(path), from: { staging: stage.id, path: rel(staged) } }) as const
    const steps = [create('a', 'new/1'), create('b', 'new/2')]
    const results = await end.place({ run, steps, why: ['', ''], was: [null, null] })
    assert.ok(results.every(r => r.done))
    const looks = await endpoint.look([rel('a'), rel('b')])
    assert.deepEqual(
      looks.map(({ entry }) => [entry?.stat.sizeBytes, entry!.stat.mode & 0o7777, entry?.stat.mtimeNs]),
      [
        [3_000_000, 0o600, 5n],
        [5, 0o600, 5n]
      ]
    )
    await assert.rejects(kept.stage(stage, [wanted(small!, 5, 'aside/x')]), { code: 'NOT_GRANTED' })
    await assert.rejects(kept.stage(stage, [wanted(small!, 2 ** 52)]), { code: 'NO_SPACE' })
  })

  it('of what was not told of in this session nothing is had, by whatever call', async () => {
    const endpoint = await open()
    const kept = endpoint.sync!.kept!
    const [hash] = keep([{ text: 'kept', atMs: acceptedAtMs() }])
    await told(kept, false)
    const end = await endpoint.sync!.open()
    await end.announce({ run: randomUUID(), removed: 0, repacked: 0, replaced: 0, directoriesRemoved: 0 })
    const denied = { code: 'NOT_GRANTED' }
    await assert.rejects(kept.stage(await end.stage(), [wanted(hash!, 4)]), denied)
    assert.deepEqual(await kept.contents.look([pathOf(hash!)]), [{ path: pathOf(hash!) }])
    await assert.rejects(kept.contents.readPack([pathOf(hash!)]), denied)
    await assert.rejects(bytesOf(kept.contents.read(pathOf(hash!))), denied)
    await told(kept)
    assert.equal((await bytesOf(kept.contents.read(pathOf(hash!)))).toString(), 'kept')
  })

  it('so many contents and no more are told of in one session; lines alone without end', async () => {
    const kept = (await open()).sync!.kept!
    const some = (n: number) =>
      Array.from({ length: n }, (_, i) => ({ text: `content ${i}`, atMs: acceptedAtMs() + i }))
    keep(some(3))
    assert.equal((await told(kept)).lines.length, 3)
    keep(some(4))
    await assert.rejects(told(kept), { code: 'TOO_MANY' })
    const again = (await open()).sync!.kept!
    const many = keep(some(KEPT_PAGE_LINES + 1))
    assert.equal((await told(again, false)).lines.length, many.length)
  })

  it('who only reads there, and who has no sync, is told nothing', async () => {
    const readOnly = await open('mirror', 'source')
    assert.equal(readOnly.sync!.kept, undefined)
    const denied = async (...how: Parameters<typeof asking>) =>
      assert.rejects(async () => told(await asking(...how)), { code: 'NOT_GRANTED' })
    await denied('write')
    await denied('read')
    uuid = randomUUID()
    await open()
    await denied('read')
    // Not by a grant that a person gave either: the versions are no part of the folder.
    await pair.server.grants.add(pair.driver.peer.id, root, 'write')
    await denied('write', false)
  })

  /** The same calls, whether or not that device says that it knows them. */
  async function asking(access: 'read' | 'write', forSync = true): Promise<EndpointKept> {
    const { peer } = pair.driver
    const { stream, peer: session } = await peer.network.open(pair.server.peer.id, REPLICA_PROTOCOL, {})
    const caller = new Caller({
      ...{ stream, peer: session, clock: peer.clock, random: systemRandom, pacing: UNPACED, name: 'bob', rest() {} },
      compressBelowBytesPerSecond: undefined
    })
    opened.push(caller)
    await caller.call('hello', { path: root, access, ...(forSync && { sync: uuid }) })
    return new RemoteKept(caller)
  }

  it('that it is asked for is in the audit log there', async () => {
    const kept = (await open()).sync!.kept!
    pair.server.seen.length = 0
    await told(kept)
    await told(kept)
    assert.deepEqual(
      pair.server.seen.map(({ path, access }) => [path, access]),
      [[`${root}/.spacedrive/versions`, 'read']]
    )
  })

  describe('by a device that does not keep to the rules', () => {
    const about = {
      ...{ fileSystem: 'ext4', network: false, timeStepNs: 1n },
      root: {
        ...{ kind: 'directory', sizeBytes: 1, mtimeNs: 1n, ctimeNs: 1n, birthNs: 0n, device: 1n, inode: 1n },
        ...{ mount: 0n, mode: 0o755, links: 1, uid: 0, gid: 0, allocatedBytes: 1 }
      }
    }
    const line = formatLine({ atMs: 1, run: 'r', path: rel('a'), was: null, why: 'x' }).trimEnd()

    async function lying(parts: readonly unknown[], endless = false): Promise<EndpointKept> {
      await pair.server.replicas.stop()
      await pair.server.peer.network.handle(REPLICA_PROTOCOL, (stream, peer) => {
        return new Promise(resolve => {
          let asked = 0
          const pipe = sealedPipe({
            ...{ stream, peer, onEnd: () => resolve() },
            onFrame(frame) {
              if (frame.type === CALL && asked++ === 0) pipe.send(RESULT, frame.call, { ...about, kept: true })
              else if (frame.type === CALL) {
                for (const part of parts) pipe.send(PART, frame.call, part)
                if (!endless) pipe.send(RESULT, frame.call, undefined)
              } else if (endless) pipe.send(PART, frame.call, parts.at(-1))
            }
          })
        })
      })
      const endpoint = await pair.driver.replicas.connect(pair.server.peer.id, '/x', 'write', { sync: uuid })
      opened.push(endpoint)
      return endpoint.sync!.kept!
    }
    afterEach(async () => {
      await pair.server.peer.network.unhandle(REPLICA_PROTOCOL)
      await pair.server.replicas.start()
    })

    const reach = { kind: 'reach', nowMs: 1 }
    for (const [why, parts] of [
      ['lines before it is said how far back they reach', [{ kind: 'lines', texts: [line] }]],
      ['how far back they reach, twice', [reach, reach]],
      ['nothing at all', []],
      ['a page without lines', [reach, { kind: 'lines', texts: [] }]],
      [
        'more lines in a page than there may be',
        [reach, { kind: 'lines', texts: Array(KEPT_PAGE_LINES + 1).fill(line) }]
      ]
    ] as const)
      it(`${why}: the answer is refused`, async () => {
        await assert.rejects(told(await lying(parts)), { code: 'MALFORMED' })
      })

    it('lines without an end come to one: so many, or so many letters', async () => {
      for (const most of [{ mostLines: 50 }, { mostLetters: 50 * line.length }]) {
        const kept = (await lying([reach, { kind: 'lines', texts: [line] }], true)) as RemoteKept
        Object.assign(kept, most)
        let lines = 0
        const read = async (): Promise<void> => {
          for await (const page of kept.lines()) if (page.kind === 'lines') lines += page.texts.length
        }
        await assert.rejects(read(), { code: 'MALFORMED' })
        assert.equal(lines, 50)
      }
    })

    it('one of a release that knows nothing of it is not asked', async () => {
      await lying([])
      await pair.server.peer.network.unhandle(REPLICA_PROTOCOL)
      await pair.server.peer.network.handle(REPLICA_PROTOCOL, (stream, peer) => {
        return new Promise(resolve => {
          const pipe = sealedPipe({
            ...{ stream, peer, onEnd: () => resolve() },
            onFrame: frame => void (frame.type === CALL && pipe.send(RESULT, frame.call, about))
          })
        })
      })
      const endpoint = await pair.driver.replicas.connect(pair.server.peer.id, '/x', 'write', { sync: uuid })
      opened.push(endpoint)
      assert.equal(endpoint.sync!.kept, undefined)
    })
  })
})
