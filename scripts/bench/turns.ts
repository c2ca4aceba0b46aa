import { closeSync, openSync, readSync } from 'node:fs'

const TICK_MS = 5

export interface Turns {
  /** The longest time between two turns of the event loop, beyond what was asked for. */
  readonly longestTurnMs: number
  /** The same without what this thread waited for a core: other programs, and our own threads (Linux; else null). */
  readonly longestOwnTurnMs: number | null
}

/** Watches the event loop while `work` runs. */
export async function turnsDuring(work: () => Promise<unknown>): Promise<Turns> {
  const waited = waitedForCore()
  let longest = 0
  let longestOwn = 0
  let last = performance.now()
  let lastWaited = waited?.ms() ?? 0
  const timer = setInterval(() => {
    const now = performance.now()
    const nowWaited = waited?.ms() ?? 0
    const late = now - last - TICK_MS
    longest = Math.max(longest, late)
    longestOwn = Math.max(longestOwn, late - (nowWaited - lastWaited))
    last = now
    lastWaited = nowWaited
  }, TICK_MS)
  try {
    await work()
  } finally {
    clearInterval(timer)
    waited?.close()
  }
  return { longestTurnMs: Math.round(longest), longestOwnTurnMs: waited === undefined ? null : Math.round(longestOwn) }
}

/** How long the main thread has stood ready without a core: the second number of its schedstat, in nanoseconds. */
function waitedForCore(): { ms(): number; close(): void } | undefined {
  try {
    const fd = openSync('/proc/self/schedstat', 'r')
    const text = Buffer.alloc(128)
    const ms = (): number =>
      Number(text.toString('latin1', 0, readSync(fd, text, 0, text.length, 0)).split(' ')[1]) / 1e6
    return Number.isNaN(ms()) ? undefined : { ms, close: () => closeSync(fd) }
  } catch {
    return undefined
  }
}
