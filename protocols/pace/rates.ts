import { type Clock, type DeviceId, SpacedriveError } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import { MAX_RATE_BYTES_PER_SECOND, MIN_RATE_BYTES_PER_SECOND } from './limits.js'
import { ALL, Buckets, type Direction, type Pacing } from './pacing.js'
import { rateWrites } from './rates.worker.js'
import { isWithinSchedule, type Schedule } from './schedule.js'

/** How fast content may go to and from a device, or all of them together. */
export interface RateLimit {
  /** undefined: all devices together. */
  readonly device: DeviceId | undefined
  /** Bytes a second; undefined: no limit. */
  readonly up: number | undefined
  readonly down: number | undefined
  /** When it holds; undefined: always. */
  readonly schedule: Schedule | undefined
}

/** Limits of the rate of content. Both those of the device and those for all hold. */
export interface RateLimits {
  readonly pacing: Pacing
  list(): readonly RateLimit[]
  find(device: DeviceId | undefined): RateLimit | undefined
  /**
   * Holds at once, also for what is on its way. Without `up` and `down` the limit is gone.
   * @throws {SpacedriveError} USAGE
   */
  set(limit: RateLimit): Promise<void>
}

/** As in the database. */
export interface RateRow {
  /** '' for all devices. */
  readonly device: string
  readonly up: number | null
  readonly down: number | null
  readonly from_minute: number | null
  readonly to_minute: number | null
}

/** @param db - the instance database */
export function rateLimits(db: Database, clock: Clock): RateLimits {
  // Asked before each piece of content: kept in memory.
  const limits = new Map(
    db.all<RateRow>('SELECT * FROM rate_limits ORDER BY device').map(row => [row.device, fromRow(row)])
  )
  const rateOf = (device: string, direction: Direction): number | undefined => {
    const limit = limits.get(device)
    if (limit === undefined) return undefined
    const holds = limit.schedule === undefined || isWithinSchedule(limit.schedule, clock.nowMs())
    return holds ? limit[direction] : undefined
  }
  const buckets = new Buckets(clock, rateOf)
  return {
    pacing: buckets,
    list: () => [...limits.values()],
    find: device => limits.get(device ?? ALL),
    async set(limit) {
      for (const rate of [limit.up, limit.down]) if (rate !== undefined) ensureRate(rate)
      const device = limit.device ?? ALL
      if (limit.up === undefined && limit.down === undefined) {
        await db.write(rateWrites.remove, { device })
        limits.delete(device)
      } else {
        await db.write(rateWrites.set, toRow(limit))
        limits.set(device, limit)
      }
      buckets.changed()
    }
  }
}

function ensureRate(rate: number): void {
  if (Number.isSafeInteger(rate) && rate >= MIN_RATE_BYTES_PER_SECOND && rate <= MAX_RATE_BYTES_PER_SECOND) return
  throw new SpacedriveError('USAGE', `expected a rate from 8 KiB to 1 TiB a second, got ${rate} bytes`, {
    hint: 'Such as 64K or 2M; `none` takes a limit away.'
  })
}

function fromRow({ device, up, down, from_minute, to_minute }: RateRow): RateLimit {
  return {
    device: device === ALL ? undefined : (device as DeviceId),
    ...{ up: up ?? undefined, down: down ?? undefined },
    schedule: from_minute === null || to_minute === null ? undefined : { fromMinute: from_minute, toMinute: to_minute }
  }
}

function toRow({ device, up, down, schedule }: RateLimit): RateRow {
  return {
    ...{ device: device ?? ALL, up: up ?? null, down: down ?? null },
    ...{ from_minute: schedule?.fromMinute ?? null, to_minute: schedule?.toMinute ?? null }
  }
}
