/** Looked at so often, while there is anything to look for. */
const WINDOW_MS = 10_000
/** So many windows in a row without work are rest. */
const QUIET_WINDOWS = 2
/** Work since the last rest that makes another one worth its cost. */
const WORTH_MS = 1_000
/** Of a window at rest at most this share is work: an idle daemon looks at this and that every few seconds. */
const QUIET_SHARE = 0.01

export interface RestWatchInit {
  /** Something is at work right now. */
  isBusy(): boolean
  /** After much work there is hardly any. */
  atRest(): void
  /** Processor time that the process has used, in ms. */
  usedMs?(): number
  readonly windowMs?: number | undefined
  readonly worthMs?: number | undefined
}

/**
 * Notices that much was done and that it is over: then what was taken for it can be given back. Costs nothing where nothing is done.
 *
 * Work is what the clock says between the begin and the end of a piece, and at most the processor time of the process: on a machine that has
 * much else to do a look of 5 ms takes 200, and a daemon at rest would never be found to be.
 */
export class RestWatch {
  readonly #init: RestWatchInit
  readonly #windowMs: number
  readonly #worthMs: number
  readonly #usedMs: () => number
  #sinceRestMs = 0
  #windowWorkMs = 0
  #windowBeganMs = 0
  #quietWindows = 0
  #timer: NodeJS.Timeout | undefined

  constructor(init: RestWatchInit) {
    this.#init = init
    this.#windowMs = init.windowMs ?? WINDOW_MS
    this.#worthMs = init.worthMs ?? WORTH_MS
    this.#usedMs = init.usedMs ?? processorMs
  }

  /** A piece of work was done. */
  worked(ms: number): void {
    this.#sinceRestMs += ms
    this.#windowWorkMs += ms
    if (this.#timer !== undefined || this.#sinceRestMs < this.#worthMs) return
    this.#windowBeganMs = this.#usedMs()
    this.#timer = setTimeout(() => this.#look(), this.#windowMs)
    this.#timer.unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    const used = this.#usedMs()
    const work = Math.min(this.#windowWorkMs, used - this.#windowBeganMs)
    const quiet = !this.#init.isBusy() && work <= this.#windowMs * QUIET_SHARE
    this.#windowWorkMs = 0
    this.#windowBeganMs = used
    this.#quietWindows = quiet ? this.#quietWindows + 1 : 0
    if (this.#quietWindows < QUIET_WINDOWS) {
      this.#timer?.refresh()
      return
    }
    this.stop()
    this.#quietWindows = 0
    this.#sinceRestMs = 0
    this.#init.atRest()
  }
}

function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
