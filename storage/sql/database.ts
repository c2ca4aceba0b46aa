import { addressOf, fromPlainError, SpacedriveError, threadDied } from '../base/index.js'
import { openSqlite, type Row, type Sql, type SqlParams } from './open.js'
import type { FromWriter, OpenInThread, ToWriter } from './writer-entry.js'
import { takeSeat } from './writer-threads.js'

/**
 * A write: a named function of a `*.worker.ts` file (defineTasks), run in the writer thread inside a transaction. It takes
 * the connection and one plain value, is synchronous, and either happens whole or not at all.
 */
export type WriteTask<I, O> = (sql: Sql, input: I) => O

/** A database with one writer connection in another thread and one read connection here for short point reads. */
export interface Database {
  readonly file: string
  /**
   * Runs a write and resolves once it is committed. Writes run in the order of their calls; those that wait together share
   * one commit (one fsync), each behind a savepoint of its own: one that throws takes back itself alone.
   */
  write<I, O>(task: WriteTask<I, O>, input: NoInfer<I>, options?: WriteOptions): Promise<O>
  /** Runs a task in the writer thread with no transaction around it, in its turn: VACUUM, checkpoints, checks. */
  maintain<I, O>(task: WriteTask<I, O>, input: NoInfer<I>): Promise<O>
  /** A point read on the event loop: by key, a handful of rows. Whatever may be long runs in a worker (WorkerPool). */
  get<R = Row>(text: string, params?: SqlParams, options?: { bigint?: boolean }): R | undefined
  all<R = Row>(text: string, params?: SqlParams, options?: { bigint?: boolean }): R[]
  /** Waits for all writes begun, then closes both connections. */
  close(): Promise<void>
}

export interface WriteOptions {
  /** ArrayBuffers of the input that are handed over instead of copied. */
  readonly transfer?: readonly ArrayBuffer[]
}

export interface DatabaseInit extends OpenInThread {
  /** One of many like it: written in a thread that others are written in as well, where a long write keeps them waiting. */
  readonly sharesThread?: boolean
}

/** The connection for point reads needs the upper pages only; the kernel has the rest. */
const POINT_READ_CACHE_KIB = 2 * 1024

/** Opens (and makes, and migrates) a database. @throws what `openSqlite` and `migrate` throw, by code */
export async function openDatabase({ sharesThread = false, ...init }: DatabaseInit): Promise<Database> {
  const calls = new Map<number, { resolve(value: never): void; reject(reason: unknown): void }>()
  let ended: SpacedriveError | undefined
  let nextId = 0
  const seat = takeSeat(init, sharesThread, cause => {
    const { code, message, hint } = threadDied(cause)
    const why =
      code === 'PROGRAM_CHANGED' ? `: ${message}` : cause === undefined ? ' unexpectedly' : `: ${cause.message}`
    ended ??= new SpacedriveError('DATABASE_WRITER_DIED', `the writer of ${init.file} ended${why}`, {
      cause,
      ...(hint && { hint })
    })
    for (const call of calls.values()) call.reject(ended)
    calls.clear()
  })
  const { port } = seat
  port.on('message', (batch: FromWriter[]) => {
    for (const m of batch) {
      const call = calls.get(m.id)
      calls.delete(m.id)
      if ('error' in m) call?.reject(fromPlainError(m.error))
      else call?.resolve(m.result as never)
    }
    if (calls.size > 0) return
    port.unref()
    seat.busy(false)
  })

  /** @param post - sends the message that bears this number */
  function answered<O>(post: (id: number) => void): Promise<O> {
    return new Promise((resolve, reject) => {
      const id = nextId++
      post(id)
      calls.set(id, { resolve, reject })
      port.ref()
      seat.busy(true)
    })
  }

  function send<O>(message: Unnumbered, transfer: readonly ArrayBuffer[] = []): Promise<O> {
    if (ended !== undefined) return Promise.reject(ended)
    return answered(id => port.postMessage({ ...message, id } satisfies ToWriter, transfer))
  }

  async function close(reader: Sql): Promise<void> {
    // First: the last connection to close folds the WAL into the database, and a read-only one cannot.
    reader.close()
    if (ended === undefined) {
      const closed = send({ close: true })
      ended = new SpacedriveError('STOPPED', `the database ${init.file} was closed`)
      await closed
    }
    await seat.leave()
  }

  let closing: Promise<void> | undefined
  let reader: Sql
  try {
    await answered(() => {}) // it is open
    reader = openSqlite(init.file, { ...init, readonly: true, cacheKiB: POINT_READ_CACHE_KIB })
  } catch (err) {
    await seat.leave()
    throw err
  }

  return {
    file: init.file,
    write: (task, input, { transfer } = {}) => send({ task: addressOf(task), input }, transfer),
    maintain: (task, input) => send({ task: addressOf(task), input, alone: true }),
    get: (text, params, options) => reader.prepare(text, options).get(params) as never,
    all: (text, params, options) => reader.prepare(text, options).all(params) as never,
    close() {
      closing ??= close(reader)
      return closing
    }
  }
}

type Unnumbered = { [T in 'task' | 'close']: Omit<Extract<ToWriter, Record<T, unknown>>, 'id'> }['task' | 'close']
