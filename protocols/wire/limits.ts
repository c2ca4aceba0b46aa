/** Limits every protocol shares (DESIGN 12); each is listed in docs/limits.md with what happens at it. */

/** A control message: ample for 8 addresses and a name, small enough that a flood is cheap to refuse. */
export const MAX_CONTROL_FRAME_BYTES = 64 * 1024
/** Pairing talks to strangers: its largest message is under 1 KiB. */
export const MAX_PAIRING_FRAME_BYTES = 4 * 1024
/** Received but not yet read by us: Yamux gives credit on arrival, so a flood would otherwise grow without end. */
export const MAX_QUEUED_BYTES = 4 * 1024 * 1024
/** From the opening of a stream to its first whole frame. */
export const HEADER_TIMEOUT_MS = 5_000
/** How long a link that is full may keep an answer: 256 KiB of ours and a MiB of the systems' between, at the least rate of 8 KiB/s. */
export const MAX_LINK_PATIENCE_MS = 5 * 60_000
/** Between frames of a stream that is waiting for one. */
export const IDLE_TIMEOUT_MS = 30_000
/** How long a writer waits for the other side to take what was sent. */
export const DRAIN_TIMEOUT_MS = 30_000
/** Control messages a device may send: a steady rate and a burst. */
export const CONTROL_MESSAGES_PER_SECOND = 50
export const CONTROL_MESSAGE_BURST = 200
