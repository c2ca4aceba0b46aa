/** The four messages as MessagePack maps with a `type`. What is hashed into the transcript is the frame's own bytes. */
import { z } from 'zod'
import { bytes, decode, encode } from '../wire/index.js'

export const VERSION = 1
/** X25519, HKDF-SHA256, AES-256-GCM, Ed25519. There is no other to fall back to. */
export const SUITE = 1

const sid = bytes(16)
/** Random or made of it: all zeros means a broken or a dishonest source. */
const fresh = bytes(32).refine(v => v.some(b => b !== 0), 'expected bytes that are not all zero')
const sealed = bytes(16, 2_048)

const request = z.object({
  type: z.literal('request'),
  v: z.literal(VERSION),
  suite: z.literal(SUITE),
  sid,
  /** X25519 key of the joiner, for this handshake alone. */
  key: fresh,
  /** Hash of the joiner's nonce, which Response opens. */
  commit: fresh,
  mac: bytes(32)
})
const challenge = z.object({
  type: z.literal('challenge'),
  sid,
  key: fresh,
  nonce: fresh,
  signature: bytes(64),
  info: sealed,
  mac: bytes(32)
})
const response = z.object({
  type: z.literal('response'),
  sid,
  nonce: fresh,
  signature: bytes(64),
  info: sealed,
  mac: bytes(32)
})
const complete = z.object({ type: z.literal('complete'), ok: z.literal(true), sid, mac: bytes(32) })
/** The one failure there is on the wire: it says nothing about the reason and carries nothing of the handshake. */
const failed = z.object({ type: z.literal('complete'), ok: z.literal(false), code: z.literal('pairing-failed') })

export type PairingRequest = z.infer<typeof request>
export type Challenge = z.infer<typeof challenge>
export type Response = z.infer<typeof response>
export type Complete = z.infer<typeof complete>
export type Message = PairingRequest | Challenge | Response | Complete | z.infer<typeof failed>

const message: z.ZodType<Message> = z.union([request, challenge, response, complete, failed])

export function encodeMessage(value: Message): Uint8Array {
  return encode(value)
}

/** @throws {SpacedriveError} MALFORMED */
export function parseMessage(raw: Uint8Array): Message {
  return decode(raw, message, 'a pairing message')
}

export const FAILED: Uint8Array = encodeMessage({ type: 'complete', ok: false, code: 'pairing-failed' })
