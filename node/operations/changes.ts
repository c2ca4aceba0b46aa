import type { AnyEvent } from '../../storage/base/index.js'
import type { Peer } from '../compose.js'

export interface ChangesInit {
  readonly signal: AbortSignal
  /** At least this long between two turns: what a person can see. */
  readonly intervalMs: number
  /** Called for each event, at once. @returns whether there is something new to show */
  note(event: AnyEvent): boolean
}

/** For what is shown live: a turn at once, then one after each change, until the signal is aborted. */
export async function* changes(
  { events, clock }: Pick<Peer, 'events' | 'clock'>,
  { signal, intervalMs, note }: ChangesInit
): AsyncGenerator<void, void> {
  let changed = true
  let wake = (): void => {}
  const off = events.onAny(event => {
    if (!note(event)) return
    changed = true
    wake()
  })
  const aborted = (): void => wake()
  signal.addEventListener('abort', aborted)
  try {
    while (!signal.aborted) {
      if (changed) {
        changed = false
        yield
        await clock.sleep(intervalMs, { signal }).catch(() => {}) // the loop looks at the signal
      } else {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    }
  } finally {
    off()
    signal.removeEventListener('abort', aborted)
  }
}
