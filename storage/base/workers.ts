import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { AbortOptions } from './abort.js'
import { fromPlainError, type PlainError, SpacedriveError } from './errors.js'
import { linkThreads, WORKER_ENTRY, WORKER_OPTIONS } from './links.js'
import { threadDied } from './program.js'
import { RestWatch, type RestWatchInit } from './rest-watch.js'
import { addressOf, type LinkContext, type TaskAddress, type TaskContext } from './tasks.js'

/** One pool for disk, hashing, chunking and database reads. SQLite writers have threads of their own (storage/sql). */
export interface WorkerPool {
  /**
   * Runs a task of a `*.worker.ts` file in the next free thread.
   * @param options.onEmit - what the task emits, in order, before the result
   * @param options.transfer - ArrayBuffers handed over instead of copied
   * @throws the task's error by its code; `signal.reason` itself when aborted; WORKER_DIED when its thread ended, PROGRAM_CHANGED when it could not begin
   */
  run<I, O>(task: (input: I, ctx: TaskContext) => O, input: NoInfer<I>, options?: RunOptions): Promise<Awaited<O>>
  /**
   * Runs a task that lasts and is talked to meanwhile: a transfer, a watcher. Links have threads of their own (a long hash
   * must not hold up a stream, nor a stream the hashes), several to a thread: whatever runs over a link gives way often.
   */
  link<I, O>(task: (input: I, ctx: LinkContext) => O, input: NoInfer<I>, options?: LinkOptions): Link<Awaited<O>>
  /** Runs a task whenever much was done and is over: to give back what was taken for it. */
  whenAtRest(task: (input: undefined) => unknown, options?: AtRestOptions): void
  /** Threads at most. */
  readonly size: number
  /** Tasks that one piece of bulk work has at the pool at once: all threads but one. */
  readonly bulkWidth: number
  close(): Promise<void>
}

export interface Link<O> {
  /** Rejects like `run`; aborting the signal asks the task to end, and this settles when it has. */
  readonly result: Promise<O>
  /** Posts a plain value to the task; nothing happens once it has ended. */
  post(value: unknown, transfer?: readonly ArrayBuffer[]): void
}

export interface AtRestOptions {
  /** What is to be done before. */
  readonly first?: (() => Promise<unknown>) | undefined
  /** Called each time the task has run. */
  readonly done?: (() => void) | undefined
}

export interface RunOptions extends AbortOptions {
  onEmit?: ((value: never) => void) | undefined
  transfer?: readonly ArrayBuffer[] | undefined
}

export interface LinkOptions extends RunOptions {
  /** It lasts while the daemon runs, and rests most of the time: a watcher. */
  readonly lasts?: boolean | undefined
}

/** Messages between a thread and its owner. */
export type ToWorker =
  | { id: number; task: TaskAddress; input: unknown }
  | { id: number; post: unknown }
  | { id: number; abort: true }
  /** Much was done and is over: gives back what it took. */
  | { rest: true }
export type FromWorker =
  | { id: number; emit: unknown }
  | { id: number; result: unknown }
  | { id: number; error: PlainError }

interface Call {
  readonly id: number
  readonly message: ToWorker
  readonly transfer: readonly ArrayBuffer[]
  /** `atRest`: it is no work that rest comes after. */
  readonly options: RunOptions & { readonly atRest?: boolean }
  settle(outcome: { result: unknown } | { error: unknown }): void
}

interface Thread {
  worker: Worker
  call: Call | undefined
  beganMs: number
  linger: NodeJS.Timeout | undefined
}

/** How work is found to be over. */
export interface RestOptions extends Pick<RestWatchInit, 'windowMs' | 'worthMs'> {
  /** So long a thread stays that has nothing to do, beside the first. */
  readonly lingerMs?: number | undefined
}

const MAX_THREADS = 8
/** Small pieces of work come every now and then, several at once: they find the threads warm while they come often. */
const LINGER_MS = 10_000

/**
 * @param size - one thread more than there are cores: bulk work (walking, hashing) takes `size - 1`, so that whoever asks
 *   something meanwhile finds a free one. They begin when they are needed.
 */
