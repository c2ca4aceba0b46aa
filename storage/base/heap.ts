import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * What a thread lets lie until its next short collection, in MB. V8's own limit is 48 a thread: among seven threads that is
 * most of the memory of a daemon that has something to do.
 */
const YOUNG_MB = 8
/** For database writers as well. */
export const HEAP_LIMITS = { maxYoungGenerationSizeMb: YOUNG_MB }

/**
 * The event loop has its heap, of the size that it was started with (HEAP_FLAGS in node/cli/local). V8 holds by such flags in each heap that is made
 * afterwards, whatever limits it is given: those of the threads are to be as small as they can.
 */
export function flagsWereOurs(): void {
  for (const flag of ['--initial-old-space-size=0', '--max-semi-space-size=0']) setFlagsFromString(flag)
}

/** What a piece of work may leave behind in the heap of its thread, besides the program itself. */
const LEFT_BYTES = 24 * 1024 * 1024

/**
 * Collects the garbage of this thread's heap, some 10 ms for each 10 MiB that stay. V8 does so by itself only when a heap is to grow: one that
 * did much and does nothing any more keeps all of it.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  // The function belongs to a context, which goes with the next collection.
  ;(runInNewContext('gc') as () => void)()
}

/** Gives what a collection emptied back to the system as well, which V8 does with the one after it. */
export function shrinkHeap(): void {
  collectGarbage()
  collectGarbage()
}

/** After a piece of work that filled the heap: the next one may be long in coming, or need little. */
export function shrinkIfFull(): void {
  if (getHeapStatistics().used_heap_size > LEFT_BYTES) shrinkHeap()
}
