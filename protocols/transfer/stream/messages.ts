/** The few records that are MessagePack: what begins a stream and what ends a transfer. */
import { z } from 'zod'
import { bytes, safeCount } from '../../wire/index.js'
import { MAX_LISTED_PROBLEMS } from '../limits.js'
import { PROBLEM_CODE } from './problem-rows.js'

/** BEGIN: what the sender is about to send. The receiver compares it with what it accepted. */
export const beginSchema = z.object({
  version: z.literal(1),
  /** BLAKE3 of the manifest. */
  manifest: bytes(32),
  /** See `selectionHash`. */
  selection: bytes(32),
  entries: safeCount
})
export type Begin = z.infer<typeof beginSchema>

/** COMPLETE: everything is placed and durable at the receiver, but for these. */
export const completeSchema = z.object({
  files: safeCount,
  bytes: safeCount,
  problemCount: safeCount,
  problems: z
    .array(z.object({ file: safeCount, code: z.string().regex(PROBLEM_CODE), by: z.enum(['sender', 'receiver']) }))
    .max(MAX_LISTED_PROBLEMS)
})
export type Complete = z.infer<typeof completeSchema>

/** CANCEL and REFUSE: why, by code. */
export const codeSchema = z.object({ code: z.string().regex(PROBLEM_CODE) })