export function workerPool(
  size = Math.min(MAX_THREADS, availableParallelism() + 1),
  { lingerMs = LINGER_MS, ...rest }: RestOptions = {}
): WorkerPool {
  const threads: Thread[] = []
  const resting: (() => void)[] = []
  const watch = new RestWatch({
    isBusy: () => threads.some(t => t.call !== undefined),
    atRest() {
      for (const thread of threads.splice(1)) void thread.worker.terminate()
      links.rest()
      for (const begin of resting) begin()
    },
    ...rest
  })
  const waiting: Call[] = []
  const links = linkThreads()
  let nextId = 1
  let closed = false

  const stopped = (): SpacedriveError => new SpacedriveError('STOPPED', 'the worker pool was closed')

  function spawn(): Thread {
    const worker = new Worker(WORKER_ENTRY, WORKER_OPTIONS)
    const thread: Thread = { worker, call: undefined, beganMs: 0, linger: undefined }
    worker.unref()
    worker.on('message', (m: FromWorker) => {
      const call = thread.call
      if (call === undefined || call.id !== m.id) return
      if ('emit' in m) call.options.onEmit?.(m.emit as never)
      else {
        thread.call = undefined
        worker.unref()
        if (call.options.atRest !== true) watch.worked(performance.now() - thread.beganMs)
        call.settle('error' in m ? { error: fromPlainError(m.error) } : m)
        next()
        if (thread.call === undefined) linger(thread)
      }
    })
    const died = (cause?: unknown): void => {
      const at = threads.indexOf(thread)
      if (at >= 0) threads.splice(at, 1)
      clearTimeout(thread.linger)
      const call = thread.call
      thread.call = undefined
      call?.settle({ error: closed ? stopped() : threadDied(cause) })
      if (!closed) next()
    }
    worker.once('error', died)
    worker.once('exit', () => died())
    threads.push(thread)
    return thread
  }

  /** One stays warm for what comes next; each of the others costs some 10 MB. The first one free is taken, so those that follow it rest first. */
  function linger(thread: Thread): void {
    thread.linger = setTimeout(() => {
      const at = threads.indexOf(thread)
      if (at <= 0 || thread.call !== undefined) return
      threads.splice(at, 1)
      void thread.worker.terminate()
    }, lingerMs)
    thread.linger.unref()
  }

  function next(): void {
    while (waiting.length > 0) {
      const thread = threads.find(t => t.call === undefined) ?? (threads.length < size ? spawn() : undefined)
      if (thread === undefined) return
      const call = waiting.shift()!
      clearTimeout(thread.linger)
      thread.call = call
      thread.beganMs = performance.now()
      thread.worker.ref()
      thread.worker.postMessage(call.message, call.transfer)
    }
  }

  function run(task: unknown, input: unknown, options: Call['options'] = {}): Promise<never> {
    const { signal } = options
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      if (closed) return reject(stopped())
      const id = nextId++
      const onAbort = (): void => {
        const at = waiting.indexOf(call)
        if (at >= 0) {
          waiting.splice(at, 1)
          call.settle({ error: signal?.reason })
        } else {
          // The thread stays busy until the task notices; the caller waits for that, so that nothing runs on unseen.
          threads.find(t => t.call === call)?.worker.postMessage({ id, abort: true } satisfies ToWorker)
        }
      }
      const call: Call = {
        id,
        message: { id, task: addressOf(task as never), input },
        transfer: options.transfer ?? [],
        options,
        settle(outcome) {
          signal?.removeEventListener('abort', onAbort)
          if ('result' in outcome) resolve(outcome.result as never)
          else reject(signal?.aborted ? signal.reason : outcome.error)
        }
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      waiting.push(call)
      next()
    })
  }

  return {
    size,
    bulkWidth: Math.max(1, size - 1),
    link: links.link,
    run,
    whenAtRest(task, { first, done } = {}) {
      resting.push(() => {
        const rest = async (): Promise<void> => {
          await first?.()
          await run(task, undefined, { atRest: true })
          done?.()
        }
        rest().catch(() => {}) // it may be closed meanwhile
      })
    },
    async close() {
      closed = true
      watch.stop()
      for (const call of waiting.splice(0)) call.settle({ error: stopped() })
      await Promise.all([links.close(), ...threads.map(t => t.worker.terminate())])
    }
  }
}
