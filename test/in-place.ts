import type { WorkerPool } from '../storage/base/index.js'

interface RunOptions {
  readonly signal?: AbortSignal
  readonly onEmit?: (value: never) => void
}

/** A pool whose tasks run where they are called: on a disk, say, that the handles bring along and that stays in its thread. */
export const inPlace = {
  size: 1,
  bulkWidth: 1,
  async run(task: (input: unknown, ctx: unknown) => unknown, input: unknown, { signal, onEmit }: RunOptions = {}) {
    signal?.throwIfAborted()
    return task(input, { signal: signal ?? new AbortController().signal, emit: onEmit ?? (() => {}) })
  },
  link(task: (input: unknown, ctx: unknown) => Promise<unknown>, input: unknown, { signal, onEmit }: RunOptions) {
    let heard: (value: unknown) => void = () => {}
    const onPost = (listener: typeof heard): void => {
      heard = listener
    }
    const result = Promise.resolve().then(() => task(input, { signal, emit: onEmit, onPost }))
    return { result, post: (value: unknown) => heard(value) }
  },
  async close() {}
} as unknown as WorkerPool
