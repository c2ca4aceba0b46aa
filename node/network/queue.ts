/** Values that come when they come, for one reader; what does not fit is dropped (the newest). */
export interface Queue<T> {
  readonly push: (value: T) => void
  /** Until the signal; ends quietly then. */
  take(signal?: AbortSignal): AsyncGenerator<T>
}

export function queueOf<T>(maxWaiting: number): Queue<T> {
  const waiting: T[] = []
  let wake: (() => void) | undefined
  return {
    push(value) {
      if (waiting.length >= maxWaiting) return
      waiting.push(value)
      wake?.()
    },
    async *take(signal) {
      while (signal?.aborted !== true) {
        const next = waiting.shift()
        if (next !== undefined) {
          yield next
          continue
        }
        await new Promise<void>(resolve => {
          const done = (): void => {
            signal?.removeEventListener('abort', done)
            wake = undefined
            resolve()
          }
          wake = done
          signal?.addEventListener('abort', done, { once: true })
        })
      }
    }
  }
}
