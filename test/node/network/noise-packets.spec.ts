import assert from 'node:assert/strict'
import { once } from 'node:events'
import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { ConnectionEncrypter, MessageStream, SecuredConnection } from '@libp2p/interface'
import { defaultLogger } from '@libp2p/logger'
import { multiaddrConnectionPair } from '@libp2p/utils'
import fc from 'fast-check'
import { encrypterInPlace } from '../../../node/network/encrypter.js'
import { PLACE_BYTES, packetMemory } from '../../../node/network/packet-memory.js'

type Ours = 'ours' | 'theirs'
const MAX_PACKET_BYTES = 65_519

async function encrypterOf(whose: Ours): Promise<ConnectionEncrypter> {
  const components = {
    ...{ privateKey: await generateKeyPair('Ed25519'), logger: defaultLogger() },
    upgrader: { getStreamMuxers: () => new Map() }
  }
  const encrypter = noise()(components as never) as unknown as ConnectionEncrypter
  return whose === 'ours' ? encrypterInPlace(encrypter) : encrypter
}

/** What passes between two ends below Noise; each chunk of it may be cut or changed. */
type OnWire = (chunk: Uint8Array) => Uint8Array[]

interface Pair {
  readonly out: MessageStream
  readonly into: MessageStream
  /** From then on, for what `out` sends. */
  tap(onWire: OnWire): void
}

/** A handshake between two ends in memory. */
async function pairOf(from: Ours, to: Ours): Promise<Pair> {
  const [a, b] = multiaddrConnectionPair({ delay: 0 })
  let onWire: OnWire = chunk => [chunk]
  const below = b as typeof b & { onData(data: Uint8Array | { subarray(): Uint8Array }): void }
  const onData = below.onData.bind(b)
  below.onData = data => {
    // A copy, as a socket reads into memory of its own.
    const chunk = Uint8Array.from(data instanceof Uint8Array ? data : data.subarray())
    for (const part of onWire(chunk)) onData(part)
  }
  const [one, other] = [await encrypterOf(from), await encrypterOf(to)]
  const [out, into] = (await Promise.all([one.secureOutbound(a), other.secureInbound(b)])) as [
    SecuredConnection,
    SecuredConnection
  ]
  const tap = (change: OnWire): void => {
    onWire = change
  }
  return { out: out.connection, into: into.connection, tap }
}

function received(stream: MessageStream, bytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = []
    let got = 0
    stream.addEventListener('message', ({ data }) => {
      const part = Uint8Array.from(data.subarray())
      parts.push(part)
      got += part.length
      if (got >= bytes) resolve(Buffer.concat(parts))
    })
    stream.addEventListener('close', ({ error }) => reject(error ?? new Error('closed')))
  })
}

/** Cuts a chunk at places that a number says. */
const cutBy =
  (seed: number): OnWire =>
  chunk => {
    const parts: Uint8Array[] = []
    for (let at = 0, i = seed; at < chunk.length; i++) {
      const length = 1 + ((i * 7_919) % [3, 1_200, 65_536][i % 3]!)
      parts.push(chunk.subarray(at, at + length))
      at += length
    }
    return parts
  }

/** Repeats in no length that packets have. */
const pattern = (seed: number): Buffer => Buffer.from(Array.from({ length: 251 }, (_, at) => (at * 31 + seed) % 256))

const LENGTHS = [1, 2, 1_199, MAX_PACKET_BYTES, MAX_PACKET_BYTES + 1, 4 * MAX_PACKET_BYTES, 4 * MAX_PACKET_BYTES + 1]

