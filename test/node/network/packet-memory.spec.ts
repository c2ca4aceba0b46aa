import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import fc from 'fast-check'
import type { SocketConnection } from '../../../node/network/gathered.js'
import { PLACE_BYTES, PLACED_FROM_BYTES, packetMemory } from '../../../node/network/packet-memory.js'
import { letGoOfMemory } from '../../../storage/base/index.js'
import { piecesOf, writtenSocket } from './written-socket.js'

describe('memory of packets', () => {
  it('is used again once all of a packet was written, never before', () => {
    const memory = packetMemory()
    const packet = memory.take(100_000)
    memory.wrote(packet.subarray(0, 99_999))
    assert.notEqual(memory.take(100_000).buffer, packet.buffer)
    memory.wrote(packet.subarray(99_999))
    assert.equal(memory.take(PLACE_BYTES).buffer, packet.buffer)
  })

  it('is kept for as many as a large file has on its way', () => {
    const memory = packetMemory()
    const packets = Array.from({ length: (8 * 1024 * 1024) / PLACE_BYTES }, () => memory.take(PLACE_BYTES))
    const places = new Set(packets.map(packet => packet.buffer))
    for (const packet of packets) memory.wrote(packet)
    for (const _ of packets) assert.ok(places.has(memory.take(PLACE_BYTES).buffer))
  })

  it('small packets have memory of their own, and memory of others is nobody else’s', () => {
    const memory = packetMemory()
    const small = memory.take(PLACED_FROM_BYTES - 1)
    assert.equal(small.buffer.byteLength, small.length)
    for (const strange of [small, new Uint8Array(PLACE_BYTES)]) {
      memory.wrote(strange)
      assert.notEqual(memory.take(PLACE_BYTES).buffer, strange.buffer)
    }
  })

  it('what was said to be written twice is given once', () => {
    const memory = packetMemory()
    const packet = memory.take(PLACE_BYTES)
    memory.wrote(packet)
    memory.wrote(packet)
    assert.notEqual(memory.take(PLACE_BYTES).buffer, memory.take(PLACE_BYTES).buffer)
  })

  it('is let go at rest, but for what is not written yet', () => {
    const memory = packetMemory()
    const [out, packet] = [memory.take(PLACE_BYTES), memory.take(PLACE_BYTES)]
    memory.wrote(packet)
    letGoOfMemory()
    memory.wrote(out)
    assert.equal(memory.take(PLACE_BYTES).buffer, out.buffer)
    assert.notEqual(memory.take(PLACE_BYTES).buffer, packet.buffer)
  })

  it('never holds two packets that are both unwritten, whatever order they are written in', () => {
    const step = fc.record({ length: fc.integer({ min: 1, max: PLACE_BYTES }), write: fc.nat() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), steps => {
        const memory = packetMemory()
        const out: Buffer[] = []
        for (const { length, write } of steps) {
          const packet = memory.take(length)
          assert.equal(packet.length, length)
          assert.ok(out.every(other => other.buffer !== packet.buffer))
          out.push(packet)
          if (write % 2 === 0) memory.wrote(out.splice(write % out.length, 1)[0]!)
        }
      }),
      { numRuns: 50 }
    )
  })

  describe('behind a socket', () => {
    let there: Socket
    let connection: SocketConnection
    let close: () => void
    const memory = packetMemory()
    beforeEach(async () => {
      ;({ connection, there, close } = await writtenSocket(memory))
    })
    afterEach(() => close())

    it('packets arrive as they were sealed, though the other side takes nothing for long', async () => {
      const PACKETS = 200
      const { socket } = connection
      const memories = new Set<ArrayBufferLike>()
      there.pause()
      let got = 0
      const arrived = new Promise<void>((resolve, reject) => {
        there.on('data', (data: Buffer) => {
          for (const byte of data) {
            const expected = Math.floor(got++ / PLACE_BYTES) % 256
            if (byte !== expected) reject(new Error(`byte ${got} is ${byte} instead of ${expected}`))
          }
          if (got === PACKETS * PLACE_BYTES) resolve()
        })
      })
      for (let i = 0; i < PACKETS; i++) {
        const packet = memory.take(PLACE_BYTES).fill(i % 256)
        memories.add(packet.buffer)
        // In two pieces, as a list may cut them.
        const { canSendMore } = connection.sendData(piecesOf(packet.subarray(0, 5), packet.subarray(5)))
        // What the kernel took is told by then.
        await new Promise(resolve => setImmediate(resolve))
        if (canSendMore || !socket.writableNeedDrain) continue
        const drained = once(socket, 'drain')
        there.resume()
        await drained
        if (i < PACKETS / 2) there.pause()
      }
      there.resume()
      await arrived
      assert.ok(memories.size < PACKETS / 4, `${memories.size} places for ${PACKETS} packets`)
    })

    it('what a socket did not write is given to nobody', async () => {
      there.pause()
      const unwritten: Buffer[] = []
      for (let more = true; more; ) {
        const packet = memory.take(PLACE_BYTES)
        unwritten.push(packet)
        more = connection.sendData(piecesOf(packet)).canSendMore
      }
      // The system has seen a part of the last one. This one waits behind it.
      const last = memory.take(PLACE_BYTES)
      connection.sendData(piecesOf(last))
      const closed = once(connection.socket, 'close')
      connection.socket.destroy()
      await closed
      const free = Array.from({ length: 2 * unwritten.length + 64 }, () => memory.take(PLACE_BYTES).buffer)
      assert.ok(!free.includes(last.buffer))
    })
  })
})
