/** What the serving side of a sync may ask the driving one, and how it is answered (docs/protocols/agreements.md). */
import { z } from 'zod'
import { MAX_PATH_BYTES, parseRelPath, type RelPath, ROOT, textFromBytes } from '../../storage/base/index.js'
import type { Keep } from '../../sync/session/index.js'

const KEEPS = ['source', 'destination', 'both', 'newer', 'larger'] as const satisfies readonly Keep[]

/** Below the root of the sync, as base64 of its bytes: JSON has none, and not every path is text. */
const path = z
  .base64()
  .max(2 * MAX_PATH_BYTES)
  .transform((bytes, ctx): RelPath => {
    const text = textFromBytes(Buffer.from(bytes, 'base64'))
    if (text === '') return ROOT
    const parsed = parseRelPath(text)
    if ('path' in parsed) return parsed.path
    ctx.addIssue({ code: 'custom', message: parsed.refused })
    return z.NEVER
  })

const question = z.discriminatedUnion('what', [
  z.object({ what: z.literal('plan') }),
  /** What is the matter with it, in the words of the driver. */
  z.object({ what: z.literal('status') }),
  /** No guard is forced, and no rollback accepted, from afar. */
  z.object({ what: z.literal('run'), planHash: z.string().max(128).optional() }),
  z.object({ what: z.literal('why'), path }),
  z.object({ what: z.literal('conflicts') }),
  z.object({ what: z.literal('resolve'), path, keep: z.enum(KEEPS), later: z.boolean() })
])

/** A question as it is answered, with the path as it is here. */
export type Question = z.output<typeof question>
/** As it travels. */
export type QuestionBody = z.input<typeof question>

/** `id`: asked again and again under the same until there is an answer. */
export const questionBody = z.object({ sync: z.uuid(), id: z.uuid(), question })
/** The answer is not wanted any more. */
export const cancelBody = z.object({ sync: z.uuid(), id: z.uuid() })

export const answerBody = z.discriminatedUnion('state', [
  z.object({ state: z.literal('working') }),
  /** JSON, as text: names in it may be what messages cannot hold. */
  z.object({ state: z.literal('answered'), answer: z.string() }),
  z.object({
    state: z.literal('failed'),
    code: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/),
    message: z.string().max(4_000),
    hint: z.string().max(4_000).optional()
  })
])
export type AnswerBody = z.output<typeof answerBody>
