/**
 * Stands before Yamux on every connection and reads the 12-byte frame headers as they come. Yamux keeps a data frame until
 * it is whole, up to the 4 GiB its header may claim, before it looks at any window or stream (reference: libp2p-facts.md,
 * "First" 6), and takes any number of streams. Here a frame longer than any window ends the connection before it is
 * buffered, and streams are counted as they are opened.
 */
import type { MessageStream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { SpacedriveError } from '../../storage/base/index.js'

const HEADER_BYTES = 12
const TYPE_DATA = 0
const FLAG_SYN = 1

export interface GuardLimits {
  maxFrameBytes: number
  /** Called for each stream the other side opens; false cuts the connection. */
  onStream(): boolean
}

/** Follows frame boundaries over chunks of any size. @returns why the connection must end, or undefined */
export function frameWatch({ maxFrameBytes, onStream }: GuardLimits): (chunk: Uint8Array) => string | undefined {
  const header = new Uint8Array(HEADER_BYTES)
  let have = 0
  let skip = 0
  return chunk => {
    let at = 0
    while (at < chunk.length) {
      if (skip > 0) {
        const n = Math.min(skip, chunk.length - at)
        skip -= n
        at += n
        continue
      }
      const n = Math.min(HEADER_BYTES - have, chunk.length - at)
      header.set(chunk.subarray(at, at + n), have)
      have += n
      at += n
      if (have < HEADER_BYTES) return undefined
      have = 0
      const view = new DataView(header.buffer)
      const length = view.getUint32(8)
      if ((view.getUint16(2) & FLAG_SYN) !== 0 && view.getUint32(4) !== 0 && !onStream()) {
        return 'it opens streams faster than is allowed'
      }
      if (view.getUint8(1) !== TYPE_DATA) continue
      if (length > maxFrameBytes) return `it announced a frame of ${length} bytes, ${maxFrameBytes} are allowed`
      skip = length
    }
    return undefined
  }
}

/** Wraps a muxer factory. `limitsFor` is asked once for each connection. */
export function guarded(
  factory: StreamMuxerFactory,
  limitsFor: (connection: MessageStream) => GuardLimits
): StreamMuxerFactory {
  return {
    protocol: factory.protocol,
    createStreamMuxer(connection): StreamMuxer {
      // A muxer learns of the end by an event, and this one has been: it would ping a dead connection for ever.
      if (connection.status !== 'open') {
        throw new SpacedriveError('STREAM_CLOSED', 'the connection ended before streams could be opened on it')
      }
      const watch = frameWatch(limitsFor(connection))
      // Before the muxer's own listener, in the same turn: both see every byte, this one first.
      connection.addEventListener('message', event => {
        const { data } = event
        for (const part of data instanceof Uint8Array ? [data] : data) {
          const why = watch(part)
          if (why === undefined) continue
          // The bytes that follow must not reach the muxer.
          event.stopImmediatePropagation()
          connection.abort(new SpacedriveError('FLOODED', `the connection was cut: ${why}`))
          return
        }
      })
      return partingQuietly(factory.createStreamMuxer(connection))
    }
  }
}

/**
 * Yamux says goodbye when it is cut, and throws where the connection under it is closed already and it has not been told of that
 * yet. Whoever cuts a connection that has just gone has nothing to hear of it, and an error that nobody expects there ends the program.
 */
function partingQuietly(muxer: StreamMuxer): StreamMuxer {
  const abort = muxer.abort.bind(muxer)
  muxer.abort = err => {
    try {
      abort(err)
    } catch {
      // Nobody is there any more to be told why.
    }
  }
  return muxer
}
