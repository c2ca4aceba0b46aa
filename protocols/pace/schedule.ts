import { SpacedriveError } from '../../storage/base/index.js'

/** Hours of the day, in local time, from one minute on up to another, over midnight where that comes first. */
export interface Schedule {
  /** Minutes since midnight, 0 to 1439; never the same. */
  readonly fromMinute: number
  readonly toMinute: number
}

const PATTERN = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/

/** @throws {SpacedriveError} USAGE */
export function parseSchedule(text: string): Schedule {
  const m = PATTERN.exec(text)
  const [fromMinute, toMinute] = m === null ? [0, 0] : [minutes(m[1]!, m[2]!), minutes(m[3]!, m[4]!)]
  if (fromMinute !== toMinute) return { fromMinute, toMinute }
  throw new SpacedriveError('USAGE', 'expected hours such as 08:00-18:30, from one to another', {
    hint: '22:00-06:00 goes over midnight; `always` takes a schedule away.'
  })
}

/** `08:00-18:30` */
export function scheduleText({ fromMinute, toMinute }: Schedule): string {
  const time = (minute: number): string => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`
  return `${time(fromMinute)}-${time(toMinute)}`
}

/** Whether a moment lies within these hours; they end before their last minute begins. */
export function isWithinSchedule({ fromMinute, toMinute }: Schedule, nowMs: number): boolean {
  const now = new Date(nowMs)
  const minute = now.getHours() * 60 + now.getMinutes()
  return fromMinute < toMinute ? minute >= fromMinute && minute < toMinute : minute >= fromMinute || minute < toMinute
}

const minutes = (hours: string, minute: string): number => Number(hours) * 60 + Number(minute)
const two = (n: number): string => String(n).padStart(2, '0')
