// The other side of WorkerPool: runs tasks (one at a time, or several links that take turns) and answers by message. Never imported, only started as a thread.
import { parentPort } from 'node:worker_threads'
import { toPlainError } from './errors.js'
import { shrinkHeap, shrinkIfFull } from './heap.js'
import { findTask, type LinkContext } from './tasks.js'
import type { FromWorker, ToWorker } from './workers.js'

const port = parentPort
if (port === null) throw new Error('worker-entry.js runs only as a worker thread')
interface Running {
  readonly controller: AbortController
  readonly posts: unknown[]
  listener?: (value: never) => void
}
const running = new Map<number, Running>()
/** A task that took less cannot have filled the heap. */
const MUCH_MS = 100

const send = (message: FromWorker): void => port.postMessage(message, transferables(message))

/** A task hands a whole ArrayBuffer over (instead of copying it) by returning `{ transfer: [buffer], ... }`. */
function transferables(message: FromWorker): ArrayBuffer[] {
  const value = 'result' in message ? message.result : 'emit' in message ? message.emit : undefined
  const list = (value as { transfer?: unknown } | null | undefined)?.transfer
  return Array.isArray(list) ? list : []
}

port.on('message', (message: ToWorker) => {
  if ('rest' in message) {
    shrinkHeap()
    return
  }
  if ('abort' in message) {
    running.get(message.id)?.controller.abort()
    return
  }
  if ('post' in message) {
    const task = running.get(message.id)
    if (task?.listener === undefined) task?.posts.push(message.post)
    else task.listener(message.post as never)
    return
  }
  void execute(message.id, message)
})

async function execute(id: number, message: Extract<ToWorker, { task: unknown }>): Promise<void> {
  const task: Running = { controller: new AbortController(), posts: [] }
  running.set(id, task)
  const beganMs = performance.now()
  try {
    const fn = await findTask(message.task)
    const result = await fn(message.input, {
      signal: task.controller.signal,
      emit: (value: unknown) => send({ id, emit: value }),
      onPost(listener: (value: never) => void) {
        task.listener = listener
        for (const value of task.posts.splice(0)) listener(value as never)
      }
    } satisfies LinkContext)
    send({ id, result })
  } catch (err) {
    send({ id, error: toPlainError(err) })
  } finally {
    running.delete(id)
    if (performance.now() - beganMs > MUCH_MS) shrinkIfFull()
  }
}
