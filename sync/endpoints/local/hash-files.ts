import type { RelPath, WorkerPool } from '../../../storage/base/index.js'
import type { HashedFile } from '../content.js'
import { type HashedPage, hashedFiles } from './hashed-page.js'
import { localTasks } from './local.worker.js'
import type { LocalRoot } from './reading.js'

/** Files in one message to a worker: a large one holds up no more than these. */
const FILES_A_TASK = 32

export interface HashInOrder {
  readonly pool: WorkerPool
  readonly root: LocalRoot
  readonly paths: readonly RelPath[]
  readonly onBytes: ((bytes: number) => void) | undefined
  readonly signal: AbortSignal
}

/** Hashes in several threads at once, results in the order of the paths. A loop that ends early ends the work. */
export async function* hashInOrder({ pool, root, paths, onBytes, signal }: HashInOrder): AsyncGenerator<HashedFile> {
  const over = new AbortController()
  const onAbort = (): void => over.abort(signal.reason)
  signal.throwIfAborted()
  signal.addEventListener('abort', onAbort, { once: true })
  const running: Promise<HashedPage>[] = []
  let next = 0
  const begin = (): void => {
    if (next >= paths.length) return
    const some = paths.slice(next, next + FILES_A_TASK)
    next += some.length
    const task = pool.run(localTasks.hash, { root, paths: some }, { signal: over.signal, onEmit: onBytes })
    task.catch(() => {}) // told when its turn comes
    running.push(task)
  }
  try {
    for (let i = 0; i < pool.bulkWidth; i++) begin()
    for (let task = running.shift(); task !== undefined; task = running.shift()) {
      const results = await task
      begin()
      yield* hashedFiles(results)
    }
  } finally {
    over.abort()
    await Promise.allSettled(running)
    signal.removeEventListener('abort', onAbort)
  }
}
