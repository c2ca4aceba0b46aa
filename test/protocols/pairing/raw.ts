/** Ends of the protocol that do what a test wants: bare libp2p streams with frames, and the machines driven by hand. */
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { CodeKeys } from '../../../protocols/pairing/derive.js'
import { codeKeys } from '../../../protocols/pairing/derive.js'
import { PAIRING_PROTOCOL, parseWords } from '../../../protocols/pairing/index.js'
import type { HandshakeInit } from '../../../protocols/pairing/initiator.js'
import { joiner, stepJoiner } from '../../../protocols/pairing/joiner.js'
import { type FrameStream, frameStream } from '../../../protocols/wire/index.js'
import { systemRandom } from '../../../storage/base/index.js'
import { sent } from './handshake.js'
import { addressOf } from './world.js'

export const keysOf = (words: string): CodeKeys => codeKeys(parseWords(words).entropy)

export interface Raw {
  readonly frames: FrameStream
  readonly connection: Connection
  readonly stream: Stream
}

/** Opens a pairing stream to a node, on a connection of its own. */
export async function open(from: Libp2p, to: Libp2p): Promise<Raw> {
  const connection = await from.dial(multiaddr(addressOf(to)), { force: true })
  const stream = await connection.newStream([PAIRING_PROTOCOL])
  return { connection, stream, frames: frameStream(stream, { maxFrameBytes: 4_096 }) }
}

export function halfOf(node: Libp2p, seed: number, remote: Libp2p): HandshakeInit {
  return {
    local: { publicKey: node.peerId.publicKey!.raw, seed: new Uint8Array(32).fill(seed) },
    remotePublicKey: remote.peerId.publicKey!.raw,
    info: { name: `raw ${seed}`, os: 'linux', model: '', epoch: 0 },
    ephemeral: systemRandom.bytes(32),
    nonce: systemRandom.bytes(32)
  }
}

/** A joiner that goes as far as a step and no further. */
export async function joinUntil(
  step: 'request' | 'challenge' | 'response' | 'complete',
  from: Libp2p,
  seed: number,
  to: Libp2p,
  words: string
): Promise<Raw> {
  const raw = await open(from, to)
  const first = joiner(halfOf(from, seed, to), keysOf(words))
  await raw.frames.write(sent(first.effects))
  if (step === 'request') return raw
  const challenge = await raw.frames.read()
  if (step === 'challenge') return raw
  const proven = stepJoiner(first.state, { kind: 'frame', raw: challenge! })
  const responded = stepJoiner(proven.state, { kind: 'chosen' })
  await raw.frames.write(sent(responded.effects))
  if (step === 'response') return raw
  await raw.frames.read()
  return raw
}

/** The next frame, or undefined when the other side ended the stream in whatever way. */
export async function answer(raw: Raw): Promise<Uint8Array | undefined> {
  try {
    const frame = await raw.frames.read()
    return frame === undefined ? undefined : new Uint8Array(frame)
  } catch {
    return undefined
  }
}
