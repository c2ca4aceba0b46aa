import { z } from 'zod'
import { bytes } from '../wire/index.js'

export const HELLO_PROTOCOL = '/spacedrive/hello/1.0.0'
export const HELLO_VERSION = 1
/** The largest message holds 8 addresses, 64 capabilities and a name: under 8 KiB. */
export const MAX_HELLO_FRAME_BYTES = 16 * 1024
/** From the opening of the connection to the end of the hello (PEERS 3). */
export const HELLO_TIMEOUT_MS = 5_000
export const NONCE_BYTES = 32
/** A proven secret, and one that waits for its first hello. */
export const MAX_EPOCHS = 2
/** Addresses of one device: its few interfaces, both families. */
export const MAX_TOLD_ADDRESSES = 8

const proof = bytes(32)
const epoch = z.number().int().min(1).max(0xffff_ffff)
export const addressesSchema = z.array(z.string().max(256)).max(MAX_TOLD_ADDRESSES)

/** What each side tells of itself once the other has proven the secret. All of it is a claim; the identity is the connection's. */
export const infoSchema = z.object({
  name: z.string().max(512),
  os: z.string().max(32),
  model: z.string().max(256),
  version: z.string().max(64),
  /** Protocols it serves and what else it can do: `/spacedrive/transfer/1.0.0`. */
  capabilities: z.array(z.string().max(64)).max(64),
  wallMs: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  /** How often its daemon was started; and 16 random bytes of this start. */
  starts: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  run: bytes(16),
  /** Where it listens. Hints, like every address. */
  addresses: addressesSchema
})
export type HelloInfo = z.infer<typeof infoSchema>

export const openSchema = z.object({
  t: z.literal('hello'),
  v: z.number().int(),
  nonce: bytes(NONCE_BYTES),
  /** Epochs of the secrets it holds for us. */
  epochs: z.array(epoch).min(1).max(MAX_EPOCHS)
})
export const answerSchema = z.object({ t: z.literal('answer'), epoch, nonce: bytes(NONCE_BYTES), proof })
/** `info` is a message of its own in bytes, so that the proof covers exactly what was sent. */
export const proveSchema = z.object({ t: z.literal('prove'), info: bytes(1, MAX_HELLO_FRAME_BYTES), proof })
export const welcomeSchema = z.object({ t: z.literal('welcome'), info: bytes(1, MAX_HELLO_FRAME_BYTES), proof })

/** Why a hello ends without a session; the only reasons that are told. */
export const refusalSchema = z.enum(['keys-differ', 'runs-twice', 'version', 'refused'])
export type Refusal = z.infer<typeof refusalSchema>
export const refuseSchema = z.object({ t: z.literal('refuse'), code: refusalSchema })

export const toDiallerSchema = z.union([answerSchema, welcomeSchema, refuseSchema])
export const toListenerSchema = z.union([openSchema, proveSchema, refuseSchema])
export type ToDialler = z.infer<typeof toDiallerSchema>
export type ToListener = z.infer<typeof toListenerSchema>

/** After the hello the stream stays open and carries these, both ways. What is unknown is answered with `unknown`. */
export const controlSchema = z.union([
  z.object({ t: z.literal('ping'), id: z.number().int() }),
  z.object({ t: z.literal('pong'), id: z.number().int() }),
  /** The sender opens no more streams on this connection: another one took over. */
  z.object({ t: z.literal('retire') }),
  /** What changed since the hello. */
  z.object({ t: z.literal('update'), name: z.string().max(512).optional(), addresses: addressesSchema.optional() }),
  /** The sender has met a second running peer with the receiver's key. */
  z.object({ t: z.literal('twice') }),
  z.object({ t: z.literal('unknown'), type: z.string().max(64) }),
  z.object({ t: z.string().max(64) })
])
export type Control = z.infer<typeof controlSchema>
