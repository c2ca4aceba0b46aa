// A writer thread: each database in it has a port of its own, takes writes in order, several to a commit. Never imported, only started as a thread.
import { type MessagePort, parentPort, receiveMessageOnPort } from 'node:worker_threads'
import {
  findTask,
  type PlainError,
  shrinkHeap,
  type TaskAddress,
  type TaskFunction,
  toPlainError
} from '../base/index.js'
import { type Migration, migrate, readMigrations, type Schema } from './migrate.js'
import { type OpenOptions, openSqlite, type Sql, sqlError } from './open.js'

/** What a thread is asked to open. */
export interface OpenInThread extends Omit<OpenOptions, 'readonly'> {
  readonly file: string
  readonly schema: Schema
  readonly backupDir?: string | undefined
}
/** To the thread itself. */
export type ToThread = { readonly open: OpenInThread; readonly port: MessagePort } | { readonly rest: MessagePort }
export type ToWriter = { id: number; task: TaskAddress; input: unknown; alone?: boolean } | { id: number; close: true }
export type FromWriter = { id: number; result: unknown } | { id: number; error: PlainError }

/** Writes that share a commit at most: bounds how long one commit keeps the others waiting. */
const MAX_GROUP = 256

if (parentPort === null) throw new Error('writer-entry.js runs only as a worker thread')

/** Read once for all databases of a kind that this thread opens. */
const migrations = new Map<Schema, readonly Migration[]>()

const databases = new Set<Sql>()

parentPort.on('message', (message: ToThread) => {
  if ('rest' in message) {
    for (const db of databases) db.pragma('shrink_memory')
    shrinkHeap()
    message.rest.close()
  } else open(message.open, message.port)
})

function open(init: OpenInThread, port: MessagePort): void {
  let sql: Sql | undefined
  try {
    sql = openSqlite(init.file, init)
    const known = migrations.get(init.schema) ?? readMigrations(init.schema)
    migrations.set(init.schema, known)
    migrate(sql, known, { backupDir: init.backupDir })
    serve(sql, port)
    port.postMessage([{ id: 0, result: null } satisfies FromWriter])
  } catch (err) {
    sql?.close()
    port.postMessage([{ id: 0, error: toPlainError(err) } satisfies FromWriter])
    port.close()
  }
}

function serve(db: Sql, port: MessagePort): void {
  databases.add(db)
  let working = Promise.resolve()
  port.on('message', (first: ToWriter) => {
    working = working.then(() => handle(db, port, first))
  })
}

async function handle(db: Sql, port: MessagePort, first: ToWriter): Promise<void> {
  const group: ToWriter[] = [first]
  while (group.length < MAX_GROUP && !endsGroup(group.at(-1)!)) {
    const more = receiveMessageOnPort(port) as { message: ToWriter } | undefined
    if (more === undefined) break
    group.push(more.message)
  }
  const writes = group.filter((m): m is Write => 'task' in m && !m.alone)
  const functions = await Promise.all(writes.map(find))
  if (writes.length > 0) port.postMessage(commit(db, writes, functions))
  const last = group.at(-1)!
  if ('task' in last && last.alone) port.postMessage([await alone(db, last)])
  if ('close' in last) {
    databases.delete(db)
    fold(db)
    db.close()
    port.postMessage([{ id: last.id, result: null } satisfies FromWriter])
    port.close()
  }
}

/**
 * Empties the log into the database. SQLite does that when the last connection closes, but a read-only one cannot, and that of a reader
 * (reader.ts) may end after ours: its thread may have been at work for long.
 */
function fold(db: Sql): void {
  try {
    db.pragma('busy_timeout = 0') // who reads just now leaves it to whoever opens it next
    db.pragma('wal_checkpoint(TRUNCATE)')
  } catch {
    // A full disk, say: the log stays beside the database, which is whole with it.
  }
}

type Write = Extract<ToWriter, { task: unknown }>

const endsGroup = (m: ToWriter): boolean => 'close' in m || m.alone === true
const find = (w: Write): Promise<TaskFunction | Error> => findTask(w.task).catch((err: unknown) => err as Error)

/** A task without a transaction around it: what SQLite allows only so (VACUUM, a checkpoint). */
async function alone(db: Sql, message: Write): Promise<FromWriter> {
  const { id, input } = message
  try {
    const fn = await find(message)
    if (fn instanceof Error) throw fn
    return { id, result: await fn(db, input) }
  } catch (err) {
    return { id, error: toPlainError(isSqlite(err) ? sqlError(db.file, err) : err) }
  }
}

function commit(db: Sql, writes: { id: number; input: unknown }[], functions: (TaskFunction | Error)[]): FromWriter[] {
  const answers: FromWriter[] = []
  const one = (i: number): FromWriter => {
    const { id, input } = writes[i]!
    const fn = functions[i]!
    try {
      if (fn instanceof Error) throw fn
      const result = db.transaction(() => fn(db, input) as never)
      return { id, result }
    } catch (err) {
      return { id, error: toPlainError(isSqlite(err) ? sqlError(db.file, err) : err) }
    }
  }
  if (writes.length === 1) return [one(0)] // its own transaction is the commit
  try {
    db.transaction(() => {
      for (let i = 0; i < writes.length; i++) answers.push(one(i))
    })
    return answers
  } catch (err) {
    // The shared commit failed (disk full, say): nothing of the group happened. Each is told so.
    const error = toPlainError(sqlError(db.file, err))
    return writes.map(({ id }) => ({ id, error }))
  }
}

function isSqlite(err: unknown): boolean {
  return String((err as { code?: unknown } | null)?.code ?? '').startsWith('SQLITE_')
}
