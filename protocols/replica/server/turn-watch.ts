import { IDLE_TURN_MS, STALLED_TURN_MS, TURN_PROGRESS_BYTES } from '../limits.js'

export interface TurnState {
  /** The device keeps the folder to itself. */
  readonly holds: boolean
  /** Something is being done here for it: that it waits for is no fault of its own. */
  readonly working: boolean
}

/**
 * Whether a device that keeps a folder to itself gets on with what it keeps it for: something was placed, or bytes came and went. To ask
 * a little now and then is not enough, nor to leave an answer unread; and what is asked of this device again and again may keep
 * it at work for ever.
 */
export class TurnWatch {
  #movedBytes = 0
  /** Since it last got on: how long nothing was done here for it, and how long that is in all. */
  #idleMs = 0
  #stalledMs = 0
  #lookedMs: number

  constructor(nowMs: number) {
    this.#lookedMs = nowMs
  }

  /** A frame came or went. */
  moved(bytes: number): void {
    this.#movedBytes += bytes
  }

  placed(): void {
    this.#movedBytes = TURN_PROGRESS_BYTES
  }

  /** To be asked every few seconds: what lies between counts as it is found. @returns others shall have the folder */
  isOver(nowMs: number, { holds, working }: TurnState): boolean {
    const passedMs = nowMs - this.#lookedMs
    this.#lookedMs = nowMs
    if (!holds || this.#movedBytes >= TURN_PROGRESS_BYTES) {
      this.#movedBytes = 0
      this.#idleMs = 0
      this.#stalledMs = 0
      return false
    }
    this.#stalledMs += passedMs
    if (!working) this.#idleMs += passedMs
    return this.#idleMs >= IDLE_TURN_MS || this.#stalledMs >= STALLED_TURN_MS
  }
}
