import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { MultiaddrConnection } from '@libp2p/interface'
import { gatherWrites, SOCKET_WAITING_BYTES, type SocketConnection } from '../../../node/network/gathered.js'
import { startTransport } from '../../../node/network/transport.js'
import { WAIT_MS } from '../../waits.js'
import { piecesOf, writtenSocket } from './written-socket.js'

describe('a connection that gathers its writes', () => {
  let there: Socket
  let connection: SocketConnection
  let close: () => void
  beforeEach(async () => {
    ;({ connection, there, close } = await writtenSocket())
  })
  afterEach(() => close())

  it('the pieces of a list arrive as one', async () => {
    const arrived = once(there, 'data') as Promise<[Buffer]>
    const sent = connection.sendData(
      piecesOf(Buffer.alloc(2, 1), Buffer.alloc(12, 2), Buffer.alloc(1000, 3), Buffer.alloc(16, 4))
    )
    assert.deepEqual(sent, { sentBytes: 1030, canSendMore: true })
    const [data] = await arrived
    assert.equal(data.length, 1030)
    assert.deepEqual([data[1], data[13], data[1013], data[1029]], [1, 2, 3, 4])
  })

  it('stops its writer while the other side takes nothing, says when it may go on, and keeps the order', async () => {
    there.pause()
    let sent = 0
    let value = 0
    for (let more = true; more; ) {
      const pieces = piecesOf(...Array.from({ length: 16 }, () => Buffer.alloc(4096, value++)))
      more = connection.sendData(pieces).canSendMore
      sent += pieces.byteLength
    }
    const { writableLength } = connection.socket
    assert.ok(writableLength >= SOCKET_WAITING_BYTES && writableLength < 2 * SOCKET_WAITING_BYTES, `${writableLength}`)
    const drained = once(connection.socket, 'drain')
    let got = 0
    const everything = new Promise<void>(resolve => {
      there.on('data', (data: Buffer) => {
        for (let i = 0; i < data.length; i += 512) {
          if (data[i] !== (Math.floor((got + i) / 4096) & 255)) assert.fail(`other bytes at ${got + i}`)
        }
        got += data.length
        if (got === sent) resolve()
      })
    })
    there.resume()
    await drained
    await everything
    assert.equal(connection.socket.writableLength, 0)
  })

  it('leaves a connection alone that does not stand on a socket', () => {
    const relayed = { sendData: () => ({ sentBytes: 0, canSendMore: true }) }
    const { sendData } = relayed
    gatherWrites(relayed)
    assert.equal(relayed.sendData, sendData)
  })
})

describe('the connections of the own node', () => {
  it('gather their writes, in and out', async () => {
    const raw: MultiaddrConnection[] = []
    let seen = (): void => {}
    const both = new Promise<void>(resolve => {
      seen = resolve
    })
    const look = (_: unknown, connection: MultiaddrConnection): boolean => {
      if (raw.push(connection) === 2) seen()
      return false
    }
    const gater = { denyInboundEncryptedConnection: look, denyOutboundEncryptedConnection: look }
    const node = async () =>
      await startTransport({
        identity: { privateKey: await generateKeyPair('Ed25519') } as never,
        listen: ['/ip4/127.0.0.1/tcp/0'],
        gater,
        upgradeTimeoutMs: WAIT_MS,
        guard: () => ({ maxFrameBytes: 1024, onStream: () => true })
      })
    const [a, b] = [await node(), await node()]
    try {
      await a.dial(b.listening()[0]!, undefined, { signal: AbortSignal.timeout(WAIT_MS) })
      await both
      for (const connection of raw) {
        assert.ok(Object.hasOwn(connection, 'sendData'), 'the library has changed')
        assert.ok('socket' in connection)
      }
    } finally {
      await Promise.all([a.stop(), b.stop()])
    }
  })
})
