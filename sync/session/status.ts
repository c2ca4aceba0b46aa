import { displayPath, typed } from '../../storage/base/index.js'
import type { LastRun } from './last-runs.js'
import type { Agreement, Sync } from './record.js'
import { ignoredNotes, type RunReport } from './report.js'

/** What a sync does by itself. */
export interface Standing {
  /**
   * `off`: nothing (manual, paused, or the daemon has not got to it); `watching`: changes at both ends are seen at once;
   * `looking`: not everything can be watched, the rest is looked at now and then; `away`: it waits for a folder to come back.
   */
  readonly state: 'off' | 'watching' | 'looking' | 'away'
  /** It is at it: between one of these and the next change nothing of its folders is held open. */
  readonly working: boolean
  /** Why it is not `watching`, in words, with the cure; of `away`, what it waits for. */
  readonly note: string | undefined
}

/** Of a sync that waits for something outside. */
const GOES_ON = 'it goes on by itself as soon as it can'

export type SyncState =
  | 'new'
  | 'running'
  | 'paused'
  | 'halted'
  | 'waiting'
  | 'problems'
  | 'conflicts'
  | 'converged'
  | 'cancelled'
  | 'interrupted'
  | 'failed'

export interface SyncStatus {
  readonly state: SyncState
  /** Of `halted` and `failed`. */
  readonly reason: string | undefined
  /** What is the matter, in one line. */
  readonly text: string
  /** What a person can do about it, if anything. */
  readonly advice: string | undefined
  readonly notes: readonly string[]
}

export interface StatusInit {
  readonly sync: Sync
  readonly last: LastRun | undefined
  /** A session goes on: where it has got to. */
  readonly running: { readonly phase: string | null; readonly job: string; readonly paused: boolean } | undefined
  readonly standing: Standing
  /** Where the other end lies, by its name; undefined: here. */
  readonly device?: string | undefined
}

/** What is the matter with a sync, and what to do: the most pressing thing first. */
export function statusOf({ sync, last, running, standing, device }: StatusInit): SyncStatus {
  const name = typed(sync.name)
  const say = (state: SyncState, text: string, advice?: string, reason?: string): SyncStatus => {
    const noted = notedBeside(state, text, standing)
    const notes = [...(noted === undefined ? [] : [noted]), ...ignoredNotes(last?.report ?? {})]
    return { state, reason, text, advice, notes }
  }
  if (running?.paused === true) return say('paused', 'paused: its job waits', `spacedrive job resume ${running.job}`)
  if (running !== undefined)
    return say('running', running.phase === null ? 'about to run' : `running: ${running.phase}`)
  if (sync.agreement !== undefined && sync.agreement !== 'accepted') {
    const [state, text] = agreementText(sync.agreement, device ?? 'the other device')
    return say(state, text, state === 'waiting' ? undefined : `spacedrive sync remove ${name}`)
  }
  if (sync.paused) return say('paused', pausedText(sync), `spacedrive sync resume ${name}`)
  if (last === undefined) {
    const how = sync.manual ? 'it runs when you say `sync run`' : 'its first run is about to begin'
    return say('new', `never run; ${how}`, sync.manual ? `spacedrive sync run ${name}` : undefined)
  }
  const { report } = last
  const halts = (report?.halts ?? []).join('; ')
  switch (last.state) {
    case 'halted':
      return say('halted', `halted${touched(report)}: ${halts}`, report?.hint, report?.reason)
    case 'failed':
      return say('failed', `the last run failed: ${halts}`, report?.hint, report?.reason)
    case 'waiting':
      return say('waiting', waitingText(halts, device ?? 'the other device'), report?.hint, report?.reason)
    case 'problems':
      return say('problems', problemsText(report), problemsAdvice(name, report))
    case 'conflicts':
      return say('conflicts', conflictsText(report), `spacedrive sync conflicts ${name}`)
    case 'cancelled':
      return say('cancelled', 'the last run was cancelled; the next one goes on', `spacedrive sync run ${name}`)
    case 'interrupted':
      return say('interrupted', 'the last run was cut short; the next one goes on', `spacedrive sync run ${name}`)
    default:
      // Over a slow link, or under a limit, what changed may be long on its way.
      return say(
        'converged',
        standing.working ? 'in step but for what changed just now: it is looked at, or on its way' : 'in step'
      )
  }
}

/** What a text has said already is not said again. */
function notedBeside(state: SyncState, text: string, { state: how, note }: Standing): string | undefined {
  if (how !== 'away' || note === undefined) return note
  // A run that goes on is the better word on whether the other end is there.
  if (state === 'running') return undefined
  return text.includes(note) || state === 'waiting' ? GOES_ON : `${note}; ${GOES_ON}`
}

/** Most of what a sync waits for begins with the name of the device. */
const waitingText = (why: string, device: string): string =>
  why.startsWith(device) ? `waiting: ${why}` : `waiting for ${device}: ${why}`

function agreementText(agreement: Agreement, device: string): readonly ['waiting' | 'halted', string] {
  if (agreement === 'asked') return ['waiting', `waiting for ${device}: it has not accepted this sync yet`]
  return ['halted', agreement === 'declined' ? `${device} declined it` : `${device} takes no part in it any more`]
}

const touched = (report: RunReport | undefined): string => {
  const n = report?.operations ?? 0
  return n === 0 ? ', nothing was changed' : ` after ${n.toLocaleString('en')} done`
}

const pausedText = ({ pausedBecause }: Sync): string =>
  pausedBecause === null ? 'paused: only `sync run` runs it' : `paused: ${pausedBecause}`

function problemsText(report: RunReport | undefined): string {
  const [first, ...rest] = report?.problems ?? []
  if (first === undefined) return 'in step but for some paths'
  const more = rest.length === 0 ? '' : ` (and ${rest.length.toLocaleString('en')} more)`
  return `in step but for: ${first.message}${more}`
}

/** A run alone helps with few of them. */
function problemsAdvice(name: string, report: RunReport | undefined): string {
  const path = report?.problems[0]?.path
  const run = `spacedrive sync run ${name}`
  return path === undefined || path === ''
    ? run
    : `What helps: spacedrive sync why ${name} ${typed(path)}. Then: ${run}`
}

function conflictsText(report: RunReport | undefined): string {
  const waiting = (report?.conflicts ?? []).filter(c => c.resolution === 'waiting')
  const more = waiting.length > 1 ? ` and ${(waiting.length - 1).toLocaleString('en')} more` : ''
  return `waits for your answer about ${waiting[0]?.path ?? 'conflicts'}${more}`
}

/** Both ends for people, with the arrow of the mode. */
export const endsText = ({ mode, source, destination }: Sync): string =>
  `${displayPath(source.path)} ${mode === 'bidirectional' ? '<->' : '->'} ${displayPath(destination.path)}`
