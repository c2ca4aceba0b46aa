import { setMaxListeners } from 'node:events'
import { linkSignals, SpacedriveError, type WorkerPool, workerPool } from '../storage/base/index.js'

/** As many as the largest fixture asks for. */
const THREADS = 3

let threads: WorkerPool | undefined

/**
 * A pool for one fixture on threads that all fixtures of a process share: a thread loads what it runs once, which takes 0.2 s
 * of a processor, and a fixture for each random case had four of its own. Closed like any other it takes no more work and
 * ends what it has; the threads stay, and keep nothing alive.
 */
export function sharedPool(): WorkerPool {
  threads ??= workerPool(THREADS)
  const { size, bulkWidth, run, link, whenAtRest } = threads
  const closing = new AbortController()
  setMaxListeners(0, closing.signal) // one for each task that runs
  const begun = new Set<Promise<unknown>>()

  /** With a signal that ends when the pool is closed as well. */
  function tracked<T>(signal: AbortSignal | undefined, begin: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const linked = linkSignals(closing.signal, signal)
    const outcome = begin(linked.signal).finally(() => {
      linked.clear()
      begun.delete(settled)
    })
    const settled = outcome.catch(() => {})
    begun.add(settled)
    return outcome
  }

  return {
    ...{ size, bulkWidth },
    run: (task, input, options = {}) =>
      tracked(options.signal, signal => run(task, input as never, { ...options, signal })) as never,
    link(task, input, options = {}) {
      let post = (_value: unknown, _transfer?: readonly ArrayBuffer[]): void => {}
      const result = tracked(options.signal, signal => {
        const made = link(task, input as never, { ...options, signal })
        post = made.post
        return made.result
      })
      return { result, post } as never
    },
    whenAtRest: (task, options) => whenAtRest(task, options),
    async close() {
      closing.abort(new SpacedriveError('STOPPED', 'the worker pool was closed'))
      await Promise.all(begun)
    }
  }
}
