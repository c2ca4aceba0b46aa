import assert from 'node:assert/strict'
import { Encoder } from '@msgpack/msgpack'
import { z } from 'zod'
import { MESSAGING_PROTOCOL, messagingLimits } from '../../../protocols/messaging/index.js'
import { CONTROL_MESSAGE_BURST, decode, encode, type FrameStream, frameStream } from '../../../protocols/wire/index.js'
import { newUuid, systemRandom } from '../../../storage/base/index.js'
import { manualClock } from '../../manual-clock.js'
import { tempDir } from '../../temp.js'
import { WAIT_MS } from '../../waits.js'
import { type LoopNetwork, loopNetwork } from '../loop-network.js'
import { type MessagingPeer, messagingPeer } from './peers.js'

const anything = z.looseObject({ type: z.string(), n: z.number(), code: z.string().optional() })
/** Longer than anything here takes on a busy machine. */
const uuid = (): string => newUuid(Date.now(), systemRandom)

describe('messaging: a hostile paired device', () => {
  const dir = tempDir()
  let b: MessagingPeer
  let hostile: LoopNetwork
  const handled: string[] = []

  before(async () => {
    b = await messagingPeer(dir.path, {
      // Allowances do not fill up again while a busy machine takes its time.
      clock: manualClock(),
      prepare: m =>
        m.handle('note', { message: ({ id }) => void handled.push(id), notification: () => {}, request: () => null })
    })
  })
  beforeEach(async () => {
    hostile = await loopNetwork()
    await hostile.connect(b.network)
  })
  afterEach(async () => {
    await hostile.stop()
    // It lives, serves others, and kept its prototype.
    const friend = await loopNetwork()
    await friend.connect(b.network)
    const { stream } = await friend.open(b.device, MESSAGING_PROTOCOL)
    const f = frameStream(stream, { maxFrameBytes: 65536 })
    await f.write(encode({ type: 'request', n: 1, kind: 'note', body: null, deadlineMs: 5000 }))
    assert.equal(decode((await f.read())!, anything, 'answer').type, 'ok')
    await friend.stop()
    assert.deepEqual(Object.keys(Object.prototype), [])
  })
  after(async () => {
    await b.stop()
    dir.clean()
  })

  const open = async (): Promise<FrameStream> =>
    frameStream((await hostile.open(b.device, MESSAGING_PROTOCOL)).stream, { maxFrameBytes: 2 ** 24 })
  const answer = async (f: FrameStream): Promise<z.infer<typeof anything>> =>
    decode((await f.read({ timeoutMs: WAIT_MS }))!, anything, 'an answer')
  const text = (n: number, extra: object = {}): object => ({
    type: 'message',
    n,
    id: uuid(),
    kind: 'text',
    body: { text: 'x' },
    sentAt: 1,
    ...extra
  })

  it('more messages than allowed: the connection is dropped', async () => {
    const f = await open()
    const gone = new Promise<void>(resolve => void hostile.onDisconnected(() => resolve()))
    const flood = async (): Promise<void> => {
      for (let n = 1; n <= CONTROL_MESSAGE_BURST * 10; n++)
        await f.write(encode({ type: 'notify', n, kind: 'note', body: n }))
    }
    await Promise.allSettled([flood(), gone])
    await gone
    assert.equal(b.network.session(hostile.localDevice), undefined)
  })

  it('messages within the burst are all answered', async () => {
    const f = await open()
    const sent = CONTROL_MESSAGE_BURST - 10
    for (let n = 1; n <= sent; n++) await f.write(encode({ type: 'notify', n, kind: 'note', body: n }))
    for (let n = 1; n <= sent; n++) assert.equal((await answer(f)).n, n)
  })

  it('a reconnect does not give a fresh allowance', async () => {
    const flood = async (): Promise<number> => {
      const f = await open()
      let n = 0
      try {
        while (n < CONTROL_MESSAGE_BURST * 2) {
          await f.write(encode({ type: 'notify', n: ++n, kind: 'note', body: n }))
          await answer(f)
        }
      } catch {
        return n
      }
      return n
    }
    const gone = new Promise<void>(resolve => void hostile.onDisconnected(() => resolve()))
    await flood()
    await gone
    await hostile.connect(b.network)
    assert.equal(await flood(), 1)
  })

  for (const [what, frame, code] of [
    ['an unknown type', { type: 'teleport', n: 1, where: 'out' }, 'UNKNOWN_TYPE'],
    ['a type named like a method', { type: 'constructor', n: 1 }, 'UNKNOWN_TYPE'],
    ['a type __proto__', { type: '__proto__', n: 1 }, 'UNKNOWN_TYPE'],
    ['an unknown kind', { type: 'request', n: 1, kind: 'what.is.this', body: 1, deadlineMs: 1 }, 'UNKNOWN_TYPE'],
    ['a kind named like a method', { type: 'request', n: 1, kind: 'tostring', body: 1, deadlineMs: 1 }, 'UNKNOWN_TYPE'],
    ['a kind with escapes', { type: 'notify', n: 1, kind: 'a\u001b[2J', body: 1 }, 'MALFORMED'],
    ['an id that is a path', text(1, { id: '../../etc/passwd' }), 'MALFORMED'],
    ['a text that is not text', text(1, { body: { text: ['x'] } }), 'MALFORMED'],
    ['an empty text', text(1, { body: { text: '' } }), 'MALFORMED'],
    ['a body with a bigint', text(1, { body: { text: 'x', n: 2n ** 60n } }), 'MALFORMED'],
    ['a body with NaN', text(1, { body: { text: 'x', n: Number.NaN } }), 'MALFORMED'],
    ['a body with bytes', text(1, { body: { text: 'x', n: new Uint8Array(3) } }), 'MALFORMED'],
    ['sentAt of 1.5', text(1, { sentAt: 1.5 }), 'MALFORMED'],
    ['sentAt of -1', text(1, { sentAt: -1 }), 'MALFORMED'],
    ['sentAt of 2^53', text(1, { sentAt: 2 ** 53 }), 'MALFORMED'],
    ['a deadline of a day', { type: 'request', n: 1, kind: 'note', body: 1, deadlineMs: 86_400_000 }, 'MALFORMED'],
    ['a deadline of 0', { type: 'request', n: 1, kind: 'note', body: 1, deadlineMs: 0 }, 'MALFORMED']
  ] as const) {
    it(`${what} is answered ${code}, and the stream goes on`, async () => {
      const f = await open()
      await f.write(encode(frame))
      assert.deepEqual(await answer(f), { type: 'error', n: 1, code })
      await f.write(encode({ type: 'notify', n: 2, kind: 'note', body: null }))
      assert.equal((await answer(f)).type, 'ok')
    })
  }

  it('a body of 10,000 levels is refused', async () => {
    const f = await open()
    const head = new Encoder().encode({ type: 'notify', n: 1, kind: 'note', body: null })
    await f.write([head.subarray(0, -1), new Uint8Array(10_000).fill(0x91), new Uint8Array([0xc0])])
    assert.deepEqual(await answer(f), { type: 'error', n: 1, code: 'MALFORMED' })
  })

  const raw = (...bytes: number[]): Uint8Array => new Uint8Array(bytes)
  for (const [what, payload] of [
    ['an array header of 10 M elements', raw(0xdd, 0x00, 0x98, 0x96, 0x80)],
    ['a map header of 4 G keys', raw(0xdf, 0xff, 0xff, 0xff, 0xff)],
    ['a string header of 4 GiB', raw(0xdb, 0xff, 0xff, 0xff, 0xff)],
    ['an extension type', raw(0xd4, 0x01, 0x00)],
    ['a timestamp', raw(0xd6, 0xff, 0, 0, 0, 0)],
    ['a key __proto__', new Encoder().encode(JSON.parse('{"type":"notify","n":1,"kind":"note","__proto__":{"x":1}}'))],
    ['bytes after the message', raw(0x80, 0x80)],
    ['an empty frame', raw()],
    ['frame 0', encode({ type: 'notify', n: 0, kind: 'note', body: 1 })],
    ['frame 2 before frame 1', encode({ type: 'notify', n: 2, kind: 'note', body: 1 })],
    ['a negative number', encode({ type: 'notify', n: -1, kind: 'note', body: 1 })],
    ['a number that is text', encode({ type: 'notify', n: '1', kind: 'note', body: 1 })]
  ] as const) {
    it(`${what} ends the stream`, async () => {
      const f = await open()
      await f.write(payload)
      await assert.rejects(f.read({ timeoutMs: WAIT_MS }), { code: 'STREAM_CLOSED' })
    })
  }

  it('a frame longer than allowed ends the stream before it is sent', async () => {
    const { stream } = await hostile.open(b.device, MESSAGING_PROTOCOL)
    const f = frameStream(stream, { maxFrameBytes: 100 })
    stream.send(raw(0xff, 0xff, 0xff, 0xff))
    await assert.rejects(f.read({ timeoutMs: WAIT_MS }), { code: 'STREAM_CLOSED' })
  })

  it('a stream that ends in the middle of a message delivers nothing', async () => {
    const before = b.messages.unreadTexts()
    const failed = b.network.handlerErrors.length
    const { stream } = await hostile.open(b.device, MESSAGING_PROTOCOL)
    const frame = encode(text(1))
    stream.send(raw(0, 0, 0, frame.length))
    stream.send(frame.subarray(0, -1))
    const f = frameStream(stream, { maxFrameBytes: 100 })
    await stream.close()
    await assert.rejects(f.read({ timeoutMs: WAIT_MS }), { code: 'STREAM_CLOSED' })
    // Streams of the cases before may end late, each with an error of its own.
    const codes = b.network.handlerErrors.slice(failed).map(err => (err as { code?: string }).code)
    assert.equal(codes.filter(code => code === 'TRUNCATED').length, 1)
    assert.equal(b.messages.unreadTexts(), before)
  })

  it('the same id a second time is acknowledged and not taken', async () => {
    const f = await open()
    const before = b.messages.unreadTexts()
    const id = uuid()
    for (const n of [1, 2]) {
      await f.write(encode(text(n, { id })))
      assert.equal((await answer(f)).type, 'ok')
    }
    assert.equal(b.messages.unreadTexts(), before + 1)
  })

  it('an unread inbox that is full: TOO_MANY, and what follows waits too', async () => {
    const bytes = 50 * 1024
    const count = Math.ceil(messagingLimits.MAX_INBOX_BYTES / bytes)
    // Straight into the database: over the wire the rate limit comes first.
    for (let i = 0; i < count; i++) {
      await b.messages.recordText({
        id: uuid() as never,
        device: hostile.localDevice,
        direction: 'in',
        text: 'x'.repeat(bytes),
        sentAtMs: 1
      })
    }
    const f = await open()
    await f.write(encode(text(1)))
    assert.equal((await answer(f)).code, 'TOO_MANY')
    while ((await b.messages.texts({ device: hostile.localDevice, unread: true, limit: 1000 })).more);
    await f.write(encode(text(2)))
    assert.equal((await answer(f)).code, 'TOO_MANY')
    const again = await open()
    await again.write(encode(text(1)))
    assert.equal((await answer(again)).type, 'ok')
  })

  it('an answer to a frame that was never sent ends our stream, and the text waits for the next', async () => {
    const dirC = tempDir()
    const c = await messagingPeer(dirC.path)
    let lies = 2
    await hostile.handle(MESSAGING_PROTOCOL, async stream => {
      const f = frameStream(stream, { maxFrameBytes: 65536 })
      for (;;) {
        const frame = await f.read()
        if (frame === undefined) return
        const { n } = decode(frame, anything, 'frame')
        await f.write(encode({ type: 'ok', n: lies-- > 0 ? 999 : n }))
      }
    })
    await c.network.connect(hostile)
    const id = await c.messages.sendText(hostile.localDevice, 'patience')
    assert.equal(await c.messages.settled(id, WAIT_MS), 'delivered')
    await c.stop()
    dirC.clean()
  })
})
