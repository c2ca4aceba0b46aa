import { type AbortOptions, linkSignals } from '../../../storage/base/index.js'
import type { StagedWork } from './staging.js'
import type { Work } from './work.js'

/** Portions that are on their way: while one gets its names the next ones come over. */
const WORKS_AHEAD = 4

interface Handed {
  readonly work: Work
  readonly staged: StagedWork
}

/** Stages portions, several at once, and places them in their order, all that waits in one go. */
export interface PipelineInit {
  stage(work: Work, options: AbortOptions): Promise<StagedWork>
  place(some: readonly Handed[], options: AbortOptions): Promise<void>
}

/** @throws what `stage` or `place` throw first, when all that was begun has ended; `signal.reason` */
export async function pipeline(
  works: AsyncIterable<Work>,
  init: PipelineInit,
  { signal }: AbortOptions
): Promise<void> {
  const failed = new AbortController()
  const linked = linkSignals(signal, failed.signal)
  const options = { signal: linked.signal }
  const queue: Promise<Handed>[] = []
  const ready: Handed[] = []
  let cause: { readonly error: unknown } | undefined
  const fail = (error: unknown): void => {
    cause ??= { error }
    failed.abort(error)
  }
  let placing: Promise<void> = Promise.resolve()
  const placeReady = async (): Promise<void> => {
    const some = ready.splice(0)
    if (some.length > 0 && cause === undefined) await init.place(some, options)
  }
  const first = async (): Promise<void> => {
    ready.push(await queue.shift()!)
    placing = placing.then(placeReady)
    placing.catch(fail)
  }
  try {
    for await (const work of works) {
      const staged = init.stage(work, options).then(done => ({ work, staged: done }))
      staged.catch(fail)
      queue.push(staged)
      // What waits for its names counts as on its way.
      while (queue.length > 0 && queue.length + ready.length >= WORKS_AHEAD) {
        await first()
        if (ready.length >= WORKS_AHEAD) await placing
      }
      options.signal.throwIfAborted()
    }
    while (queue.length > 0) await first()
    await placing
  } catch (error) {
    fail(error)
  } finally {
    await Promise.allSettled([...queue, placing])
    linked.clear()
  }
  signal?.throwIfAborted()
  if (cause !== undefined) throw cause.error
}
