/** What a scenario has begun outside this process, and has to be ended however the run ends: daemons, namespaces, folders. */
import { constants } from 'node:os'

const begun: (() => Promise<void>)[] = []
let ending: Promise<void> | undefined

/** Everything is being undone: nothing more may be begun. */
export const isEnding = (): boolean => ending !== undefined

/**
 * To be done at the end, or by whoever calls what is returned: once, whoever comes first.
 * @throws when the end has begun
 */
export function atEnd(undo: () => Promise<void> | void): () => Promise<void> {
  if (isEnding()) throw new Error('the run is being ended')
  let done: Promise<void> | undefined
  const once = (): Promise<void> => {
    done ??= (async () => undo())()
    return done
  }
  begun.push(once)
  return async () => {
    await once()
    const at = begun.indexOf(once)
    if (at >= 0) begun.splice(at, 1)
  }
}

/** Undoes what is left, the latest first; what cannot be undone is said and holds up nothing else. */
export function endAll(): Promise<void> {
  ending ??= (async () => {
    for (const undo of [...begun].reverse())
      await undo().catch((err: unknown) => process.stderr.write(`bench: ${String(err)}\n`))
  })()
  return ending
}

/** From now on a signal that asks this process to end lets it clean up first; while a scenario waits for a program it is not heard. */
export function endOnSignal(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (isEnding()) return
      process.stderr.write('bench: stopping and cleaning up\n')
      void endAll().then(() => process.exit(128 + constants.signals[signal]))
    })
  }
}
