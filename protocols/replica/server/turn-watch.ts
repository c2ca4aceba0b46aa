import { GOT_ON_EVERY_MS, IDLE_TURN_MS, MAX_WANTED_TURN_MS, STALLED_TURN_MS, TURN_PROGRESS_BYTES } from '../limits.js'

export interface TurnState {
  /** The device keeps the folder to itself. */
  readonly holds: boolean
  /** Somebody else came for that folder since. */
  readonly wanted: boolean
  /** Something is being done here for it: that it waits for is no fault of its own. */
  readonly working: boolean
}

/**
 * Whether a device that keeps a folder to itself gets on with what it keeps it for: something was placed, or bytes came and went. To ask
 * a little now and then is not enough, nor to leave an answer unread; and what is asked of this device again and again may keep
 * it at work for ever, as its word alone may be said for ever.
 *
 * A slow link and a driver that wants to be in the way look the same: both bring a little again and again. So who holds it may go on like
 * that while nobody else comes for the folder, and no longer than a day from when somebody does. What it has staged waits for it.
 */
export class TurnWatch {
  #movedBytes = 0
  /** Since it last got on: how long nothing was done here for it, and how long that is in all. */
  #idleMs = 0
  #stalledMs = 0
  #lookedMs: number
  #heardMs: number | undefined
  /** How long somebody else has wanted it. */
  #wantedMs = 0

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

  /**
   * The device says that it gets on with what is not seen here. It is believed as long as that may take: it is not idle, but all the
   * while it stands still. @returns false: it says so too often
   */
  saidAlive(nowMs: number): boolean {
    const isTooOften = this.#heardMs !== undefined && nowMs - this.#heardMs < GOT_ON_EVERY_MS / 2
    this.#heardMs = nowMs
    this.#idleMs = 0
    return !isTooOften
  }

  /** To be asked every few seconds: what lies between counts as it is found. @returns others shall have the folder */
  isOver(nowMs: number, { holds, wanted, working }: TurnState): boolean {
    const passedMs = nowMs - this.#lookedMs
    this.#lookedMs = nowMs
    this.#wantedMs = holds && wanted ? this.#wantedMs + passedMs : 0
    if (this.#wantedMs >= MAX_WANTED_TURN_MS) return true
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
