import { type AbortOptions, linkSignals } from '../../../storage/base/index.js'
import type { StagedWork } from './staging.js'
import type { Work } from './work.js'

/** Portions that come over at once: what a portion waits for another one uses. */
const WORKS_STAGING = 4
/** The same, where two have so many bytes: a third one would only wait for its turn on the way. */
const STAGING_BYTES = 8 * 1024 * 1024
/**
 * Portions that lie staged and wait for their names. Making them durable takes as long as bringing several, so that with fewer both
 * ends would rest in turns. They take no memory but that of their paths (some 2 MiB), and on the disk they lie anyway.
 */
const WORKS_READY = 12

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
  const queue: { readonly bytes: number; readonly handed: Promise<Handed> }[] = []
  const ready: Handed[] = []
  let cause: { readonly error: unknown } | undefined
  const fail = (error: unknown): void => {
    cause ??= { error }
    failed.abort(error)
  }
  /** What is being placed, and who does so until nothing waits for its names. */
  let current: Promise<void> = Promise.resolve()
  let placer: Promise<void> | undefined
  const placeReady = async (): Promise<void> => {
    while (ready.length > 0 && cause === undefined) {
      current = init.place(ready.splice(0), options)
      await current
    }
    placer = undefined
  }
  const first = async (): Promise<void> => {
    ready.push(await queue.shift()!.handed)
    placer ??= placeReady()
    placer.catch(fail)
    if (ready.length >= WORKS_READY) await current
  }
  const isFull = (): boolean =>
    queue.length >= WORKS_STAGING || (queue.length > 1 && queue.reduce((n, q) => n + q.bytes, 0) >= STAGING_BYTES)
  try {
    for await (const work of works) {
      const handed = init.stage(work, options).then(staged => ({ work, staged }))
      handed.catch(fail)
      queue.push({ bytes: work.bytes, handed })
      while (isFull()) await first()
      options.signal.throwIfAborted()
    }
    while (queue.length > 0) await first()
    await placer
  } catch (error) {
    fail(error)
  } finally {
    await Promise.allSettled([...queue.map(q => q.handed), placer])
    linked.clear()
  }
  signal?.throwIfAborted()
  if (cause !== undefined) throw cause.error
}
