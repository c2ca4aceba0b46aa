import type { AbsPath } from '../../storage/base/index.js'
import { closeReaders, openSqlite, type Sql } from '../../storage/sql/index.js'

/**
 * Opens (or makes) a work list, in a worker, and runs `fn` in one transaction. Lists of one job are written by one task at a
 * time: that of the phase it is in.
 */
export function withWork<T>(
  file: AbsPath,
  schema: string,
  fn: (sql: Sql) => T extends PromiseLike<unknown> ? never : T
): T {
  const sql = openSqlite(file, { synchronous: 'NORMAL' })
  try {
    if ((sql.pragma('user_version') as number) === 0) {
      sql.transaction(() => {
        sql.exec(schema)
        sql.exec('PRAGMA user_version = 1')
      })
    }
    return sql.transaction(() => fn(sql)) as T
  } finally {
    sql.close()
    closeReaders(file)
  }
}

/** Gives the disk back what a list no longer uses. */
export function shrink(file: AbsPath): void {
  const sql = openSqlite(file, { synchronous: 'NORMAL' })
  try {
    sql.exec('VACUUM')
  } finally {
    sql.close()
    closeReaders(file)
  }
}