describe("Noise's packets in place", () => {
  for (const [from, to] of [
    ['ours', 'theirs'],
    ['theirs', 'ours'],
    ['ours', 'ours']
  ] as const) {
    it(`what ${from} sealed comes whole to ${to}, however long it is and wherever the socket cuts it`, async () => {
      const { out, into, tap } = await pairOf(from, to)
      const length = fc.oneof(fc.constantFrom(...LENGTHS), fc.integer({ min: 1, max: 600_000 }))
      const pieces = fc.array(length, { minLength: 1, maxLength: 3 })
      await fc.assert(
        fc.asyncProperty(pieces, fc.nat({ max: 1_000 }), async (lengths, seed) => {
          const sent = lengths.map((n, i) => Buffer.alloc(n, pattern(i + seed)))
          tap(cutBy(seed))
          const came = received(
            into,
            lengths.reduce((sum, n) => sum + n, 0)
          )
          for (const piece of sent) if (!out.send(piece)) await once(out, 'drain')
          assert.ok((await came).equals(Buffer.concat(sent)))
        }),
        { numRuns: 10 }
      )
    })
  }

  it('a packet that was changed, cut short, left out or sent twice ends the connection, and nothing of it is handed on', async () => {
    const changes: readonly [string, OnWire][] = [
      ['content', chunk => [chunk.with(100, chunk[100]! ^ 1)]],
      ['tag', chunk => [chunk.with(chunk.length - 1, chunk.at(-1)! ^ 1)]],
      ['twice', chunk => [chunk, Uint8Array.from(chunk)]],
      ['no room for a tag', () => [Uint8Array.of(0, 15, ...Buffer.alloc(15))]]
    ]
    for (const [what, change] of changes) {
      const { out, into, tap } = await pairOf('ours', 'ours')
      tap(change)
      const came: Uint8Array[] = []
      into.addEventListener('message', ({ data }) => came.push(Uint8Array.from(data.subarray())))
      const closed = once(into, 'close')
      out.send(Buffer.alloc(5_000, 7))
      await closed
      assert.equal(into.status, 'aborted', what)
      // What comes a second time was good the first time.
      assert.equal(came.length, what === 'twice' ? 1 : 0, what)
    }
    const { out, into, tap } = await pairOf('ours', 'ours')
    tap(() => [])
    const gone = once(out, 'idle')
    out.send(Buffer.alloc(5_000, 7))
    await gone
    await new Promise(resolve => setImmediate(resolve))
    tap(chunk => [chunk])
    const closed = once(into, 'close')
    out.send(Buffer.alloc(5_000, 8))
    await closed
    assert.equal(into.status, 'aborted', 'left out')
  })

  it('an encrypter of another make keeps its way', async () => {
    const sent: unknown[] = []
    const connection = { sendData: () => ({ sentBytes: 0, canSendMore: true }), send: (x: unknown) => sent.push(x) }
    const other = {
      protocol: '/other',
      secureInbound: async () => ({ connection }),
      secureOutbound: async () => ({ connection })
    } as unknown as ConnectionEncrypter
    const { sendData } = connection
    await encrypterInPlace(other, packetMemory()).secureInbound(connection as never)
    assert.equal(connection.sendData, sendData)
  })

  it('a long message is sealed in places, which hold four packets each, and goes out at once', async () => {
    const memory = packetMemory()
    const taken: number[] = []
    const take = (length: number): Buffer => {
      taken.push(length)
      return memory.take(length)
    }
    const watched = { ...memory, take }
    const [a, b] = multiaddrConnectionPair({ delay: 0 })
    const secured = await Promise.all([
      encrypterInPlace(await encrypterOf('theirs'), watched).secureOutbound(a),
      (await encrypterOf('theirs')).secureInbound(b)
    ])
    taken.length = 0
    let sends = 0
    const send = a.send.bind(a)
    a.send = bytes => {
      sends++
      return send(bytes)
    }
    const content = Buffer.alloc(5 * MAX_PACKET_BYTES, 1)
    const came = received(secured[1].connection, content.length)
    secured[0].connection.send(content)
    assert.ok((await came).equals(content))
    assert.deepEqual(taken, [PLACE_BYTES, MAX_PACKET_BYTES + 18])
    assert.equal(sends, 1)
  })
})
