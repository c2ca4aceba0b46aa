import { z } from 'zod'
import { isUuid, type MessageId } from '../../storage/base/index.js'
import { safeCount } from '../wire/index.js'
import { type Json, jsonSchema } from './json.js'
import { MAX_DEADLINE_MS, MAX_KIND_LENGTH } from './limits.js'

/**
 * What goes over a stream (docs/protocols/messaging.md). The side that opened it sends frames numbered from 1 without a gap;
 * the other answers each exactly once, by its number, in any order.
 */
const n = safeCount.min(1)
const kind = z
  .string()
  .max(MAX_KIND_LENGTH)
  .regex(/^[a-z][a-z0-9]*([.-][a-z0-9]+)*$/)
const id = z.custom<MessageId>(isUuid, { message: 'expected a UUID' })

const frames = {
  message: z.object({ type: z.literal('message'), n, id, kind, body: jsonSchema, sentAt: safeCount }),
  notify: z.object({ type: z.literal('notify'), n, kind, body: jsonSchema }),
  request: z.object({
    type: z.literal('request'),
    n,
    kind,
    body: jsonSchema,
    deadlineMs: safeCount.min(1).max(MAX_DEADLINE_MS)
  }),
  cancel: z.object({ type: z.literal('cancel'), n, request: n })
} as const

export type MessageFrame = z.infer<typeof frames.message>
export type NotifyFrame = z.infer<typeof frames.notify>
export type RequestFrame = z.infer<typeof frames.request>
export type CancelFrame = z.infer<typeof frames.cancel>
export type Frame = MessageFrame | NotifyFrame | RequestFrame | CancelFrame
/** A frame before it has its number. */
export type Unnumbered<F = Frame> = F extends Frame ? Omit<F, 'n'> : never

/** Enough of any frame, of this or a later version, to answer it. */
export const envelopeSchema = z.looseObject({ type: z.string().max(32), n })
export type Envelope = z.infer<typeof envelopeSchema>

/** @returns the frame, or the code it is answered with */
export function parseFrame(envelope: Envelope): Frame | 'UNKNOWN_TYPE' | 'MALFORMED' {
  if (!Object.hasOwn(frames, envelope.type)) return 'UNKNOWN_TYPE'
  const schema: z.ZodType<Frame> = frames[envelope.type as keyof typeof frames]
  const parsed = schema.safeParse(envelope)
  return parsed.success ? parsed.data : 'MALFORMED'
}

export const answerSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ok'), n, body: jsonSchema.optional() }),
  z.object({ type: z.literal('error'), n, code: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/) })
])
export type Answer = z.infer<typeof answerSchema>

export function isKind(value: string): boolean {
  return kind.safeParse(value).success
}

export type { Json }
