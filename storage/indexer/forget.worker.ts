import { type AbsPath, defineTasks } from '../base/index.js'
import { findByPath, IndexWriter, isBelow, pathOf, removeTree, rowById } from '../entries/index.js'
import type { Sql } from '../sql/index.js'
import type { IndexWrite } from './apply.worker.js'

export const forgetting = defineTasks(import.meta.url, {
  /**
   * Takes a location's rows out, some at a time. Locations inside it become trees of their own first; inside another
   * location there is nothing to take out.
   * @returns whether rows are left
   */
  forget(sql: Sql, input: IndexWrite & { path: AbsPath; limit: number }): boolean {
    const writer = new IndexWriter(sql, input)
    const root = findByPath(sql, input.host, input.path)
    const row = root === undefined ? undefined : rowById(sql, root)
    if (row === undefined || row.parent !== -input.host) return false
    const inner = sql
      .prepare<{ entry: number }>(
        'SELECT entry FROM locations WHERE host = ? AND shared = 0 AND path > ? AND path < ? ORDER BY length(path)'
      )
      .all([input.host, Buffer.concat([row.name, Buffer.from('/')]), Buffer.concat([row.name, Buffer.from('0')])])
    // Outermost first: what lies in one that was released stays in it.
    for (const { entry } of inner) if (entry !== null && isBelow(sql, entry, row.id)) release(writer, entry)
    removeTree(writer, row, row, Buffer.from(row.name), input.limit, false)
    writer.finish()
    return rowById(sql, row.id) !== undefined
  }
})

/** A location within becomes the root of a tree of its own; its rows stay as they are. */
function release(writer: IndexWriter, entry: number): void {
  const { sql, host } = writer
  const row = rowById(sql, entry)
  const path = pathOf(sql, entry, host)
  if (row === undefined || path === undefined || row.parent === -host) return
  writer.addWhole(row, row.parent, -1)
  writer.touch(row.parent)
  sql.prepare('UPDATE entries SET parent = ?, name = ? WHERE id = ?').run([-host, path, entry])
  writer.reparented(entry, -host)
}
