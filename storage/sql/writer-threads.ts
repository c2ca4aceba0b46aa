import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { HEAP_LIMITS, packedUrl, THREAD_DATA } from '../base/index.js'
import type { OpenInThread, ToThread } from './writer-entry.js'

/** Threads for databases that share them. A core each is as much as they can use; the heap of each costs some 10 MB. */
const MAX_SHARED = Math.min(4, Math.max(2, availableParallelism()))
/** A shared thread without a database ends after this long: who opens the next one meanwhile does not wait for its start. */
const LINGER_MS = 5_000

interface WriterThread {
  readonly worker: Worker
  readonly seats: Set<Seat>
  linger: NodeJS.Timeout | undefined
}

interface Seat {
  isBusy: boolean
  ended(cause?: Error): void
}

/** The place of one database in a thread: what is posted there is for it alone. */
export interface WriterSeat {
  readonly port: MessagePort
  /** Others find another thread while much is written here. */
  busy(is: boolean): void
  /** The database is closed. Resolves when a thread of its own has ended. */
  leave(): Promise<void>
}

const shared: WriterThread[] = []
const all = new Set<WriterThread>()

/**
 * Opens a database in a writer thread: one of its own, or one that others write in as well. Its first message says whether that went well.
 * @param ended - the thread is no more, and was not left
 */
export function takeSeat(open: OpenInThread, isShared: boolean, ended: (cause?: Error) => void): WriterSeat {
  const thread = isShared ? leastBusy() : spawn()
  const { port1, port2 } = new MessageChannel()
  const seat: Seat = { isBusy: false, ended }
  thread.seats.add(seat)
  clearTimeout(thread.linger)
  thread.worker.postMessage({ open, port: port2 } satisfies ToThread, [port2])
  return {
    port: port1,
    busy(is) {
      seat.isBusy = is
    },
    async leave() {
      thread.seats.delete(seat)
      port1.close()
      if (!isShared) {
        forget(thread)
        await thread.worker.terminate()
      } else if (thread.seats.size === 0) linger(thread)
    }
  }
}

/** All writers give back what they took for their work: pages that they keep, and garbage. */
export async function restWriters(): Promise<void> {
  await Promise.all(
    [...all].map(async ({ worker }) => {
      const { port1, port2 } = new MessageChannel()
      worker.postMessage({ rest: port2 } satisfies ToThread, [port2])
      await once(port1, 'close') // that it has rested, or is no more
    })
  )
}

function spawn(): WriterThread {
  const worker = new Worker(packedUrl('storage/sql/writer-entry.js'), {
    resourceLimits: HEAP_LIMITS,
    workerData: THREAD_DATA
  })
  const thread: WriterThread = { worker, seats: new Set(), linger: undefined }
  const died = (cause?: Error): void => {
    forget(thread)
    for (const seat of thread.seats) seat.ended(cause)
    thread.seats.clear()
  }
  worker.on('error', died)
  worker.on('exit', () => died())
  worker.unref()
  all.add(thread)
  return thread
}

/** One in which nothing is written just now, if there may be another one. */
function leastBusy(): WriterThread {
  const busy = (t: WriterThread): number => [...t.seats].filter(seat => seat.isBusy).length
  shared.sort((a, b) => busy(a) - busy(b) || a.seats.size - b.seats.size)
  const [first] = shared
  if (first !== undefined && (busy(first) === 0 || shared.length >= MAX_SHARED)) return first
  const thread = spawn()
  shared.push(thread)
  return thread
}

function linger(thread: WriterThread): void {
  thread.linger = setTimeout(() => {
    forget(thread)
    void thread.worker.terminate()
  }, LINGER_MS)
  thread.linger.unref()
}

function forget(thread: WriterThread): void {
  clearTimeout(thread.linger)
  all.delete(thread)
  const at = shared.indexOf(thread)
  if (at >= 0) shared.splice(at, 1)
}
