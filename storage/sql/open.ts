/** The home of better-sqlite3: everybody else sees `Sql`. Synchronous, so it runs in a writer thread or a worker; on the event loop only for short point reads. */
import BetterSqlite from 'better-sqlite3'
import { errorCode, SpacedriveError, toError } from '../base/index.js'

export type SqlValue = string | number | bigint | Uint8Array | null
export type SqlParams = readonly SqlValue[] | Readonly<Record<string, SqlValue>>
export type Row = Record<string, SqlValue>

export interface Statement<R = Row> {
  get(params?: SqlParams): R | undefined
  all(params?: SqlParams): R[]
  iterate(params?: SqlParams): IterableIterator<R>
  run(params?: SqlParams): { changes: number; lastInsertRowid: number | bigint }
}

export interface Sql {
  readonly file: string
  /** Prepared once per text and connection. `bigint`: integers come back as bigint (nanoseconds, inodes); `raw`: rows are arrays. */
  prepare<R = Row>(text: string, options?: { bigint?: boolean; raw?: boolean }): Statement<R>
  /** Several statements without parameters: migrations, pragmas. */
  exec(text: string): void
  pragma(text: string): unknown
  /** Runs `fn` in one transaction (a savepoint when one is open). `fn` must be synchronous: a promise does not compile. */
  transaction<T>(fn: () => T extends PromiseLike<unknown> ? never : T): T
  readonly inTransaction: boolean
  /** A consistent copy of the whole database in one new file (VACUUM INTO). */
  copyTo(file: string): void
  close(): void
}

export interface OpenOptions {
  readonly?: boolean
  /** FULL for what must survive a power loss at once (instance database), NORMAL for what can be rebuilt (libraries). Belongs to the connection. */
  synchronous?: 'FULL' | 'NORMAL'
  /** How long to wait for another connection's lock. */
  busyTimeoutMs?: number
  cacheKiB?: number
  /** Nobody misses it after a crash: nothing of it is made durable, and no journal lies beside it. */
  scratch?: boolean
}

const NONE: readonly SqlValue[] = []
const BUSY_TIMEOUT_MS = 5_000
const CACHE_KIB = 8 * 1024

/** @throws {SpacedriveError} DATABASE_CORRUPT, DATABASE_UNREADABLE */
export function openSqlite(file: string, options: OpenOptions = {}): Sql {
  let db: BetterSqlite.Database
  try {
    db = new BetterSqlite(file, {
      readonly: options.readonly ?? false,
      timeout: options.busyTimeoutMs ?? BUSY_TIMEOUT_MS
    })
    if (!options.readonly) db.pragma(`journal_mode = ${options.scratch === true ? 'MEMORY' : 'WAL'}`)
    db.pragma(`synchronous = ${options.scratch === true ? 'OFF' : (options.synchronous ?? 'FULL')}`)
    db.pragma('foreign_keys = ON')
    db.pragma(`cache_size = -${options.cacheKiB ?? CACHE_KIB}`)
    db.pragma('temp_store = MEMORY')
    db.pragma('trusted_schema = OFF')
  } catch (err) {
    throw sqlError(file, err)
  }
  // One map for each way of reading: the texts are constants, whose hash V8 keeps.
  const prepared = [0, 1, 2, 3].map(() => new Map<string, Statement>())
  const sql: Sql = {
    file,
    prepare<R>(text: string, { bigint = false, raw = false } = {}): Statement<R> {
      const known = prepared[(bigint ? 1 : 0) + (raw ? 2 : 0)]!
      let statement = known.get(text)
      if (statement === undefined) {
        statement = wrap(file, db.prepare(text), bigint, raw)
        known.set(text, statement)
      }
      return statement as unknown as Statement<R>
    },
    exec: text => void db.exec(text),
    pragma: text => db.pragma(text, { simple: true }),
    transaction: fn => db.transaction(fn as () => never).immediate(),
    get inTransaction() {
      return db.inTransaction
    },
    copyTo: target => void db.prepare('VACUUM INTO ?').run(target),
    close: () => void db.close()
  }
  return sql
}

function wrap(file: string, statement: BetterSqlite.Statement, bigint: boolean, raw: boolean): Statement {
  if (bigint) statement.safeIntegers(true)
  if (raw) statement.raw(true)
  return {
    get(params = NONE) {
      try {
        return statement.get(params) as Row | undefined
      } catch (err) {
        throw named(file, err)
      }
    },
    all(params = NONE) {
      try {
        return statement.all(params) as Row[]
      } catch (err) {
        throw named(file, err)
      }
    },
    iterate: (params = NONE) => statement.iterate(params) as IterableIterator<Row>,
    run(params = NONE) {
      try {
        return statement.run(params)
      } catch (err) {
        throw named(file, err)
      }
    }
  }
}

/** "database disk image is malformed" tells nobody which one that is; other errors are for who asked. */
function named(file: string, err: unknown): unknown {
  return errorCode(err).startsWith('SQLITE_CORRUPT') ? sqlError(file, err) : err
}

/** SQLite's codes in our words; the original is the cause. */
export function sqlError(file: string, err: unknown): SpacedriveError {
  const code = (err as { code?: string }).code ?? ''
  const text = toError(err).message
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return new SpacedriveError('DATABASE_CORRUPT', `the database ${file} is damaged: ${text}`, { cause: err })
  }
  if (code.startsWith('SQLITE_FULL')) {
    return new SpacedriveError('NO_SPACE', `could not write the database ${file}: the disk is full`, {
      cause: err,
      hint: 'Free some space and try again; nothing was lost.'
    })
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new SpacedriveError('DATABASE_BUSY', `the database ${file} is in use by another process`, { cause: err })
  }
  if (code.startsWith('SQLITE_CONSTRAINT')) return new SpacedriveError('CONSTRAINT', text, { cause: err })
  return new SpacedriveError('DATABASE_UNREADABLE', `could not use the database ${file}: ${text}`, { cause: err })
}
