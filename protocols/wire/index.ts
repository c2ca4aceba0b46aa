/** What every protocol is made of: frames, MessagePack under limits, typed channels, rate limits, and the ports to the network. */
export { type MessageChannel, messageChannel } from './channel.js'
export { bytes, decode, encode, int64, safeCount } from './codec.js'
export { Courier, type CourierInit, type CourierOutcome } from './courier.js'
export { FRAME_HEADER_BYTES, type FrameStream, type FrameStreamInit, frameStream, type ReadOptions } from './framing.js'
export * from './limits.js'
export type { Direction, HandlerOptions, PeerHandler, PeerNetwork, PeerSession, PeerTrust } from './peers.js'
export { TokenBucket } from './rate-limit.js'
export { BROKEN_RULES, publicCode, type WireErrorCode, wireError } from './wire-error.js'
