import { isAbort, type JobId, toPlainError } from '../base/index.js'
import type { Audit, AuditBegin, AuditEnd } from './audit.js'

/** Something that changes files: looked at first, done only when that went well, and written down. */
export interface Action<P> {
  /** Dotted, as the operation: `file.copy`. */
  readonly command: string
  /** What was asked for, in display form: what the log shows when the preview itself fails. */
  readonly asked: readonly string[]
  /** See `AuditBegin.origin`. */
  readonly origin?: string | undefined
  /**
   * Looks and changes nothing. What it gives back is exactly what would be done, or what is known of it before it begins.
   * @throws {SpacedriveError} where it must not begin: logged as refused
   */
  preview(): Promise<P>
  /** What the log tells of it. */
  describe?(preview: P): Partial<Pick<AuditBegin, 'paths' | 'pathCount' | 'details'>>
}

export interface ImmediateAction<P, O> extends Action<P> {
  execute(preview: P): Promise<O>
  /** `done`, or `problems` when there are some. */
  counts(output: O): Pick<AuditEnd, 'files' | 'bytes' | 'problems'>
}

export interface JobAction<P> extends Action<P> {
  /** Begins the job; its end is the action's. */
  begin(preview: P): Promise<JobId>
}

/** Previews, logs, executes, logs the end. @throws what the action throws */
export async function runAction<P, O>(audit: Audit, action: ImmediateAction<P, O>): Promise<O> {
  const { id, preview } = await beginAction(audit, action)
  try {
    const output = await action.execute(preview)
    const counts = action.counts(output)
    await audit.end(id, { outcome: (counts.problems ?? 0) > 0 ? 'problems' : 'done', ...counts })
    return output
  } catch (err) {
    await audit.end(id, { outcome: isAbort(err) ? 'cancelled' : 'failed', error: toPlainError(err) })
    throw err
  }
}

/** Previews, logs, begins the job. @returns as soon as it has begun */
export async function dispatchAction<P>(audit: Audit, action: JobAction<P>): Promise<{ preview: P; job: JobId }> {
  const { id, preview } = await beginAction(audit, action)
  try {
    const job = await action.begin(preview)
    await audit.carriedOutBy(id, job)
    return { preview, job }
  } catch (err) {
    await audit.end(id, { outcome: 'failed', error: toPlainError(err) })
    throw err
  }
}

async function beginAction<P>(audit: Audit, action: Action<P>) {
  const { command, origin, asked } = action
  const entry = { command, origin, paths: asked }
  let preview: P
  try {
    preview = await action.preview()
  } catch (err) {
    if (!isAbort(err)) await audit.end(await audit.begin(entry), { outcome: 'refused', error: toPlainError(err) })
    throw err
  }
  return { id: await audit.begin({ ...entry, ...action.describe?.(preview) }), preview }
}
