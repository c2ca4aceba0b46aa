import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { gatherWrites, type SocketConnection } from '../../../node/network/gathered.js'

export type Pieces = Uint8Array[] & { byteLength: number }

export const piecesOf = (...list: Uint8Array[]): Pieces =>
  Object.assign(list, { byteLength: list.reduce((n, p) => n + p.length, 0) })

export interface WrittenSocket {
  readonly connection: SocketConnection
  /** The other end. */
  readonly there: Socket
  close(): void
}

/** A real connection on loopback whose writes are gathered. @param memory - as `gatherWrites` takes it */
export async function writtenSocket(memory?: Parameters<typeof gatherWrites>[1]): Promise<WrittenSocket> {
  const server = createServer({ noDelay: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const [there] = await accepted
  const connection: SocketConnection = { socket, sendData: () => assert.fail('the old way') }
  gatherWrites(connection, memory)
  return {
    ...{ connection, there },
    close() {
      socket.destroy()
      there.destroy()
      server.close()
    }
  }
}
