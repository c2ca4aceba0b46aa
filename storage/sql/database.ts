import { Worker } from 'node:worker_threads'
import { addressOf, fromPlainError, HEAP_LIMITS, SpacedriveError } from '../base/index.js'
import type { Schema } from './migrate.js'
import { type OpenOptions, openSqlite, type Row, type Sql, type SqlParams } from './open.js'
import type { FromWriter, ToWriter, WriterInit } from './writer-entry.js'

/**
 * A write: a named function of a `*.worker.ts` file (defineTasks), run in the writer thread inside a transaction. It takes
 * the connection and one plain value, is synchronous, and either happens whole or not at all.
 */
export type WriteTask<I, O> = (sql: Sql, input: I) => O

/** A database with one writer connection in a thread of its own and one read connection here for short point reads. */
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

export interface DatabaseInit extends Omit<OpenOptions, 'readonly'> {
  file: string
  schema: Schema
  backupDir?: string
}

/** The connection for point reads needs the upper pages only; the kernel has the rest. */
const POINT_READ_CACHE_KIB = 2 * 1024

/** Opens (and makes, and migrates) a database. @throws what `openSqlite` and `migrate` throw, by code */
export async function openDatabase(init: DatabaseInit): Promise<Database> {
  const worker = new Worker(new URL('./writer-entry.js', import.meta.url), {
    workerData: init satisfies WriterInit,
    resourceLimits: HEAP_LIMITS
  })
  const calls = new Map<number, { resolve(value: never): void; reject(reason: unknown): void }>()
  let nextId = 1
  let ended: SpacedriveError | undefined

  await new Promise<void>((resolve, reject) => {
    const settle = (m: FromWriter): void => ('error' in m ? reject(fromPlainError(m.error)) : resolve())
    worker.once('message', settle)
    worker.once('error', reject)
  })
  const reader = openSqlite(init.file, { ...init, readonly: true, cacheKiB: POINT_READ_CACHE_KIB })

  worker.on('message', (batch: FromWriter[]) => {
    for (const m of batch) {
      const call = calls.get(m.id)
      calls.delete(m.id)
      if ('error' in m) call?.reject(fromPlainError(m.error))
      else call?.resolve(m.result as never)
    }
    if (calls.size === 0) worker.unref()
  })
  worker.removeAllListeners('error')
  worker.on('error', err =>
    end(new SpacedriveError('DATABASE_WRITER_DIED', `the writer of ${init.file} ended: ${err.message}`, { cause: err }))
  )
  worker.on('exit', () => end(new SpacedriveError('STOPPED', `the database ${init.file} was closed`)))
  worker.unref()

  function end(error: SpacedriveError): void {
    ended ??= error
    for (const call of calls.values()) call.reject(ended)
    calls.clear()
  }

  function send<O>(message: ToWriter, transfer: readonly ArrayBuffer[] = []): Promise<O> {
    if (ended !== undefined) return Promise.reject(ended)
    return new Promise((resolve, reject) => {
      calls.set(message.id, { resolve, reject })
      worker.ref()
      worker.postMessage(message, transfer)
    })
  }

  return {
    file: init.file,
    write: (task, input, { transfer } = {}) => send({ id: nextId++, task: addressOf(task), input }, transfer),
    maintain: (task, input) => send({ id: nextId++, task: addressOf(task), input, alone: true }),
    get: (text, params, options) => reader.prepare(text, options).get(params) as never,
    all: (text, params, options) => reader.prepare(text, options).all(params) as never,
    async close() {
      if (ended !== undefined) return
      const exited = new Promise<void>(resolve => worker.once('exit', () => resolve()))
      // First: the last connection to close folds the WAL into the database, and a read-only one cannot.
      reader.close()
      await send({ id: nextId++, close: true })
      // An answer lets the thread go; its end must be awaited even by a process that has nothing else to do.
      worker.ref()
      await exited
    }
  }
}
