/**
 * The packets of a connection that Noise has secured, as they are on the wire: the length (u16), the sealed content, and its tag.
 * libp2p's way for each of them is a dozen lists of memory, and a copy of every packet that came in two reads of the socket, which all
 * of the largest do. Here packets are sealed several at a time into one piece of memory, and opened where the socket read them.
 */
import { TAG_BYTES } from '../../storage/ciphers/index.js'
import { PacketIn, PacketOut } from './noise-cipher.js'
import { type PacketMemory, PLACE_BYTES } from './packet-memory.js'

const LENGTH_BYTES = 2
const MAX_CONTENT_BYTES = 65_535 - TAG_BYTES
const OVERHEAD_BYTES = LENGTH_BYTES + TAG_BYTES
/** Content of as many packets as a place holds. */
const RUN_BYTES = Math.floor(PLACE_BYTES / (MAX_CONTENT_BYTES + OVERHEAD_BYTES)) * MAX_CONTENT_BYTES

/** A list of pieces of memory, as libp2p has them, or one piece. */
type Bytes = Uint8Array | (Iterable<Uint8Array> & { readonly byteLength: number })

/** What @chainsafe/libp2p-noise makes of a connection, as far as this goes. */
export interface NoiseConnection {
  /** What lies below. */
  readonly stream: {
    /** Goes out before what is sent next. */
    readonly writeBuffer: { append(piece: Uint8Array): void }
    send(bytes: Uint8Array): boolean
  }
  /** Its ciphers, which count their nonces. */
  readonly handshake: { encrypt(packet: PacketOut): unknown; decrypt(packet: PacketIn): unknown }
  /** Is handed what comes from below, and answers with what is to be opened. */
  readonly decoder: {
    readonly buffer: Iterable<Uint8Array>
    decode(bytes: Bytes): Iterable<unknown>
  }
  /** What was opened and not yet handed on. */
  readonly readBuffer: { append(piece: Uint8Array): void }
  readonly readStatus: string
  dispatchReadBuffer(): void
  sendData(bytes: Bytes): { readonly sentBytes: number; readonly canSendMore: boolean }
}

/** To be called when the handshake is over, before anything else is done with the connection. @param memory - see `gatherWrites` */
export function packetsInPlace(connection: NoiseConnection, memory: PacketMemory): void {
  const { decoder, stream, handshake } = connection
  const incoming = new Pieces()
  for (const piece of decoder.buffer) incoming.push(piece)
  Object.assign(connection, {
    sendData(bytes: Bytes) {
      const content = new Pieces()
      for (const piece of piecesOf(bytes)) content.push(piece)
      let run = sealedRun(content, handshake, memory)
      // All of a message waits for its last run, so that the system is called once for it.
      for (; content.length > 0; run = sealedRun(content, handshake, memory)) stream.writeBuffer.append(run)
      return { sentBytes: bytes.byteLength, canSendMore: stream.send(run) }
    }
  })
  Object.assign(decoder, {
    decode(bytes: Bytes): [] {
      for (const piece of piecesOf(bytes)) incoming.push(piece)
      for (let packet = nextPacket(incoming); packet !== undefined; packet = nextPacket(incoming)) {
        handshake.decrypt(packet)
        for (const piece of packet.content) connection.readBuffer.append(piece)
      }
      connection.dispatchReadBuffer()
      return []
    }
  })
}

/** Takes as much content as a place holds, and seals it. */
function sealedRun(content: Pieces, { encrypt }: NoiseConnection['handshake'], memory: PacketMemory): Buffer {
  const contentBytes = Math.min(content.length, RUN_BYTES)
  const run = memory.take(contentBytes + Math.ceil(contentBytes / MAX_CONTENT_BYTES) * OVERHEAD_BYTES)
  for (let at = 0; at < run.length; ) {
    const length = Math.min(run.length - at - OVERHEAD_BYTES, MAX_CONTENT_BYTES)
    run.writeUInt16BE(length + TAG_BYTES, at)
    const from = at + LENGTH_BYTES
    at = from + length + TAG_BYTES
    encrypt(new PacketOut(content.take(length), run.subarray(from, from + length), run.subarray(from + length, at)))
  }
  return run
}

/** @returns undefined: it has not come whole @throws when it is no packet */
function nextPacket(incoming: Pieces): PacketIn | undefined {
  const sealedBytes = incoming.peekUint16()
  if (sealedBytes === undefined || incoming.length < LENGTH_BYTES + sealedBytes) return undefined
  if (sealedBytes < TAG_BYTES) throw new Error(`a packet of ${sealedBytes} bytes is too short for its tag`)
  incoming.take(LENGTH_BYTES)
  const content = incoming.take(sealedBytes - TAG_BYTES)
  const tag = incoming.take(TAG_BYTES)
  return new PacketIn(content, tag.length === 1 ? tag[0]! : Buffer.concat(tag))
}

const piecesOf = (bytes: Bytes): Iterable<Uint8Array> => (bytes instanceof Uint8Array ? [bytes] : bytes)

/** Memory in pieces, read from the front without a copy. */
class Pieces {
  readonly #pieces: Uint8Array[] = []
  length = 0

  push(piece: Uint8Array): void {
    if (piece.length === 0) return
    this.#pieces.push(piece)
    this.length += piece.length
  }

  /** The first two bytes, big-endian. */
  peekUint16(): number | undefined {
    if (this.length < 2) return undefined
    const [first, second] = [this.#pieces[0]!, this.#pieces[1]]
    return first[0]! * 256 + (first.length > 1 ? first[1]! : second![0]!)
  }

  /** No more than there are. */
  take(bytes: number): Uint8Array[] {
    const taken: Uint8Array[] = []
    this.length -= bytes
    for (let left = bytes; left > 0; ) {
      const piece = this.#pieces[0]!
      if (piece.length <= left) this.#pieces.shift()
      else this.#pieces[0] = piece.subarray(left)
      taken.push(piece.length <= left ? piece : piece.subarray(0, left))
      left -= taken.at(-1)!.length
    }
    return taken
  }
}
