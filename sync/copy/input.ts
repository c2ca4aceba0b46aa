import { z } from 'zod'
import type { AbsPath } from '../../storage/base/index.js'
import { OVERWRITE_MODES, type OverwriteMode } from './decide.js'

export const PREPARE_MODES = ['auto', 'index', 'scan'] as const
export type PrepareMode = (typeof PREPARE_MODES)[number]

/** What is asked of a copy or a move. */
export interface CopyInput {
  readonly operation: 'copy' | 'move'
  readonly sources: readonly AbsPath[]
  readonly destination: AbsPath
  /** The destination is a folder to copy into (it was written with a closing slash): made where it is missing. */
  readonly into: boolean
  readonly overwrite: OverwriteMode
  /** Content is read back from the disk and compared. */
  readonly verify: boolean
  /** Copies get the times of their sources; else that of the beginning of the job. */
  readonly keepTimes: boolean
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly prepare: PrepareMode
  /** What is replaced goes to the trash. */
  readonly keep: boolean
  readonly owner: boolean
  readonly xattrs: boolean
}

/** Patterns of one copy: more come from no person. */
export const MAX_PATTERNS = 1000
/** Sources of one copy: they are one row of the job; a folder brings any number of files. */
export const MAX_SOURCES = 10_000

const path = z.string().startsWith('/', 'expected an absolute path')
const patterns = z.array(z.string().min(1)).max(MAX_PATTERNS).default([])

/** What is asked the same way wherever the ends are. */
export const copyChoices = {
  operation: z.enum(['copy', 'move']),
  into: z.boolean().default(false),
  overwrite: z.enum(OVERWRITE_MODES).default('skip'),
  verify: z.boolean().default(false),
  keepTimes: z.boolean().default(true),
  include: patterns,
  exclude: patterns,
  keep: z.boolean().default(true)
}

export const copyInput = z.strictObject({
  ...copyChoices,
  sources: z.array(path).min(1).max(MAX_SOURCES),
  destination: path,
  prepare: z.enum(PREPARE_MODES).default('auto'),
  owner: z.boolean().default(false),
  xattrs: z.boolean().default(false)
}) as unknown as z.ZodType<CopyInput>
