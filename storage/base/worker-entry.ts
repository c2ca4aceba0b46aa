// The other side of WorkerPool: runs one task at a time and answers by message. Never imported, only started as a thread.
import { parentPort } from 'node:worker_threads'
import { toPlainError } from './errors.js'
import { findTask } from './tasks.js'
import type { FromWorker, ToWorker } from './workers.js'

const port = parentPort
if (port === null) throw new Error('worker-entry.js runs only as a worker thread')
const running = new Map<number, AbortController>()

const send = (message: FromWorker): void => port.postMessage(message, transferables(message))

/** A task hands a whole ArrayBuffer over (instead of copying it) by returning `{ transfer: [buffer], ... }`. */
function transferables(message: FromWorker): ArrayBuffer[] {
  const value = 'result' in message ? message.result : 'emit' in message ? message.emit : undefined
  const list = (value as { transfer?: unknown } | null | undefined)?.transfer
  return Array.isArray(list) ? list : []
}

port.on('message', (message: ToWorker) => {
  if ('abort' in message) {
    running.get(message.id)?.abort()
    return
  }
  void execute(message.id, message)
})

async function execute(id: number, message: Extract<ToWorker, { task: unknown }>): Promise<void> {
  const controller = new AbortController()
  running.set(id, controller)
  try {
    const fn = await findTask(message.task)
    const result = await fn(message.input, {
      signal: controller.signal,
      emit: (value: unknown) => send({ id, emit: value })
    })
    send({ id, result })
  } catch (err) {
    send({ id, error: toPlainError(err) })
  } finally {
    running.delete(id)
  }
}
