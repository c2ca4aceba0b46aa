import { type AbortOptions, type LinkContext, linkSignals, type WorkerPool } from '../../storage/base/index.js'

/** Values on their way from a worker: what the reader has not taken yet. */
const AHEAD = 4

export interface PullOptions extends AbortOptions {
  /** Memory that the reader is done with, put here by it: handed back to the task, which may send more in it. */
  readonly spent?: ArrayBufferLike[] | undefined
}

/** From the reader to the task. */
interface Taken {
  readonly more: number
  readonly spent: readonly ArrayBufferLike[]
}

/** Which of them change hands: memory that is shared stays where it is. */
export const handedOver = (buffers: readonly ArrayBufferLike[]): ArrayBuffer[] =>
  buffers.filter(buffer => buffer instanceof ArrayBuffer)

/**
 * A task that yields: runs it in a thread of its own links and hands on what it sends, no more than a few values ahead of who
 * reads. Ending the loop early ends the task; its last step is awaited, so that nothing runs on unseen.
 */
export async function* pulled<I, T>(
  pool: WorkerPool,
  task: (input: I, ctx: LinkContext) => Promise<void>,
  input: NoInfer<I>,
  { signal, spent }: PullOptions = {}
): AsyncGenerator<T, void, void> {
  signal?.throwIfAborted()
  const over = new AbortController()
  const linked = linkSignals(signal, over.signal)
  const waiting: T[] = []
  let ended: { error?: unknown } | undefined
  let wake = (): void => {}
  const { result, post } = pool.link(task, input, {
    signal: linked.signal,
    onEmit(value: { value: T }) {
      waiting.push(value.value)
      wake()
    }
  })
  const settled = result.then(
    () => {
      ended = {}
      wake()
    },
    error => {
      ended = { error }
      wake()
    }
  )
  try {
    for (;;) {
      while (waiting.length > 0) {
        const value = waiting.shift() as T
        const back = spent?.splice(0) ?? []
        post({ more: 1, spent: back } satisfies Taken, handedOver(back))
        yield value
      }
      if (ended !== undefined) break
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
    signal?.throwIfAborted()
    if (ended.error !== undefined) throw ended.error
  } finally {
    if (ended === undefined) over.abort()
    await settled
    linked.clear()
  }
}

/** The worker's side of `pulled`. */
export interface Sink<T> {
  /** Waits until there is room. @param transfer - buffers handed over */
  send(value: T, transfer?: readonly ArrayBuffer[]): Promise<void>
  /**
   * Memory for a piece: what the reader handed back, if it is as long, else new. Whoever takes it fills all of it.
   * @param shared - with the reader: nothing changes hands. (What arrives in a thread counts as growth of its heap: for each
   *   64 MiB of pieces all of it was marked.)
   */
  memory(lengthBytes: number, shared: boolean): Uint8Array
  /** Lets messages in: to be called now and then by whoever works long without sending. */
  giveWay(): Promise<void>
}

export function sink<T>(ctx: LinkContext): Sink<T> {
  let credit = AHEAD
  let wake = (): void => {}
  const spare: ArrayBufferLike[] = []
  ctx.onPost(({ more, spent }: Taken) => {
    credit += more
    spare.push(...spent)
    wake()
  })
  const onAbort = (): void => wake()
  ctx.signal.addEventListener('abort', onAbort, { once: true })
  const giveWay = async (): Promise<void> => {
    await new Promise(resolve => setImmediate(resolve))
    ctx.signal.throwIfAborted()
  }
  return {
    giveWay,
    memory(lengthBytes, shared) {
      const used = spare.pop()
      if (used?.byteLength === lengthBytes) return new Uint8Array(used)
      return new Uint8Array(shared ? new SharedArrayBuffer(lengthBytes) : new ArrayBuffer(lengthBytes))
    },
    async send(value, transfer) {
      // The abort arrives as a message: without a turn it would never be seen.
      await giveWay()
      while (credit === 0) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
        ctx.signal.throwIfAborted()
      }
      credit--
      ctx.emit(transfer === undefined ? { value } : { value, transfer })
    }
  }
}
