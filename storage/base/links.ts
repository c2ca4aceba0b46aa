import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { fromPlainError, SpacedriveError } from './errors.js'
import { HEAP_LIMITS } from './heap.js'
import { packedUrl, THREAD_DATA, threadDied } from './program.js'
import { addressOf } from './tasks.js'
import type { FromWorker, Link, ToWorker, WorkerPool } from './workers.js'

export const WORKER_ENTRY = packedUrl('storage/base/worker-entry.js')
/** Descriptors belong to the process: one that was opened in a thread and handed on must outlive that thread. */
export const WORKER_OPTIONS = {
  ...{ stdout: false, stderr: false, trackUnmanagedFds: false },
  resourceLimits: HEAP_LIMITS,
  workerData: THREAD_DATA
}

/** Links take turns beyond this many threads: each costs some 10 MB, and the cores are shared with everything else. */
const MAX_LINK_THREADS = 4
/** A thread without a link ends after this long: the next link of a series finds it warm. */
const LINGER_MS = 5_000

interface Thread {
  readonly worker: Worker
  readonly calls: Map<
    number,
    { settle(outcome: { result: unknown } | { error: unknown }): void; emit(v: unknown): void }
  >
  /** Of the calls those that last. */
  readonly lasting: Set<number>
  linger: NodeJS.Timeout | undefined
}

/** The threads behind `WorkerPool.link`. */
export function linkThreads(
  maxThreads = Math.min(MAX_LINK_THREADS, Math.max(2, availableParallelism()))
): Pick<WorkerPool, 'link' | 'close'> & { rest(): void } {
  const threads: Thread[] = []
  let nextId = 1
  let closed = false

  const ended = (cause?: unknown): SpacedriveError =>
    closed ? new SpacedriveError('STOPPED', 'the worker pool was closed') : threadDied(cause)

  function spawn(): Thread {
    const worker = new Worker(WORKER_ENTRY, WORKER_OPTIONS)
    const thread: Thread = { worker, calls: new Map(), lasting: new Set(), linger: undefined }
    worker.unref()
    worker.on('message', (m: FromWorker) => {
      const call = thread.calls.get(m.id)
      if ('emit' in m) call?.emit(m.emit)
      else call?.settle('error' in m ? { error: fromPlainError(m.error) } : m)
    })
    const died = (cause?: unknown): void => {
      const at = threads.indexOf(thread)
      if (at >= 0) threads.splice(at, 1)
      clearTimeout(thread.linger)
      for (const call of thread.calls.values()) call.settle({ error: ended(cause) })
    }
    worker.once('error', died)
    worker.once('exit', () => died())
    threads.push(thread)
    return thread
  }

  /** What lasts lies together, so that at rest one thread is left. */
  function threadFor(lasts: boolean): Thread {
    const known = lasts ? threads.find(t => t.lasting.size > 0) : undefined
    if (known !== undefined) return known
    const idle = threads.find(t => t.calls.size === 0)
    if (idle !== undefined) return idle
    if (threads.length < maxThreads) return spawn()
    const busy = ({ calls, lasting }: Thread): number => calls.size - lasting.size
    return threads.reduce((a, b) => (busy(b) < busy(a) ? b : a))
  }

  function release(thread: Thread, id: number): void {
    thread.calls.delete(id)
    thread.lasting.delete(id)
    if (thread.calls.size > 0) return
    thread.worker.unref()
    thread.linger = setTimeout(() => {
      const at = threads.indexOf(thread)
      if (at >= 0) threads.splice(at, 1)
      void thread.worker.terminate()
    }, LINGER_MS)
    thread.linger.unref()
  }

  return {
    link(task, input, { signal, onEmit, transfer = [], lasts = false } = {}) {
      if (signal?.aborted) return { result: Promise.reject(signal.reason), post() {} }
      if (closed) return { result: Promise.reject(ended()), post() {} }
      const id = nextId++
      const thread = threadFor(lasts)
      if (lasts) thread.lasting.add(id)
      clearTimeout(thread.linger)
      const send = (message: ToWorker, list: readonly ArrayBuffer[] = []): void => {
        if (thread.calls.has(id)) thread.worker.postMessage(message, list)
      }
      const result = new Promise((resolve, reject) => {
        const onAbort = (): void => send({ id, abort: true })
        signal?.addEventListener('abort', onAbort, { once: true })
        thread.calls.set(id, {
          emit: value => onEmit?.(value as never),
          settle(outcome) {
            release(thread, id)
            signal?.removeEventListener('abort', onAbort)
            if ('result' in outcome) resolve(outcome.result)
            else reject(signal?.aborted ? signal.reason : outcome.error)
          }
        })
        thread.worker.ref()
        send({ id, task: addressOf(task), input }, transfer)
      })
      return { result, post: (value, list) => send({ id, post: value }, list) } as Link<never>
    },
    /** Threads in which there is only what lasts give back what they took. */
    rest() {
      for (const { worker, calls, lasting } of threads)
        if (calls.size === lasting.size) worker.postMessage({ rest: true } satisfies ToWorker)
    },
    async close() {
      closed = true
      await Promise.all(threads.map(t => t.worker.terminate()))
    }
  }
}
