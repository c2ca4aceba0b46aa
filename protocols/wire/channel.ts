import type { z } from 'zod'
import type { AbortOptions } from '../../storage/base/index.js'
import { decode, encode } from './codec.js'
import type { FrameStream, ReadOptions } from './framing.js'
import { wireError } from './wire-error.js'

/** Frames of one protocol as typed messages: what comes in is checked against `schema` before anyone sees it. */
export interface MessageChannel<In, Out> {
  /** The next message. @throws STREAM_CLOSED when the peer closed instead of sending one */
  receive(options?: ReadOptions): Promise<In>
  /** Likewise, but undefined when the peer closed its side. */
  receiveOrEnd(options?: ReadOptions): Promise<In | undefined>
  send(message: Out, options?: AbortOptions): Promise<void>
  readonly frames: FrameStream
}

export function messageChannel<In, Out>(
  frames: FrameStream,
  schema: z.ZodType<In>,
  what: string
): MessageChannel<In, Out> {
  async function receiveOrEnd(options?: ReadOptions): Promise<In | undefined> {
    const frame = await frames.read(options)
    return frame === undefined ? undefined : decode(frame, schema, what)
  }
  return {
    frames,
    receiveOrEnd,
    async receive(options) {
      const message = await receiveOrEnd(options)
      if (message === undefined)
        throw wireError('STREAM_CLOSED', `the peer closed the stream instead of sending ${what}`)
      return message
    },
    send: (message, options) => frames.write(encode(message), options)
  }
}
