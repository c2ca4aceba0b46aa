/** SQLite: connections, migrations, the writer thread, the process lock. The one folder that knows better-sqlite3. */
export { type Database, type DatabaseInit, openDatabase, type WriteTask } from './database.js'
export { acquireLock, type FileLock } from './lock.js'
export { type Migration, migrate, readMigrations, type Schema } from './migrate.js'
export {
  type OpenOptions,
  openSqlite,
  type Row,
  type Sql,
  type SqlParams,
  type SqlValue,
  type Statement,
  sqlError
} from './open.js'
export { closeReaders, withReader } from './reader.js'
export { RowStatement } from './row-statement.js'
export { restWriters } from './writer-threads.js'
