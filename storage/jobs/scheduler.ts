import { CRITICAL_EXTRA, MAX_RUNNING } from './limits.js'

/** Index into PRIORITIES: 0 is critical. */
const CRITICAL = 0

export interface Ticket {
  /** Index into PRIORITIES. */
  readonly priority: number
  /** Smaller goes first among equals: the time of dispatch. */
  readonly order: number
  /** At most one holder of the same key at a time. */
  readonly serial?: string | undefined
  /** Keys held by those who wait for this one: they are no obstacle. */
  readonly exempt?: readonly string[] | undefined
}

/** A place among the running jobs. */
export interface Place {
  /** Lets others run while its holder waits for them; the serial key stays held. Who goes on enters anew, without the key. */
  lend(): void
  leave(): void
}

interface Waiting extends Ticket {
  readonly grant: (place: Place) => void
}

/**
 * Gives out a bounded number of places by priority, then by age. Critical jobs have one place more than all others, so a
 * full house of long jobs does not keep them waiting.
 */
export class Scheduler {
  readonly #waiting: Waiting[] = []
  readonly #serial = new Map<string, number>()
  readonly #places: number
  #running = 0

  constructor(places = MAX_RUNNING) {
    this.#places = places
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Rejects with `signal.reason` itself. */
  enter(ticket: Ticket, signal: AbortSignal): Promise<Place> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1)
        reject(signal.reason)
      }
      const entry: Waiting = {
        ...ticket,
        grant: place => {
          signal.removeEventListener('abort', onAbort)
          resolve(place)
        }
      }
      signal.addEventListener('abort', onAbort, { once: true })
      const at = this.#waiting.findIndex(
        w => w.priority > entry.priority || (w.priority === entry.priority && w.order > entry.order)
      )
      this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, entry)
      this.#pump()
    })
  }

  #pump(): void {
    for (let i = 0; i < this.#waiting.length; ) {
      const next = this.#waiting[i]!
      if (this.#running >= this.#places + (next.priority === CRITICAL ? CRITICAL_EXTRA : 0)) return
      if (!this.#free(next)) {
        i++
        continue
      }
      this.#waiting.splice(i, 1)
      next.grant(this.#take(next.serial))
      i = 0
    }
  }

  #free({ serial, exempt }: Ticket): boolean {
    return serial === undefined || !this.#serial.has(serial) || (exempt?.includes(serial) ?? false)
  }

  #take(serial: string | undefined): Place {
    this.#running++
    if (serial !== undefined) this.#serial.set(serial, (this.#serial.get(serial) ?? 0) + 1)
    let counted = true
    let held = true
    const lend = (): void => {
      if (!counted) return
      counted = false
      this.#running--
      this.#pump()
    }
    return {
      lend,
      leave: () => {
        if (!held) return
        held = false
        if (serial !== undefined) {
          const holders = this.#serial.get(serial)! - 1
          if (holders === 0) this.#serial.delete(serial)
          else this.#serial.set(serial, holders)
        }
        if (counted) lend()
        else this.#pump()
      }
    }
  }
}
