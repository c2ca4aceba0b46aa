/** A paired device that opens a transfer stream by hand and says what it likes. */
import { randomBytes } from 'node:crypto'
import { TRANSFER_PROTOCOL } from '../../../protocols/transfer/index.js'
import { selectionHash } from '../../../protocols/transfer/manifest/selection.js'
import { framePipe } from '../../../protocols/transfer/stream/frame-pipe.js'
import { channelKey, transferIdBytes } from '../../../protocols/transfer/stream/keys.js'
import * as records from '../../../protocols/transfer/stream/records.js'
import { encode } from '../../../protocols/wire/index.js'
import { hashBytes, hashToBytes } from '../../../storage/content/index.js'
import { WAIT_MS } from '../../waits.js'
import type { Pair, Prepared } from './devices.js'

export interface HostileStream {
  /** Resolves when the receiver ended it. */
  readonly ended: Promise<void>
  begin(overrides?: Record<string, unknown>): void
  /** Waits for a record of this type, the first unless told. @throws when the receiver ends the stream without one */
  answer(type: number, times?: number): Promise<records.OpenRecord>
  content(head: Partial<records.RecordHead>, payload?: Uint8Array): Uint8Array
  control(type: number, payload: Uint8Array): Uint8Array
  raw(bytes: Uint8Array): void
  close(): void
}

const EMPTY = new Uint8Array(0)

export async function hostileStream(pair: Pair, { send }: Pick<Prepared, 'send'>): Promise<HostileStream> {
  const { id, manifest, selection } = send
  const { stream, peer } = await pair.sender.peer.network.open(pair.receiver.peer.id, TRANSFER_PROTOCOL)
  const salt = new Uint8Array(randomBytes(32))
  const transfer = transferIdBytes(id)
  const key = (channel: records.Channel): Uint8Array => channelKey(peer, 'sender', channel, salt, id)
  const sealers = {
    control: new records.Sealer(key('control'), transfer),
    content: new records.Sealer(key('content'), transfer)
  }
  const openers = {
    answers: new records.Opener(key('answers'), transfer),
    account: new records.Opener(key('account'), transfer)
  }
  const came: records.OpenRecord[] = []
  let wake = (): void => {}
  let over = false
  const pipe = framePipe(stream, {
    maxFrameBytes: 64 * 1024,
    drainTimeoutMs: WAIT_MS,
    onFrame(frame) {
      came.push(openers[records.receiverChannel(records.recordType(frame))].open(frame))
      wake()
    },
    onEnd() {
      over = true
      wake()
    }
  })
  pipe.send(Buffer.concat([salt, transfer]))
  const seal = (channel: 'control' | 'content', head: Partial<records.RecordHead>, payload: Uint8Array): Uint8Array =>
    sealers[channel].seal({ type: 0, flags: 0, file: 0, offset: 0, length: payload.length, ...head }, payload)
  return {
    ended: pipe.ended,
    begin(overrides = {}) {
      const begin = {
        version: 1,
        manifest: hashToBytes(manifest.hash),
        selection: selectionHash(selection, manifest.totals.entries),
        entries: manifest.totals.entries,
        ...overrides
      }
      pipe.send(seal('control', { type: records.BEGIN }, encode(begin)))
    },
    async answer(type, times = 1) {
      for (;;) {
        const found = came.filter(r => r.type === type)[times - 1]
        if (found !== undefined) return found
        if (over) throw new Error(`the receiver ended the stream without a record of type ${type}`)
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    },
    content: (head, payload = EMPTY) => seal('content', head, payload),
    control: (type, payload) => seal('control', { type }, payload),
    raw: bytes => pipe.send(bytes),
    close: () => pipe.abort(new Error('done'))
  }
}

/** The payload of a PACK that holds these. */
export function packOf(...files: [index: number, content: Uint8Array, declared?: number][]): Uint8Array {
  const rows = files.map(([index, bytes, declared]) => {
    const row = Buffer.alloc(8)
    row.writeUInt32BE(index)
    row.writeUInt32BE(declared ?? bytes.length, 4)
    return Buffer.concat([row, hashToBytes(hashBytes(bytes))])
  })
  return Buffer.concat([...files.map(([, bytes]) => bytes), ...rows])
}
