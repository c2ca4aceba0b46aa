/**
 * The audit log: what changed files on this device, when, by which command, from where, and how it ended. And the one way
 * in for whatever changes files, an action: previewed, refused or begun, logged.
 *
 *   const preview = await action.preview()                       // --dry-run ends here
 *   const { job } = await dispatchAction(audit, {                // a job: logged when it begins, completed when it ends
 *     command: 'file.delete', asked: paths, preview, begin: plan => jobs.dispatch(...)
 *   })
 *   await runAction(audit, { ...action, execute, counts })       // what is over at once
 *
 * Kept for a year, at most 100,000 rows.
 */
import type { Audit } from './audit.js'
import { type AuditComponents, AuditService } from './audit-service.js'

export {
  type Action,
  dispatchAction,
  type ImmediateAction,
  type JobAction,
  runAction
} from './action.js'
export type {
  Audit,
  AuditBegin,
  AuditEnd,
  AuditFilter,
  AuditId,
  AuditOutcome,
  AuditRecord
} from './audit.js'
export { type AuditComponents, THIS_DEVICE } from './audit-service.js'
export { MAX_AUDIT_PAGE, MAX_AUDIT_PATHS, MAX_AUDIT_ROWS } from './limits.js'

export function audit(components: AuditComponents): Audit {
  return new AuditService(components)
}
