import { type AbortOptions, type LinkContext, linkSignals, type WorkerPool } from '../../storage/base/index.js'
import { givePlace, takePlace } from './shared-places.js'

/** Values on their way from a worker: what the reader has not taken yet. */
const AHEAD = 4

export interface PullOptions extends AbortOptions {
  /** Memory that the reader is done with, put here by it: handed back to the task, which may send more in it. */
  readonly spent?: ArrayBufferLike[] | undefined
  /** Content comes in places (`shared-places.ts`), which the reader gives back. */
  readonly shared?: boolean | undefined
}

/** From the reader to the task. */
interface Taken {
  readonly more: number
  readonly spent: readonly ArrayBuffer[]
  readonly lent: readonly LentPlace[]
}

interface LentPlace {
  readonly id: number
  readonly memory: SharedArrayBuffer
}

/** Content of a value that lies in a place: its `bytes`. */
interface InPlace {
  readonly id: number
  readonly lengthBytes: number
}

/**
 * A task that yields: runs it in a thread of its own links and hands on what it sends, no more than a few values ahead of who
 * reads. Ending the loop early ends the task; its last step is awaited, so that nothing runs on unseen.
 */
export async function* pulled<I, T>(
  pool: WorkerPool,
  task: (input: I, ctx: LinkContext) => Promise<void>,
  input: NoInfer<I>,
  { signal, spent, shared = false }: PullOptions = {}
): AsyncGenerator<T, void, void> {
  signal?.throwIfAborted()
  const over = new AbortController()
  const linked = linkSignals(signal, over.signal)
  const waiting: { value: T; inPlace?: InPlace }[] = []
  const places = new Places()
  let ended: { error?: unknown } | undefined
  let wake = (): void => {}
  const { result, post } = pool.link(task, input, {
    signal: linked.signal,
    onEmit(value: { value: T; inPlace?: InPlace }) {
      waiting.push(value)
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
  // One more than values on their way: it is read into while those are.
  if (shared) post({ more: 0, spent: [], lent: places.lend(AHEAD + 1) } satisfies Taken)
  try {
    for (;;) {
      while (waiting.length > 0) {
        const { value, inPlace } = waiting.shift()!
        const back = (spent?.splice(0) ?? []).filter(memory => memory instanceof ArrayBuffer)
        const lent = places.lend(inPlace === undefined ? 0 : 1)
        post({ more: 1, spent: back, lent } satisfies Taken, back)
        yield inPlace === undefined ? value : { ...value, bytes: places.bytes(inPlace) }
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
    places.end()
    linked.clear()
  }
}

/** Places that a task has, or that hold values which nobody has taken. */
class Places {
  readonly #lent = new Map<number, SharedArrayBuffer>()
  #next = 1

  lend(count: number): LentPlace[] {
    return Array.from({ length: count }, () => {
      const place = { id: this.#next++, memory: takePlace() }
      this.#lent.set(place.id, place.memory)
      return place
    })
  }

  /** From now on it is the reader's to give back. */
  bytes({ id, lengthBytes }: InPlace): Uint8Array {
    const memory = this.#lent.get(id)!
    this.#lent.delete(id)
    return new Uint8Array(memory, 0, lengthBytes)
  }

  /** The task has ended. */
  end(): void {
    for (const memory of this.#lent.values()) givePlace(memory)
    this.#lent.clear()
  }
}

/** Memory for a piece, and how it comes to the reader. */
export interface PieceMemory {
  readonly bytes: Uint8Array
  readonly inPlace?: InPlace
}

/** The worker's side of `pulled`. */
export interface Sink<T> {
  /** Waits until there is room. @param transfer - buffers handed over */
  send(value: T, transfer?: readonly ArrayBuffer[]): Promise<void>
  /**
   * Memory for a piece: a place that was lent, or what the reader handed back, if it is as long, else new. Whoever takes it fills
   * all of it.
   */
  memory(lengthBytes: number): PieceMemory
  /** The same for a value whose `bytes` are such memory. */
  sendPiece(value: T & { readonly bytes: Uint8Array }, memory: PieceMemory): Promise<void>
  /** Lets messages in: to be called now and then by whoever works long without sending. */
  giveWay(): Promise<void>
}

export function sink<T>(ctx: LinkContext): Sink<T> {
  let credit = AHEAD
  let wake = (): void => {}
  const spare: ArrayBuffer[] = []
  const places: LentPlace[] = []
  ctx.onPost(({ more, spent, lent }: Taken) => {
    credit += more
    spare.push(...spent)
    places.push(...lent)
    wake()
  })
  const onAbort = (): void => wake()
  ctx.signal.addEventListener('abort', onAbort, { once: true })
  const giveWay = async (): Promise<void> => {
    await new Promise(resolve => setImmediate(resolve))
    ctx.signal.throwIfAborted()
  }
  const emit = async (message: object): Promise<void> => {
    // The abort arrives as a message: without a turn it would never be seen.
    await giveWay()
    while (credit === 0) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
      ctx.signal.throwIfAborted()
    }
    credit--
    ctx.emit(message)
  }
  return {
    giveWay,
    memory(lengthBytes) {
      const place = places.pop()
      if (place !== undefined && lengthBytes <= place.memory.byteLength)
        return { bytes: new Uint8Array(place.memory, 0, lengthBytes), inPlace: { id: place.id, lengthBytes } }
      const used = spare.pop()
      return { bytes: used?.byteLength === lengthBytes ? new Uint8Array(used) : new Uint8Array(lengthBytes) }
    },
    send: (value, transfer) => emit(transfer === undefined ? { value } : { value, transfer }),
    sendPiece({ bytes, ...rest }, { inPlace }) {
      if (inPlace !== undefined) return emit({ value: rest, inPlace })
      return emit({ value: { ...rest, bytes }, transfer: [bytes.buffer] })
    }
  }
}
