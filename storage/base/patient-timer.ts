/**
 * A timer for the deadlines of others. After the event loop stood still (a busy machine, a process that was stopped) it runs
 * the timers that came due before it reads what came in meanwhile: a plain timer would accuse who had answered long ago.
 */

export interface Timer {
  clear(): void
}

/**
 * Calls `fn` once after `ms`, and after whatever had come in by then was handed on.
 * @param options.keepsAlive - whether the process waits for it
 */
export function patientTimer(fn: () => void, ms: number, { keepsAlive = true } = {}): Timer {
  let immediate: NodeJS.Immediate | undefined
  const timer = setTimeout(() => {
    // Immediates come after one look at everything that can be read.
    immediate = setImmediate(fn)
  }, ms)
  if (!keepsAlive) timer.unref()
  return {
    clear() {
      clearTimeout(timer)
      if (immediate !== undefined) clearImmediate(immediate)
    }
  }
}
