import type { Clock } from '../../../storage/base/index.js'

/** An answer, or a part of one. */
export interface Outgoing {
  readonly values: unknown
  readonly data?: readonly Uint8Array[]
}

export interface Answering {
  readonly clock: Clock
  /** How much content one part should hold. */
  partBytes(): number
}
