// The writer thread of one database: takes writes in order, several to a commit. Never imported, only started as a thread.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { findTask, type PlainError, type TaskAddress, type TaskFunction, toPlainError } from '../base/index.js'
import type { DatabaseInit } from './database.js'
import { migrate, readMigrations } from './migrate.js'
import { openSqlite, type Sql, sqlError } from './open.js'

export type WriterInit = DatabaseInit
export type ToWriter = { id: number; task: TaskAddress; input: unknown; alone?: boolean } | { id: number; close: true }
export type FromWriter = { id: number; result: unknown } | { id: number; error: PlainError }

/** Writes that share a commit at most: bounds how long one commit keeps the others waiting. */
const MAX_GROUP = 256

const port = parentPort
if (port === null) throw new Error('writer-entry.js runs only as a worker thread')

const init = workerData as WriterInit
let sql: Sql | undefined
try {
  sql = openSqlite(init.file, init)
  migrate(sql, readMigrations(init.schema), { backupDir: init.backupDir })
  port.postMessage({ id: 0, result: null } satisfies FromWriter)
  serve(sql)
} catch (err) {
  sql?.close()
  port.postMessage({ id: 0, error: toPlainError(err) } satisfies FromWriter)
}

function serve(db: Sql): void {
  const p = port!
  let working = Promise.resolve()
  p.on('message', (first: ToWriter) => {
    working = working.then(() => handle(db, first))
  })
}

async function handle(db: Sql, first: ToWriter): Promise<void> {
  const group: ToWriter[] = [first]
  while (group.length < MAX_GROUP && !endsGroup(group.at(-1)!)) {
    const more = receiveMessageOnPort(port!) as { message: ToWriter } | undefined
    if (more === undefined) break
    group.push(more.message)
  }
  const writes = group.filter((m): m is Write => 'task' in m && !m.alone)
  const functions = await Promise.all(writes.map(find))
  if (writes.length > 0) port!.postMessage(commit(db, writes, functions))
  const last = group.at(-1)!
  if ('task' in last && last.alone) port!.postMessage([await alone(db, last)])
  if ('close' in last) {
    db.close()
    port!.postMessage([{ id: last.id, result: null } satisfies FromWriter])
    port!.close()
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
