/**
 * Lets a connection write what it is handed with one system call. libp2p's TCP connection writes each piece of a list by
 * itself, and a sealed packet is a list of length, header, content and tag: with Nagle's algorithm off each travelled as a
 * segment of its own, and the socket's mark of 16 KiB made every packet of 64 KiB wait for `drain`.
 */
import type { Socket } from 'node:net'
import type { PacketMemory } from './packet-memory.js'

/** What may wait in a socket before its writers do: what a turn of the loop seals, so that the kernel never runs dry. */
export const SOCKET_WAITING_BYTES = 256 * 1024

/** What @libp2p/tcp makes of a socket, as far as this goes. */
export interface SocketConnection {
  readonly socket: Socket
  /** `canSendMore: false` promises a `drain` of the socket. */
  sendData(pieces: Iterable<Uint8Array> & { readonly byteLength: number }): SentData
}

interface SentData {
  readonly sentBytes: number
  readonly canSendMore: boolean
}

/** Nothing happens to a connection of another kind (a relayed one). */
export function gatherWrites(connection: object, memory?: PacketMemory): void {
  const { socket, sendData } = connection as Partial<SocketConnection>
  if (socket === undefined || sendData === undefined) return
  Object.assign(connection, {
    sendData(pieces: Parameters<SocketConnection['sendData']>[0]): SentData {
      socket.cork()
      for (const piece of pieces) write(socket, piece, memory)
      socket.uncork()
      // A socket that holds this much was written to beyond its own mark: it will say `drain`.
      return { sentBytes: pieces.byteLength, canSendMore: socket.writableLength < SOCKET_WAITING_BYTES }
    }
  })
}

function write(socket: Socket, piece: Uint8Array, memory: PacketMemory | undefined): void {
  if (memory === undefined) socket.write(piece)
  // A socket that failed may still have it.
  else socket.write(piece, err => err == null && memory.wrote(piece))
}
