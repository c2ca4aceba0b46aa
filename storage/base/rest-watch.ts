/** Looked at so often, while there is anything to look for. */
const WINDOW_MS = 30_000
/** Work since the last rest that makes another one worth its cost. */
const WORTH_MS = 1_000
/** Of a window at rest at most this share is work: an idle daemon looks at this and that every few seconds. */
const QUIET_SHARE = 0.01

export interface RestWatchInit {
  /** Something is at work right now. */
  isBusy(): boolean
  /** After much work there is hardly any. */
  atRest(): void
  readonly windowMs?: number | undefined
  readonly worthMs?: number | undefined
}

/** Notices that much was done and that it is over: then what was taken for it can be given back. Costs nothing where nothing is done. */
export class RestWatch {
  readonly #init: RestWatchInit
  readonly #windowMs: number
  readonly #worthMs: number
  #sinceRestMs = 0
  #windowWorkMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(init: RestWatchInit) {
    this.#init = init
    this.#windowMs = init.windowMs ?? WINDOW_MS
    this.#worthMs = init.worthMs ?? WORTH_MS
  }

  /** A piece of work was done. */
  worked(ms: number): void {
    this.#sinceRestMs += ms
    this.#windowWorkMs += ms
    if (this.#timer !== undefined || this.#sinceRestMs < this.#worthMs) return
    this.#timer = setTimeout(() => this.#look(), this.#windowMs)
    this.#timer.unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    const quiet = !this.#init.isBusy() && this.#windowWorkMs <= this.#windowMs * QUIET_SHARE
    this.#windowWorkMs = 0
    if (!quiet) {
      this.#timer?.refresh()
      return
    }
    this.stop()
    this.#sinceRestMs = 0
    this.#init.atRest()
  }
}
