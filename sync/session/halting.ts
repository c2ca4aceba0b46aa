/** Errors that end a run and stop its sync until a person, or time, has helped: as reasons of a halt. */
import { errorCode, SpacedriveError } from '../../storage/base/index.js'
import type { RunReport } from './report.js'

interface Halting {
  readonly reason: string
  /** What a person can do, where the error itself says nothing of it. */
  readonly hint?: string
}

const OTHER_VERSION: Halting = { reason: 'other-version', hint: 'Bring spacedrive up to date on both devices.' }
const BAD_ANSWER: Halting = {
  reason: 'bad-answer',
  hint: 'Nothing of it was believed. Is spacedrive up to date there, and is that device still in your hands?'
}

const REASONS: Readonly<Record<string, Halting>> = {
  NO_SPACE: { reason: 'no-space' },
  DISK_ERROR: { reason: 'disk-errors' },
  GUARD: { reason: 'guard-of-other-device' },
  UNSUPPORTED: OTHER_VERSION,
  MALFORMED: BAD_ANSWER
}

/** What a device says that could not make out what it was asked. */
const NOT_UNDERSTOOD: ReadonlySet<string> = new Set(['MALFORMED', 'UNEXPECTED_MESSAGE'])

/**
 * The report of a run that an error ended: as that of a sync that is halted, where it is such an error.
 * @param device - at the other end, by its name: what it said wrongly is told as that of it
 */
export function haltedReport(failed: RunReport, err: unknown, device: string | undefined): RunReport {
  const code = errorCode(err)
  const told = err instanceof SpacedriveError && err.details?.remote === true
  const halting = told && NOT_UNDERSTOOD.has(code) ? OTHER_VERSION : REASONS[code]
  if (halting === undefined) return failed
  const nameless = (text: string): boolean => device !== undefined && !text.startsWith(device)
  const name = (text: string): string => (halting === BAD_ANSWER && nameless(text) ? `${device}: ${text}` : text)
  return { ...halting, ...failed, state: 'halted', reason: halting.reason, halts: (failed.halts ?? []).map(name) }
}
