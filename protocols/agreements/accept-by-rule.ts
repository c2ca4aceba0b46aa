import { type AbsPath, displayPath, toPlainError } from '../../storage/base/index.js'
import { isWritten, type ServedSync } from '../../sync/serving/index.js'
import type { AgreementsInit } from './index.js'

/**
 * Accepts what a rule takes (`SyncRules.judge`); all else waits for a person, also what a rule takes and then cannot be. Either is
 * in the audit log: nobody was asked.
 */
export async function acceptByRule(
  { rules, audit }: Pick<AgreementsInit, 'rules' | 'audit'>,
  sync: ServedSync,
  accept: (path: AbsPath, versions: string | undefined) => Promise<unknown>
): Promise<void> {
  const verdict = await rules.judge(sync)
  if (!verdict.take) return
  const { path, rule } = verdict
  const details = { sync: sync.name, mode: sync.mode, rule: displayPath(rule.path), access: rule.access }
  const id = await audit.begin({
    ...{ command: 'sync.accept', origin: sync.device, paths: [displayPath(path)], details }
  })
  try {
    await accept(path, isWritten(sync) ? rule.versions : undefined)
    await audit.end(id, { outcome: 'done' })
  } catch (err) {
    await audit.end(id, { outcome: 'failed', error: toPlainError(err) })
  }
}
