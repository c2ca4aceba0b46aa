import { type AbortOptions, isWithin, type RelPath, ROOT, SpacedriveError } from '../../storage/base/index.js'
import { exactMoment, mergedLines, type Reach, type VersionLine, type VersionLog } from '../versions/index.js'

/** What may be gone back to. */
export interface Reachable {
  /** From here on. */
  readonly sinceMs: number
  /** Up to here only the beginnings of stretches are exact. */
  readonly thinnedMs: number
}

/** Undefined: nothing was ever changed here by a sync. */
export async function reachable(
  logs: readonly VersionLog[],
  options: AbortOptions = {}
): Promise<Reachable | undefined> {
  const all = (await Promise.all(logs.map(log => log.reach(options)))).filter(r => r !== undefined)
  if (all.length === 0) return undefined
  // Where one end began to write later, nothing had been changed there until then.
  const begunMs = Math.min(...all.map(r => r.begunMs))
  const later = (ms: (r: Reach) => number): number => Math.max(0, ...all.map(r => (ms(r) > r.begunMs ? ms(r) : 0)))
  return {
    sinceMs: Math.max(
      begunMs,
      later(r => r.sinceMs)
    ),
    thinnedMs: later(r => r.thinnedMs)
  }
}

/**
 * The moment that stands for the one asked for.
 * @param what - the folder, for people
 * @throws {SpacedriveError} BEFORE_HISTORY
 */
export function momentFor(
  atMs: number,
  reach: Reachable | undefined,
  { nowMs, what, shows }: { readonly nowMs: number; readonly what: string; readonly shows: string }
): number {
  if (reach !== undefined && atMs >= reach.sinceMs)
    return Math.max(reach.sinceMs, exactMoment(atMs, reach.thinnedMs, nowMs))
  const begins =
    reach === undefined ? 'no sync has changed anything there yet' : `its history begins at ${shownTime(reach.sinceMs)}`
  throw new SpacedriveError('BEFORE_HISTORY', `could not go back to ${shownTime(atMs)} of ${what}: ${begins}`, {
    hint: `What can be gone back to: ${shows}.`
  })
}

/**
 * The moment just before the newest change of `path` that took something away: undefined when there was none.
 * All that one run did counts as one.
 */
export async function lastBefore(
  logs: readonly VersionLog[],
  path: RelPath,
  options: AbortOptions = {}
): Promise<number | undefined> {
  let found: { readonly run: string; readonly atMs: number } | undefined
  for await (const { line } of mergedLines(logs, options)) {
    if (found !== undefined && line.run !== found.run) break
    if (found === undefined && !tookAway(line, path)) continue
    found = { run: line.run, atMs: line.atMs }
  }
  return found && found.atMs - 1
}

/** Whether it made something at or below `path` another thing, or made it go. */
function tookAway({ path: at, was, to }: VersionLine, path: RelPath): boolean {
  if (path === ROOT) return true
  if (to !== undefined) return isWithin(at, path) || isWithin(path, at)
  return was !== null && isWithin(at, path)
}

/** As lists show it: local time, to the second. */
export function shownTime(ms: number): string {
  const d = new Date(ms)
  const local = new Date(ms - d.getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 19).replace('T', ' ')
}
