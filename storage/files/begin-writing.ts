import { closeSync } from 'node:fs'
import type { Native } from './native.js'

/** See `beginWriting`. */
export interface BeginWriting {
  /** See `Disk.startWriting`. */
  start(fd: number, position: number, lengthBytes: number): number
  /** See `Disk.begun`. */
  begun(): Promise<void>
  /** Closes a file: once nobody uses its descriptor any more. */
  close(fd: number): void
}

/** Asked for in one go: a sync that comes meanwhile is not held up long by what goes on without it. */
const MAX_BYTES = 32 * 1024 * 1024

/**
 * Has the disk begin with what was written, beside the thread that wrote it: the call waits wherever the disk has enough to do, and all that
 * comes behind would wait with it. One at a time in a thread, since each occupies one of libuv's few.
 */
export function beginWriting(native: Pick<Native, 'startWriting'> | undefined): BeginWriting {
  let running: { readonly fd: number; closed: boolean; readonly over: Promise<void> } | undefined
  return {
    start(fd, position, lengthBytes) {
      if (native?.startWriting === undefined) return lengthBytes
      if (running !== undefined) return 0
      const bytes = Math.min(lengthBytes, MAX_BYTES)
      const over = new Promise<void>(resolve => {
        native.startWriting!(fd, position, bytes, () => {
          // A hint: what went wrong with the data itself is told by the sync.
          if (running?.closed === true) closeSync(fd)
          running = undefined
          resolve()
        })
      })
      running = { fd, closed: false, over }
      return bytes
    },
    begun: async () => running?.over,
    close(fd) {
      // Closed now, its number might be that of another file before the call looks at it.
      if (running?.fd === fd) running.closed = true
      else closeSync(fd)
    }
  }
}
