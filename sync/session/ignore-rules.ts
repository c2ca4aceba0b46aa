import { type AbortOptions, parentOf, ROOT, SpacedriveError } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Endpoint } from '../endpoints/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import { IGNORE_FILE, type IgnoreRules, MAX_IGNORE_FILE_BYTES } from './ignored.js'
import { snapshotting } from './snapshot.worker.js'

export interface IgnoreRulesInit extends AbortOptions {
  /** Patterns of `--ignore`. */
  readonly patterns: readonly string[]
  /** One that is away tells no rules. */
  readonly ends: Readonly<Partial<Record<End, Endpoint>>>
  readonly snapshot: Database
}

/**
 * Rules of both ends and of the sync: what one end ignores is unknown at both.
 * @throws {SpacedriveError} IGNORE_UNREADABLE
 */
export async function ignoreRules({ patterns, ends, snapshot, signal }: IgnoreRulesInit): Promise<IgnoreRules[]> {
  const rules: IgnoreRules[] = patterns.length === 0 ? [] : [{ folder: ROOT, text: patterns.join('\n') }]
  for (const at of ENDS) {
    const end = ends[at]
    if (end === undefined) continue
    const name = IGNORE_FILE
    let paths = await snapshot.maintain(snapshotting.ignoreFiles, { at, name, maxBytes: MAX_IGNORE_FILE_BYTES })
    while (paths.length > 0) {
      const some = paths.slice(0, 500)
      const pack = await end.readPack(some, { signal })
      for (const file of pack.files) {
        if (file.problem !== undefined)
          throw new SpacedriveError('IGNORE_UNREADABLE', `could not read ${file.path}: ${file.problem.message}`, {
            hint: 'Without it nobody knows what is to be left alone. Make it readable, or remove it.'
          })
        const text = Buffer.from(pack.data.subarray(file.offset, file.offset + file.length)).toString('utf8')
        rules.push({ folder: parentOf(file.path), text })
      }
      paths = [...paths.slice(pack.files.length)]
    }
  }
  return rules
}
