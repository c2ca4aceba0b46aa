import { textFromBytes } from '../../../storage/base/index.js'
import { openSqlite } from '../../../storage/sql/index.js'

/** Everything that the index of a library says of its files, by absolute path: for comparing two of them. */
export function indexDump(libraryFolder: string): Map<string, string> {
  const sql = openSqlite(`${libraryFolder}/database.db`, { readonly: true })
  try {
    const rows = sql
      .prepare<{ id: bigint; parent: bigint; name: Uint8Array; facts: string }>(
        `SELECT e.id, e.parent, e.name, json_array(e.kind, e.size, e.mtime_ns, e.ctime_ns, e.inode, e.mode, e.flags,
           hex(c.hash), d.files, d.dirs, d.bytes, d.complete) AS facts
         FROM entries e LEFT JOIN contents c ON c.id = e.content LEFT JOIN directories d ON d.id = e.id`,
        { bigint: true }
      )
      .all()
    const byId = new Map(rows.map(r => [r.id, r]))
    const pathOf = (id: bigint): string => {
      const row = byId.get(id)!
      const name = textFromBytes(row.name)
      return row.parent <= 0n ? name : `${pathOf(row.parent)}/${name}`
    }
    return new Map(rows.map(r => [pathOf(r.id), r.facts]))
  } finally {
    sql.close()
  }
}
