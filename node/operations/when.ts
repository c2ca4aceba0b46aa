import { SpacedriveError } from '../../storage/base/index.js'
import { asTyped } from './as-typed.js'

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000
}

/** `45s`, `10min`, `2h`, `3d`, `1w` in milliseconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const m = /^\s*(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)\s*$/i.exec(text)
  return m === null ? undefined : Math.round(Number(m[1]) * UNIT_MS[m[2]!.toLowerCase()]!)
}

/**
 * A moment as a person says it: how long ago (`2h`, `3d`), a day (`2026-03-01`: its beginning here), or a time.
 * @param or - what else may be said there, for the hint
 * @throws {SpacedriveError} USAGE
 */
export function parseMoment(text: string, option: string, nowMs: number, or = ''): number {
  const ago = parseDuration(text)
  if (ago !== undefined) return nowMs - ago
  const local = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00` : text.replace(/^(\d{4}-\d\d-\d\d) /, '$1T')
  const at = /^\d{4}-\d\d-\d\dT/.test(local) ? Date.parse(local) : Number.NaN
  if (!Number.isNaN(at)) return at
  throw new SpacedriveError('USAGE', `expected a time after ${option}, got ${asTyped(text)}`, {
    hint: `Say how long ago (45min, 2h, 3d, 1w), a day (2026-03-01) or a time (2026-03-01T17:04)${or}.`
  })
}

/** @throws {SpacedriveError} USAGE */
export function typedDuration(text: string, option: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined) return ms
  throw new SpacedriveError('USAGE', `expected a length of time after ${option}, got ${asTyped(text)}`, {
    hint: 'Such as 12h, 7d or 4w.'
  })
}
