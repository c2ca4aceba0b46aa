/** Content, as the receiver looks at it. */
export interface Incoming {
  /** Frames that wait for a limit of the rate here. */
  readonly held: number
  /** Whether some of a frame is here, and not all of it. */
  readonly isArriving: boolean
  /** Came, a frame that is arriving as if all of it had, and was not consumed. */
  readonly waitingBytes: number
  /** The window that the sender was told last. */
  readonly toldBytes: number
}

/**
 * Whether the sender is to move something: while there is room for what it has. What waits here is our own slowness. A single frame may
 * be larger than the window: who has begun one is to end it.
 */
export function isSendersTurn({ held, isArriving, waitingBytes, toldBytes }: Incoming): boolean {
  return held === 0 && (isArriving || waitingBytes < toldBytes / 2)
}
