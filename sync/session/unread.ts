/** Why things could not be read, beside the rows of the snapshot: so that a person is told, and not only the planner. */
import { displayPath, type Problem, type RelPath } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import { ENDS, type End, otherEnd, type PlanRow } from '../reconcile/index.js'
import { pathKey } from './path-key.js'
import { endNumber, seenFinder } from './seen.js'

/** Kept in words no longer than this. */
const MAX_MESSAGE = 1_000
/** It was written to, or went, while it was looked at: the next look tells, and there is nothing for a person to do. */
const PASSING = new Set(['CHANGED_WHILE_READING', 'MISSING', 'LINK_IN_PATH', 'NOT_A_FILE'])

type Kept = Pick<Problem, 'code' | 'message'>

export function noteUnread(sql: Sql, at: End): (path: RelPath, problem: Kept) => void {
  const write = sql.prepare('INSERT OR REPLACE INTO unread VALUES (?, ?, ?, ?)')
  return (path, { code, message }) =>
    void write.run([endNumber(at), pathKey(path), code, message.slice(0, MAX_MESSAGE)])
}

/** Lets go of rows about what was read since, or is gone. */
export function forgetRead(sql: Sql): void {
  sql.exec(
    'DELETE FROM unread WHERE NOT EXISTS (SELECT 1 FROM seen s WHERE s.at = unread.at AND s.path = unread.path AND s.kind = 3)'
  )
}

type Unsettled = Extract<PlanRow, { row: 'unsettled' }>

/** Of what a plan leaves as it is for being unknown: what a person can do something about. */
export function unreadFinder(snapshot: Sql): (remark: Unsettled) => (Problem & { at: End }) | undefined {
  const seen = { source: seenFinder(snapshot, 'source'), destination: seenFinder(snapshot, 'destination') }
  const find = snapshot.prepare<Kept>('SELECT code, message FROM unread WHERE at = ? AND path = ?')
  return ({ path, why }) => {
    if (why !== 'unknown') return undefined
    const shown = displayPath(path)
    for (const at of ENDS) {
      const reason = seen[at](path)?.reason
      const problem = (code: string, words: string) => ({ path: shown, at, code, message: `${words}, at the ${at}` })
      if (reason === 'other-file-system')
        return problem('OTHER_FILE_SYSTEM', `could not sync ${shown}: another file system is mounted there`)
      // A pipe by itself is no one's loss; one in the place of a file keeps that from being carried.
      if (reason === 'special' && isCarried(seen[otherEnd(at)](path)))
        return problem('UNKNOWN', `could not sync ${shown}: a device, socket or FIFO stands there`)
      if (reason !== 'unreadable') continue
      const { code, message } = find.get([endNumber(at), pathKey(path)]) ?? UNTOLD
      return PASSING.has(code) ? undefined : problem(code, message === '' ? `could not read ${shown}` : message)
    }
    return undefined
  }
}

const isCarried = (row: { readonly kind: string } | undefined): boolean => row !== undefined && row.kind !== 'unknown'

/** It was renamed with the folder it lies in since it was looked at. */
const UNTOLD: Kept = { code: 'UNREADABLE', message: '' }
