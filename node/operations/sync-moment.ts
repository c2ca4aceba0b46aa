import { displayPath, displayText, type RelPath, SpacedriveError, typed } from '../../storage/base/index.js'
import type { EndsOfSync } from '../../sync/history/index.js'
import type { Peer } from '../compose.js'
import { pathFields } from './file-text.js'
import { parseMoment } from './when.js'

/** Said to who ends a restore or an undo. */
export const STOPPED =
  'What was done is done; asked for again it goes on. `spacedrive sync status NAME --runs` shows it, `sync undo` takes it back.'

/** An operation of a way back. */
export const listedFields = ({ kind, path, to }: { kind: string; path: RelPath; to?: RelPath }) => ({
  ...{ kind, ...pathFields(path) },
  ...(to !== undefined && { to: displayPath(to) })
})

/** Moments looked through for a run. */
const MAX_MOMENTS = 100_000
/** Of a run's id, as it is shown: its last digits, since the first are its time. */
const SHOWN_DIGITS = 8

export const shownRun = (run: string): string => run.slice(-SHOWN_DIGITS)

/** Whether `text` names this run: its whole id, or its last digits. */
export const isRun = (run: string, text: string): boolean =>
  run === text || (text.length >= RUN_DIGITS && run.endsWith(text))

/** The fewest digits that name a run. */
export const RUN_DIGITS = 6
const IS_RUN = new RegExp(`^[0-9a-f-]*[0-9a-f]{${RUN_DIGITS}}$`)

/** A run as it was typed. @throws {SpacedriveError} USAGE */
export function typedRun(text: string, sync: string): string {
  const run = text.toLowerCase()
  if (IS_RUN.test(run)) return run
  throw new SpacedriveError('USAGE', `"${displayText(text)}" is no name of a run`, {
    hint: `A run is named by its id, or by ${RUN_DIGITS} and more of the last digits of that (0 to 9, a to f): \`spacedrive sync status ${typed(sync)} --runs\` lists them.`
  })
}

/**
 * A time as it was typed, or what may be a run. A time without fractions is all of its second: what lists show is cut to seconds.
 */
export function typedMoment(text: string): number | string {
  if (IS_RUN.test(text.toLowerCase()) && !/^\d{4}-\d\d-\d\d/.test(text)) return text.toLowerCase()
  const ms = parseMoment(text, '--at', Date.now(), ', or a run of `sync versions`')
  return /\d:\d/.test(text) && !/\.\d/.test(text) ? ms + 999 : ms
}

/** The moment after a run. @throws {SpacedriveError} RUN_NOT_FOUND */
export async function momentOf(
  peer: Peer,
  sync: EndsOfSync | undefined,
  run: string,
  signal: AbortSignal
): Promise<number> {
  const moments = sync === undefined ? [] : (await peer.history.moments(sync, MAX_MOMENTS, { signal })).moments
  const found = moments.find(m => m.run !== undefined && isRun(m.run, run))
  if (found !== undefined) return found.atMs
  throw new SpacedriveError('RUN_NOT_FOUND', `there is no moment ${run} to go back to`, {
    hint: '`spacedrive sync versions NAME` shows those there are; a time works as well (2h, 2026-03-01T17:04).'
  })
}
