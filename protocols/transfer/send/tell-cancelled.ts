import {
  type Clock,
  deadline,
  type Random,
  raceSignal,
  SpacedriveError,
  type TransferId
} from '../../../storage/base/index.js'
import { decode, encode, type PeerNetwork, type PeerSession } from '../../wire/index.js'
import { MAX_ANSWER_FRAME_BYTES } from '../limits.js'
import { TRANSFER_PROTOCOL } from '../protocol.js'
import { farewell } from '../stream/farewell.js'
import { framePipe } from '../stream/frame-pipe.js'
import { channelKey, SALT_BYTES, transferIdBytes } from '../stream/keys.js'
import { codeSchema } from '../stream/messages.js'
import { CANCEL, Opener, REFUSE, recordType, Sealer } from '../stream/records.js'
import type { TransferTimings } from '../timings.js'

export interface TellInit {
  readonly network: PeerNetwork
  readonly clock: Clock
  readonly random: Random
  readonly timings: TransferTimings
  readonly signal: AbortSignal
}

/** Tells the receiver that a transfer will not go on. Resolves when it has said that it knows. */
export async function tellCancelled(id: TransferId, { device }: PeerSession, init: TellInit): Promise<void> {
  const { network, clock, random, timings, signal } = init
  const { stream, peer } = await network.open(device, TRANSFER_PROTOCOL, { signal })
  const salt = random.bytes(SALT_BYTES)
  const transfer = transferIdBytes(id)
  const answers = new Opener(channelKey(peer, 'sender', 'answers', salt, id), transfer)
  const limit = deadline(timings.headerMs, 'the answer to a cancellation', signal)
  try {
    await raceSignal(
      new Promise<void>((resolve, reject) => {
        const pipe = framePipe(stream, {
          maxFrameBytes: MAX_ANSWER_FRAME_BYTES,
          drainTimeoutMs: timings.drainMs,
          onFrame(frame) {
            const record = answers.open(frame)
            if (recordType(frame) !== REFUSE) return
            decode(record.payload, codeSchema, 'a refusal')
            resolve(farewell(pipe, clock))
          },
          onEnd: error => reject(error ?? new SpacedriveError('STREAM_CLOSED', 'the stream ended without an answer'))
        })
        const payload = encode({ code: 'CANCELLED' })
        const control = new Sealer(channelKey(peer, 'sender', 'control', salt, id), transfer)
        pipe.send(Buffer.concat([salt, transfer]))
        pipe.send(control.seal({ type: CANCEL, flags: 0, file: 0, offset: 0, length: payload.length }, payload))
      }),
      limit.signal
    )
  } catch (err) {
    stream.abort(err as Error)
    throw err
  } finally {
    limit.clear()
  }
}
