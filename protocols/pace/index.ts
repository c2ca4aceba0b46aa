/**
 * How fast content goes: limits for each device and for all, up and down, with hours of the day at which they hold. Who moves
 * content asks before each piece of it:
 *
 *   const lane = new Lane(pacing, peer.device, 'up', signal)
 *   await lane.take(frame.length)                            // then it may go
 *
 * What moves nothing (questions, answers, signs of life) is never held up. Files appear at the receiver as ever, only later.
 */
export { Lane } from './lane.js'
export { MAX_RATE_BYTES_PER_SECOND, MIN_RATE_BYTES_PER_SECOND } from './limits.js'
export { type Direction, type Pacing, UNPACED } from './pacing.js'
export { type RateLimit, type RateLimits, rateLimits } from './rates.js'
export { isWithinSchedule, parseSchedule, type Schedule, scheduleText } from './schedule.js'
