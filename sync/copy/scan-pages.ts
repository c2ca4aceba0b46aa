import type { RelPath, WorkerPool } from '../../storage/base/index.js'
import type { CopierInit } from '../../storage/files/index.js'
import type { FoundPage } from './pages.js'
import { type ScanInput, scanning } from './scan.worker.js'

/**
 * The pages of a scan, taken at the pace of whoever takes them.
 * @param found - told of each page as it is found, ahead of its being taken; `foundAll` when there are no more
 */
export async function* scanPages(
  pool: WorkerPool,
  input: ScanInput,
  { signal, found, foundAll }: { signal: AbortSignal; found(page: FoundPage): void; foundAll?: () => void }
): AsyncGenerator<FoundPage> {
  const waiting: FoundPage[] = []
  const ending = new AbortController()
  let end: { error?: unknown } | undefined
  let wake: () => void = () => {}
  const stop = (): void => ending.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  const link = pool.link(scanning.scan, input, {
    signal: ending.signal,
    onEmit(page: FoundPage) {
      found(page)
      waiting.push(page)
      wake()
    }
  })
  const ended = link.result.then(
    () => {
      end = {}
      foundAll?.()
      wake()
    },
    (error: unknown) => {
      end = { error }
      wake()
    }
  )
  try {
    for (;;) {
      const page = waiting.shift()
      if (page !== undefined) {
        link.post(1)
        yield page
      } else if (end !== undefined) {
        if ('error' in end) throw end.error
        return
      } else {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    }
  } finally {
    signal.removeEventListener('abort', stop)
    ending.abort()
    await ended // it uses the descriptors of the source
  }
}

/** The pages of paths that are known, as they are now. Bounded by the number of paths. */
export async function* lookAgain(
  pool: WorkerPool,
  { source }: CopierInit,
  paths: readonly RelPath[],
  signal: AbortSignal
): AsyncGenerator<FoundPage> {
  const pages: FoundPage[] = []
  await pool.run(scanning.lookAgain, { source, paths }, { signal, onEmit: (page: FoundPage) => pages.push(page) })
  yield* pages
}
