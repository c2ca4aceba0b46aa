import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { SPACEDROP_PROTOCOL, spacedropLimits } from '../../../protocols/spacedrop/index.js'
import { TRANSFER_PROTOCOL } from '../../../protocols/transfer/index.js'
import { CONTROL_MESSAGE_BURST, decode, encode, type FrameStream, frameStream } from '../../../protocols/wire/index.js'
import { type AbsPath, systemClock } from '../../../storage/base/index.js'
import { connectPeers, pairDirectly, type TestPeer, testPeer } from '../../peers.js'
import { tempDir } from '../../temp.js'
import { WAIT_MS } from '../../waits.js'
import { blake3, type PageEntry, pageOf } from '../transfer/pages.js'
import { type DropDevice, dropDevice } from './devices.js'

const reply = z.looseObject({ type: z.string(), code: z.string().optional(), state: z.string().optional() })
type Reply = z.infer<typeof reply>
/** Longer than anything here takes on a busy machine. */

describe('spacedrop: a hostile paired device', () => {
  const root = tempDir('sd-hostile-')
  let bob: DropDevice
  let mallory: TestPeer
  let n = 0

  before(async () => {
    const path = join(root.path, 'bob') as AbsPath
    mkdirSync(path, { mode: 0o700 })
    bob = await dropDevice(await testPeer({ name: 'bob', dir: { path, clean: () => {} } }))
  })
  // A fresh one for each case: allowances are kept over connections.
  beforeEach(async () => {
    const path = join(root.path, `mallory${++n}`) as AbsPath
    mkdirSync(path, { mode: 0o700 })
    mallory = await testPeer({ name: 'mallory', dir: { path, clean: () => {} } })
    await pairDirectly(mallory, bob.peer)
    await connectPeers(mallory, bob.peer)
  })
  afterEach(async () => {
    await bob.drops.forget(mallory.id)
    await mallory.stop()
    assert.equal(existsSync(bob.downloads), false) // no byte of anything was taken
    assert.deepEqual(Object.keys(Object.prototype), [])
  })
  after(async () => {
    await bob.stop()
    root.clean()
  })

  const open = async (): Promise<FrameStream> =>
    frameStream((await mallory.network.open(bob.peer.id, SPACEDROP_PROTOCOL)).stream, { maxFrameBytes: 2 ** 20 })
  const read = async (f: FrameStream): Promise<Reply> =>
    decode((await f.read({ timeoutMs: WAIT_MS }))!, reply, 'a reply')
  const say = async (message: object): Promise<Reply> => {
    const f = await open()
    await f.write(encode(message))
    const answer = await read(f)
    await f.closeWrite()
    return answer
  }
  const hashOf = (pages: readonly Uint8Array[]): Uint8Array => blake3(pages)
  /** A whole offer of these pages, as a client that skips every check of its own. */
  async function offer(
    pages: readonly Uint8Array[],
    more: { id?: string; hash?: Uint8Array; kind?: string; totals?: object; end?: boolean } = {}
  ): Promise<Reply> {
    const f = await open()
    const { id = randomUUID(), hash = hashOf(pages), kind = 'files', end = true } = more
    const totals = { entries: 1, files: 1, directories: 0, symlinks: 0, bytes: 1, ...more.totals }
    await f.write(encode({ type: 'offer', id, kind, hash, totals }))
    let last = await read(f)
    let room = 0
    for (const data of last.type === 'go' ? pages : []) {
      if (room === 0) {
        room = spacedropLimits.MAX_PAGES_AHEAD
        if (data !== pages[0]) last = await read(f)
        if (last.type !== 'go') break
      }
      room--
      await f.write(encode({ type: 'page', data }))
    }
    if (last.type === 'go' && end) await f.write(encode({ type: 'end' }))
    const half = end ? undefined : f.closeWrite()
    while (last.type === 'go') last = await read(f)
    await (half ?? f.closeWrite())
    const { pages: _, ...answer } = last
    return answer as Reply
  }
  const file = (path: string | Uint8Array, more: Partial<PageEntry> = {}): PageEntry => ({
    path,
    kind: 0,
    size: 1n,
    ...more
  })
  const pending = (): number => bob.drops.list().length

  for (const [what, entries] of [
    ['..', [file('../x')]],
    ['.. further down', [{ ...file('a'), kind: 1, size: 0n }, file('a/../../x')]],
    ['.', [file('.')]],
    ['an empty path', [file('')]],
    ['an empty name', [file('a//b')]],
    ['a slash at the end', [file('a/')]],
    ['an absolute path', [file('/etc/x')]],
    ['a NUL byte', [file('a\0b')]],
    ['a name of 256 bytes', [file('x'.repeat(256))]],
    ['a path of 4,097 bytes', [file(`${'x/'.repeat(2_048)}y`)]],
    ['a file below nothing', [file('a/b')]],
    ['a file below a file', [file('a'), file('a/b')]],
    ['a file below a link', [{ ...file('a'), kind: 2, size: 0n, target: '/etc' }, file('a/passwd')]],
    ['one path twice', [file('a'), file('a')]],
    ['an order that is none', [file('b'), file('a')]],
    ['a kind that is none', [file('a', { kind: 7 })]],
    ['set-uid', [file('a', { mode: 0o4755 })]],
    ['a size of -1', [file('a', { size: -1n })]],
    ['a size of 2^53', [file('a', { size: 2n ** 53n })]],
    ['a size of 2^64-1', [file('a', { size: 2n ** 64n - 1n })]],
    ['sizes that add up to more than 2^53', [file('a', { size: 2n ** 53n - 1n }), file('b', { size: 2n })]],
    ['a directory with a size', [file('a', { kind: 1, size: 5n })]],
    ['a link without a target', [file('a', { kind: 2, size: 0n })]],
    ['a file with a target', [file('a', { target: 'b' })]]
  ] as [string, PageEntry[]][]) {
    it(`${what}: the whole offer is refused`, async () => {
      assert.deepEqual(await offer([pageOf(entries)]), { type: 'error', code: 'MALFORMED' })
      assert.equal(pending(), 0)
    })
  }

  it('names with control characters, other directions and no UTF-8 are problems of their paths, told before the answer', async () => {
    const names = ['\u001b[2J', 'a\u202egpj.exe', 'new\nline', Buffer.from([0x61, 0xff]), '__proto__', 'constructor']
    const entries = names
      .map(p => file(p))
      .sort((a, b) => Buffer.compare(Buffer.from(a.path as never), Buffer.from(b.path as never)))
    assert.deepEqual(await offer([pageOf(entries)]), { type: 'state', state: 'pending' })
    const [update] = bob.drops.list()
    assert.equal(update?.offer.problemCount, 4)
    for (const p of update!.offer.problems) assert.doesNotMatch(p.path, /[\u0000-\u001f\u202e]/)
  })

  it('more bytes than there is space: seen as they are, and not to be accepted', async () => {
    assert.equal((await offer([pageOf([file('huge', { size: 2n ** 52n })])])).state, 'pending')
    const [update] = bob.drops.list()
    const to = join(root.path, 'space') as AbsPath
    await assert.rejects(bob.drops.accept(update!.offer, { to }), { code: 'NO_SPACE' })
    assert.deepEqual(readdirSync(to), [])
    assert.equal(bob.drops.find(update!.offer)?.state, 'pending')
  })

  it('totals that lie: what was counted here is what counts', async () => {
    await offer([pageOf([file('a', { size: 1_000n })])], { totals: { bytes: 1, files: 99 } })
    assert.deepEqual(bob.drops.list()[0]?.offer.totals, {
      entries: 1,
      files: 1,
      directories: 0,
      symlinks: 0,
      bytes: 1_000
    })
  })

  for (const [what, totals] of [
    ['100,001 entries', { entries: 100_001 }],
    ['no entries', { entries: 0 }],
    ['-1 bytes', { bytes: -1 }],
    ['1.5 bytes', { bytes: 1.5 }],
    ['2^53 bytes', { bytes: 2 ** 53 }],
    ['NaN', { bytes: Number.NaN }],
    ['bytes as text', { bytes: '10' }]
  ] as [string, object][]) {
    it(`totals of ${what} are refused before a page is read`, async () => {
      assert.deepEqual(await offer([pageOf([file('a')])], { totals }), { type: 'error', code: 'MALFORMED' })
    })
  }

  it('another list than the hash says, a list that is cut, an empty one, one that never ends', async () => {
    assert.equal((await offer([pageOf([file('a')])], { hash: new Uint8Array(32) })).code, 'HASH_MISMATCH')
    assert.equal((await offer([pageOf([file('a')])], { end: false })).code, 'TRUNCATED')
    assert.equal((await offer([])).code, 'MALFORMED')
    assert.equal((await offer([new Uint8Array(49_152)])).code, 'MALFORMED')
    assert.equal(pending(), 0)
  })

  it('a list longer than allowed ends at its bound', async () => {
    const entries = 100_000
    const pages: Uint8Array[] = []
    for (let i = 0; i < entries; i += 200) {
      pages.push(
        pageOf(Array.from({ length: 200 }, (_, k) => file(`${String(i + k).padStart(6, '0')}${'x'.repeat(190)}`)))
      )
    }
    const { code } = await offer(pages, { totals: { entries } })
    assert.equal(code, 'FRAME_TOO_LARGE')
  })

  it('an altered list under the id of an offer that stands is refused, and the first one stays', async () => {
    const id = randomUUID()
    assert.equal((await offer([pageOf([file('a')])], { id })).state, 'pending')
    assert.equal((await offer([pageOf([file('b')])], { id })).code, 'REFUSED')
    assert.deepEqual(
      bob.drops.list()[0]?.offer.names.map(x => x.path as string),
      ['a']
    )
    // The same one again is the same one.
    assert.equal((await offer([pageOf([file('a')])], { id })).state, 'pending')
    assert.equal(pending(), 1)
  })

  it('an offer that is over does not come back, under any state it ended in', async () => {
    const id = randomUUID()
    await offer([pageOf([file('a')])], { id })
    await bob.drops.end(bob.drops.list()[0]!.offer)
    assert.equal((await offer([pageOf([file('a')])], { id })).state, 'declined')
    assert.equal((await say({ type: 'withdraw', id })).type, 'ok')
    assert.equal(pending(), 0)
  })

  it('content before an answer, after a decline, for another id: not one byte', async () => {
    const id = randomUUID()
    await offer([pageOf([file('a')])], { id })
    const transfer = async (): Promise<void> => {
      const { stream } = await mallory.network.open(bob.peer.id, TRANSFER_PROTOCOL)
      const closed = new Promise<void>(resolve => stream.addEventListener('close', () => resolve(), { once: true }))
      stream.send(new Uint8Array(32 + 16 + 4 + 100).fill(1))
      await closed
    }
    await transfer()
    await bob.drops.end(bob.drops.list()[0]!.offer)
    await transfer()
  })

  it('a text that is none: two files, a folder, a link, too long', async () => {
    const { MAX_TEXT_BYTES } = spacedropLimits
    for (const entries of [
      [file('text'), file('text2')],
      [file('other')],
      [file('text', { kind: 1, size: 0n })],
      [file('text', { kind: 2, size: 0n, target: '/etc/passwd' })],
      [file('text', { size: BigInt(MAX_TEXT_BYTES) + 1n })]
    ]) {
      assert.equal((await offer([pageOf(entries)], { kind: 'text' })).code, 'MALFORMED')
    }
    assert.equal(pending(), 0)
  })

  it('more offers than may wait: TOO_MANY before a page is read', async () => {
    for (let i = 0; i < spacedropLimits.MAX_OPEN_OFFERS_PER_DEVICE; i++) {
      assert.equal((await offer([pageOf([file(`a${i}`)])])).state, 'pending')
    }
    assert.equal((await offer([pageOf([file('b')])])).code, 'TOO_MANY')
    assert.equal(pending(), spacedropLimits.MAX_OPEN_OFFERS_PER_DEVICE)
  })

  it('answers to what was never offered, or to another, change nothing', async () => {
    const hash = new Uint8Array(32)
    assert.equal((await say({ type: 'answer', id: randomUUID(), hash, accepted: true })).code, 'GONE')
    assert.equal((await say({ type: 'withdraw', id: randomUUID() })).type, 'ok')
    const path = join(root.path, 'ours')
    writeFileSync(path, 'x')
    const ours = await bob.drops.offer(mallory.id, { kind: 'files', paths: [path as AbsPath] })
    assert.equal((await say({ type: 'answer', id: ours.id, hash, accepted: true })).code, 'CHANGED')
    assert.equal((await say({ type: 'withdraw', id: ours.id })).type, 'ok')
    assert.equal(bob.drops.find(ours)?.state, 'waiting')
  })

  for (const [what, message] of [
    ['an unknown type', { type: 'teleport', id: randomUUID() }],
    ['a type __proto__', { type: '__proto__' }],
    ['an id that is a path', { type: 'withdraw', id: '../../x' }],
    ['an id that is none', { type: 'withdraw', id: 'constructor' }],
    ['a hash of 31 bytes', { type: 'answer', id: randomUUID(), hash: new Uint8Array(31), accepted: true }],
    [
      'a selection of 12,501 bytes',
      { type: 'answer', id: randomUUID(), hash: new Uint8Array(32), accepted: true, selection: new Uint8Array(12_501) }
    ],
    ['no map at all', [1, 2, 3]]
  ] as [string, object][]) {
    it(`${what} is answered MALFORMED`, async () => {
      assert.deepEqual(await say(message), { type: 'error', code: 'MALFORMED' })
    })
  }

  it('more exchanges than allowed: the connection is dropped', async () => {
    const path = join(root.path, 'slow') as AbsPath
    mkdirSync(path, { mode: 0o700 })
    // Its clock hardly moves: only the burst is there, however slow this machine is.
    const slow = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() / 1_000 }
    const dora = await dropDevice(await testPeer({ name: 'dora', dir: { path, clean: () => {} } }), { clock: slow })
    await pairDirectly(mallory, dora.peer)
    await connectPeers(mallory, dora.peer)
    const gone = new Promise<void>(resolve => {
      mallory.network.onDisconnected(peer => {
        if (peer.device === dora.peer.id) resolve()
      })
    })
    let said = 0
    const flood = async (): Promise<void> => {
      for (; ; said++) {
        const { stream } = await mallory.network.open(dora.peer.id, SPACEDROP_PROTOCOL)
        const f = frameStream(stream, { maxFrameBytes: 1_000 })
        await f.write(encode({ type: 'withdraw', id: randomUUID() }))
        await read(f)
        await f.closeWrite()
      }
    }
    await flood().catch(() => {})
    await gone
    assert.ok(said >= CONTROL_MESSAGE_BURST && said < CONTROL_MESSAGE_BURST + 50, `after ${said}`)
    await dora.stop()
  })

  it('1,000 offers and withdrawals leave nothing: no descriptor, no file, no timer, no row that waits', async () => {
    const path = join(root.path, 'cycle') as AbsPath
    mkdirSync(path, { mode: 0o700 })
    // A clock that runs fast for the allowance; time itself stays as it is.
    const fast = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() * 1_000 }
    const carl = await dropDevice(await testPeer({ name: 'carl', dir: { path, clean: () => {} } }), { clock: fast })
    await pairDirectly(mallory, carl.peer)
    await connectPeers(mallory, carl.peer)
    const to = async (message: object, pages: readonly Uint8Array[] = []): Promise<void> => {
      const { stream } = await mallory.network.open(carl.peer.id, SPACEDROP_PROTOCOL)
      const f = frameStream(stream, { maxFrameBytes: 2 ** 20 })
      await f.write(encode(message))
      if ((await read(f)).type === 'go') {
        for (const data of pages) await f.write(encode({ type: 'page', data }))
        await f.write(encode({ type: 'end' }))
        await read(f)
      }
      await f.closeWrite()
    }
    const cycle = async (): Promise<void> => {
      const id = randomUUID()
      const pages = [pageOf([file('a')])]
      const totals = { entries: 1, files: 1, directories: 0, symlinks: 0, bytes: 1 }
      await to({ type: 'offer', id, kind: 'files', hash: hashOf(pages), totals }, pages)
      await to({ type: 'withdraw', id })
    }
    const state = () => ({
      fds: readdirSync('/proc/self/fd').length,
      timers: process.getActiveResourcesInfo().filter(r => r === 'Timeout').length
    })
    for (let i = 0; i < 20; i++) await cycle()
    const before = state()
    const hands = Array.from({ length: 4 }, async () => {
      for (let i = 0; i < 250; i++) await cycle()
    })
    await Promise.all(hands)
    assert.deepEqual(carl.drops.list(), [])
    assert.ok(carl.drops.list({ all: true }).length <= spacedropLimits.MAX_HISTORY + 1)
    await carl.drops.stop()
    const after = state()
    assert.ok(after.fds <= before.fds + 5, `descriptors: ${before.fds} before, ${after.fds} after`)
    assert.ok(after.timers <= before.timers + 5, `timers: ${before.timers} before, ${after.timers} after`)
    const left = readdirSync(path, { recursive: true }).filter(f => String(f).endsWith('.manifest'))
    assert.deepEqual(left, [])
    await carl.stop()
  })
})
