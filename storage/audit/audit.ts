import type { Brand, JobId, PlainError, Startable } from '../base/index.js'

export type AuditId = Brand<number, 'AuditId'>

/** `refused`: it was looked at and not begun. */
export type AuditOutcome = 'running' | 'done' | 'problems' | 'failed' | 'cancelled' | 'refused'

/** What is known of an operation before it begins. */
export interface AuditBegin {
  /** Dotted, as the operation: `file.delete`. */
  readonly command: string
  /** The id of the device that asked; this device unless told. */
  readonly origin?: string | undefined
  /** In display form; the first are kept (MAX_AUDIT_PATHS). */
  readonly paths: readonly string[]
  /** How many there are, when `paths` are only the first. */
  readonly pathCount?: number | undefined
  /** Plain values that tell it from others of its kind: the rule, the destination. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

export interface AuditEnd {
  readonly outcome: Exclude<AuditOutcome, 'running'>
  readonly files?: number | undefined
  readonly bytes?: number | undefined
  readonly problems?: number | undefined
  readonly error?: Pick<PlainError, 'code' | 'message'> | undefined
}

/** One line of the log. */
export interface AuditRecord {
  readonly id: AuditId
  readonly atMs: number
  readonly endedAtMs: number | null
  readonly command: string
  readonly origin: string
  readonly job: JobId | null
  readonly outcome: AuditOutcome
  readonly paths: readonly string[]
  readonly pathCount: number
  readonly files: number
  readonly bytes: number
  readonly problems: number
  readonly error: { readonly code: string; readonly message: string } | null
  readonly details: Readonly<Record<string, unknown>> | null
}

export interface AuditFilter {
  /** The newest so many. */
  readonly tail?: number | undefined
  readonly sinceMs?: number | undefined
  /** `file.delete`, or `file` for all of that word. */
  readonly command?: string | undefined
}

/** What changed files here, by which command, from where, and how it ended. */
export interface Audit extends Startable {
  /** Durable before the operation begins. */
  begin(entry: AuditBegin): Promise<AuditId>
  /** From now on the job's end is the operation's, whatever happens in between. */
  carriedOutBy(id: AuditId, job: JobId): Promise<void>
  end(id: AuditId, end: AuditEnd): Promise<void>
  /** Oldest first. */
  list(filter?: AuditFilter): readonly AuditRecord[]
}
