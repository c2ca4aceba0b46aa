/** What is told of a sync, here or by the device that drives it: the same shapes, checked where they come from there. */
import { z } from 'zod'
import type { RunReport } from '../../sync/session/index.js'

const pathed = { path: z.string(), pathBytes: z.base64().optional() }
const end = z.enum(['source', 'destination'])
const count = z.number().int().min(0)
const side = z.object({ kind: z.string(), sizeBytes: z.number(), mtimeMs: z.number() }).nullable()

/** Optional fields are left out, never undefined: as JSON has it. */
const conflicted: z.ZodType<RunReport['conflicts']> = z.array(
  z.object({ path: z.string(), resolution: z.string(), copy: z.string().optional() })
) as never
const problemsOf = z.array(z.object({ path: z.string(), code: z.string(), message: z.string() }))

const plan = z.object({
  ...{ sync: z.string(), planHash: z.string().nullable(), totals: z.unknown() },
  list: z.array(z.object({ kind: z.string(), end, reason: z.string(), ...pathed, to: z.string().optional() })),
  ...{ more: count, halts: z.array(z.string()), text: z.string().min(1), refused: z.boolean() },
  // Not told by earlier releases.
  ...{ conflicts: conflicted.default([]), problems: problemsOf.default([]) }
})

const why = z.object({
  ...{ sync: z.string(), ...pathed, state: z.string(), text: z.string() },
  ...{ advice: z.string().nullable(), since: z.number().nullable() },
  rule: z.object({ file: z.string(), line: z.number(), pattern: z.string() }).nullable(),
  ...{ source: side, destination: side },
  changes: z.array(z.object({ run: z.string(), at: z.number(), end: z.string(), kind: z.string(), reason: z.string() }))
})

const conflicts = z.object({
  ...{ sync: z.string(), policy: z.string() },
  conflicts: z.array(z.object({ ...pathed, source: side, destination: side, answered: z.string().nullable() })),
  /** Not in the list. */
  more: count,
  // Not told by earlier releases.
  settled: z
    .array(z.object({ path: z.string(), resolution: z.string(), copy: z.string().nullable(), at: z.number() }))
    .default([])
})

/** Optional fields are left out, never undefined: as JSON has it. */
const run: z.ZodType<RunReport> = z.object({
  sync: z.string(),
  state: z.enum(['converged', 'conflicts', 'problems', 'halted', 'waiting', 'cancelled', 'failed']),
  ...{ reason: z.string().optional(), planHash: z.string().optional() },
  ...{ operations: count, bytesTransferred: count, durationMs: z.number() },
  ...{ conflicts: conflicted, problems: problemsOf },
  ...{ halts: z.array(z.string()).optional(), hint: z.string().optional(), rulesChanged: z.boolean().optional() },
  ignored: z.object({ files: count, of: count }).optional(),
  notes: z.array(z.string()).optional()
}) as never

const resolve = z.object({
  ...{ sync: z.string(), keep: z.string(), paths: z.array(z.object(pathed)) },
  ...{ paused: z.boolean(), run: run.nullable() }
})

export type PlanView = z.output<typeof plan>
export type WhyView = z.output<typeof why>
export type ConflictsView = z.output<typeof conflicts>
export type ResolveView = z.output<typeof resolve>

export const farViews = { plan, why, conflicts, run, resolve } as const
