/**
 * How fast content goes: limits for each device and for all, up and down, with hours of the day at which they hold. Who moves
 * content asks before each piece of it:
 *
 *   const lane = new Lane(pacing, peer.device, 'up', signal)
 *   await lane.take(frame.length)                            // then it may go
 *
 * What is sent under a limit goes in slices of a quarter of a second of it (`framePipe`), so that the link is never full for longer and the
 * other device sees that it goes on. What moves nothing (questions, answers, signs of life) asks for nothing: it waits at most for the frame that is being
 * sent on its own stream. Files appear at the receiver as ever, only later.
 */
export { Lane } from './lane.js'
export { MAX_RATE_BYTES_PER_SECOND, MIN_RATE_BYTES_PER_SECOND } from './limits.js'
export { type Direction, type Pacing, UNPACED } from './pacing.js'
export { type RateLimit, type RateLimits, rateLimits } from './rates.js'
export { isWithinSchedule, parseSchedule, type Schedule, scheduleText } from './schedule.js'
