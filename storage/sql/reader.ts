import { statSync } from 'node:fs'
import { openSqlite, type Sql } from './open.js'

interface Reader {
  readonly sql: Sql
  readonly inode: bigint
  timer: NodeJS.Timeout | undefined
}

/** How long a thread keeps a read connection for the next task: long enough for a burst of searches, short enough to let a disk be ejected. */
const IDLE_MS = 2_000
/** Connections of one thread; each holds a page cache of CACHE_KIB. */
const MAX_READERS = 4
const CACHE_KIB = 4 * 1024

const readers = new Map<string, Reader>()

/**
 * Reads from a database in a worker thread, over a connection that this thread keeps for a while. `read` is synchronous and
 * sees one state of the database throughout.
 * @throws what `openSqlite` throws; ENOENT when the file is not there
 */
export function withReader<T>(file: string, read: (sql: Sql) => T extends PromiseLike<unknown> ? never : T): T {
  const { ino } = statSync(file, { bigint: true })
  let reader = readers.get(file)
  if (reader !== undefined && reader.inode !== ino) {
    drop(file)
    reader = undefined
  }
  if (reader === undefined) {
    // One that is being read from (a task that reads two databases) stays.
    const oldest = [...readers].find(([, held]) => !held.sql.inTransaction)?.[0]
    if (readers.size >= MAX_READERS && oldest !== undefined) drop(oldest)
    reader = { sql: openSqlite(file, { readonly: true, cacheKiB: CACHE_KIB }), inode: ino, timer: undefined }
    readers.set(file, reader)
  }
  clearTimeout(reader.timer)
  const { sql } = reader
  try {
    sql.exec('BEGIN')
    return read(sql) as T
  } finally {
    if (sql.inTransaction) sql.exec('COMMIT')
    reader.timer = setTimeout(() => drop(file), IDLE_MS)
    reader.timer.unref()
  }
}

/** Closes this thread's read connections to `file`, or all. */
export function closeReaders(file?: string): void {
  for (const name of file === undefined ? [...readers.keys()] : [file]) drop(name)
}

function drop(file: string): void {
  const reader = readers.get(file)
  if (reader === undefined) return
  readers.delete(file)
  clearTimeout(reader.timer)
  reader.sql.close()
}
