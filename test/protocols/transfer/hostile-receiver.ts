/** A paired device that accepted a transfer, and answers its streams by hand and as it likes. */
import type { Stream } from '@libp2p/interface'
import { TRANSFER_PROTOCOL } from '../../../protocols/transfer/index.js'
import { framePipe } from '../../../protocols/transfer/stream/frame-pipe.js'
import { channelKey, PREAMBLE_BYTES, SALT_BYTES, transferIdFromBytes } from '../../../protocols/transfer/stream/keys.js'
import * as records from '../../../protocols/transfer/stream/records.js'
import { encode, type PeerSession } from '../../../protocols/wire/index.js'
import type { TestPeer } from '../../peers.js'

export interface AnsweredStream {
  /** What came, opened; frames of content first in the order of their channel. */
  readonly came: readonly records.OpenRecord[]
  /** Resolves when one of this type has come; rejects when the stream ended before. */
  saw(type: number, times?: number): Promise<void>
  /** Resolves when one more has come, of whatever type; rejects as `saw`. */
  more(type?: number): Promise<void>
  /** Resolves when the sender ended it. */
  readonly ended: Promise<void>
  account(head: Partial<records.RecordHead>, payload?: Uint8Array): Uint8Array
  answer(type: number, message: unknown): Uint8Array
  raw(bytes: Uint8Array): void
  /** Takes nothing more from the connection: what is sent piles up at the sender. */
  stopReading(): void
}

const EMPTY = new Uint8Array(0)

/** Serves transfer streams of one device with `play`, once for each stream, after its BEGIN. */
export async function hostileReceiver(
  peer: TestPeer,
  play: (stream: AnsweredStream, round: number) => void | Promise<void>
): Promise<void> {
  let round = 0
  await peer.network.handle(TRANSFER_PROTOCOL, async (stream, session) => {
    const answered = answer(stream, session)
    await answered.saw(records.BEGIN)
    await play(answered, round++)
    await answered.ended
  })
}

function answer(stream: Stream, session: PeerSession): AnsweredStream {
  const came: records.OpenRecord[] = []
  let sealers: Record<'answers' | 'account', records.Sealer>
  let openers: Record<'control' | 'content', records.Opener>
  let over = false
  let wake: (() => void)[] = []
  const wakeAll = (): void => {
    for (const w of wake.splice(0)) w()
  }
  const pipe = framePipe(stream, {
    preambleBytes: PREAMBLE_BYTES,
    maxFrameBytes: 2 ** 30,
    drainTimeoutMs: 60_000,
    onPreamble(bytes) {
      const salt = bytes.slice(0, SALT_BYTES)
      const id = transferIdFromBytes(bytes.subarray(SALT_BYTES))
      const transfer = new Uint8Array(Buffer.from(id.replaceAll('-', ''), 'hex'))
      const key = (channel: records.Channel): Uint8Array => channelKey(session, 'receiver', channel, salt, id)
      sealers = {
        answers: new records.Sealer(key('answers'), transfer),
        account: new records.Sealer(key('account'), transfer)
      }
      openers = {
        control: new records.Opener(key('control'), transfer),
        content: new records.Opener(key('content'), transfer)
      }
    },
    onFrame(frame) {
      came.push(openers[records.senderChannel(records.recordType(frame))].open(new Uint8Array(frame)))
      wakeAll()
    },
    onEnd() {
      over = true
      wakeAll()
    }
  })
  const more = async (type?: number): Promise<void> => {
    if (over) throw new Error(`the sender ended the stream before record ${type}`)
    await new Promise<void>(resolve => wake.push(resolve))
  }
  return {
    came,
    async saw(type, times = 1) {
      while (came.filter(r => r.type === type).length < times) await more(type)
    },
    more,
    ended: pipe.ended,
    account: (head, payload = EMPTY) =>
      sealers.account.seal({ type: 0, flags: 0, file: 0, offset: 0, length: payload.length, ...head }, payload),
    answer(type, message) {
      const payload = message === undefined ? EMPTY : encode(message)
      return sealers.answers.seal({ type, flags: 0, file: 0, offset: 0, length: payload.length }, payload)
    },
    raw: bytes => pipe.send(bytes),
    stopReading() {
      wake = []
      stream.pause()
    }
  }
}
