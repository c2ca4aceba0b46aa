/** A large directory that another device tells of as renamed, and of nothing else: its rows follow when the session is over (`renames.ts`). */
import { isWithin, type RelPath } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import type { End } from '../reconcile/index.js'
import type { FollowedChanges } from './followed.worker.js'
import { RENAME_LATER_FROM } from './hints.js'
import { keysBelow, pathKey } from './path-key.js'
import { endNumber, isAlikeToPlan, readKeys, seenFinder } from './seen.js'

/**
 * @returns the rename, if that is all there is to a plan: nothing was known under the new name, nothing is under the old one, what else was told are
 *   directories of which no plan takes notice, and each file it holds has been read (they are asked for by the names of their rows)
 */
export function renameAlone(
  sql: Sql,
  { at, moves, entries, gone, mark }: FollowedChanges
): { readonly path: RelPath; readonly to: RelPath } | undefined {
  const [move] = moves
  if (mark === undefined || moves.length !== 1 || move === undefined) return undefined
  const { path, to } = move
  if (isWithin(path, to) || isWithin(to, path)) return undefined
  const find = seenFinder(sql, at)
  const row = find(path)
  if (row?.kind !== 'directory' || row.inode !== move.inode || row.birthNs !== move.birthNs) return undefined
  if (find(to) !== undefined || readKeys(sql, at, to, 1).length > 0) return undefined
  if (gone.some(name => name !== path)) return undefined
  const isQuiet = (entry: FollowedChanges['entries'][number]): boolean => {
    if (entry.path === to) return isAlikeToPlan(row, entry)
    const known = find(entry.path)
    const isInside = isWithin(entry.path, path) || isWithin(entry.path, to)
    return !isInside && known?.kind === 'directory' && isAlikeToPlan(known, entry)
  }
  if (!entries.every(isQuiet)) return undefined
  if (readKeys(sql, at, path, RENAME_LATER_FROM).length < RENAME_LATER_FROM) return undefined
  const unread = sql
    .prepare('SELECT 1 FROM seen WHERE at = ? AND path >= ? AND path < ? AND kind = 0 AND hash IS NULL LIMIT 1')
    .get([endNumber(at), ...keysBelow(pathKey(path))])
  return unread === undefined ? { path, to } : undefined
}

/** As the scan of an end of this device notes it. */
export function renameLater(sql: Sql, at: End, { path, to }: { readonly path: RelPath; readonly to: RelPath }): void {
  sql.prepare('INSERT INTO renamed VALUES (?, ?, ?)').run([endNumber(at), pathKey(path), pathKey(to)])
}
