import {
  type AnyEvent,
  displayPath,
  type JobId,
  linkSignals,
  type ProgressFields,
  SpacedriveError
} from '../../storage/base/index.js'
import type { Peer } from '../compose.js'
import { formatBytes, formatTime } from './format.js'
import { waitForJob } from './job-wait.js'
import type { CallOperation, Terminal } from './operation.js'

/** Files that exist with other content, for a person to decide about. */
export interface AskedAbout {
  readonly job: string
  /** All that wait for an answer; `list` holds the first of them. */
  readonly conflicts: number
  readonly list: readonly {
    /** For the answer; `shown` for the eyes. */
    readonly path: string
    readonly shown: string
    readonly sourceBytes: number
    readonly sourceMtimeMs: number
    readonly targetBytes: number
    readonly targetMtimeMs: number
  }[]
}

/** The other device is away: the copy goes on when it is there. */
export interface AwaitedDevice {
  readonly job: string
  /** `waits for laptop: ...` */
  readonly waiting: string
}

/** Asked about at once; the next ones come when these are answered. */
const ASKED_TOGETHER = 100

/** Waits until a copy has ended; also, unless somebody answers, until it rests because it asks something. */
export async function waitForCopy(
  peer: Peer,
  job: JobId,
  {
    emit,
    ask,
    signal
  }: { emit(value: ProgressFields | AskedAbout | AwaitedDevice): void; ask: boolean; signal: AbortSignal }
): Promise<void> {
  const resting = new AbortController()
  const waiting = linkSignals(signal, resting.signal)
  const look = (): void => {
    const { state, pausedBecause } = peer.jobs.summary(job)
    if (state !== 'paused') return
    const { total, list } = peer.copies.conflicts(job, ASKED_TOGETHER)
    if (peer.remoteCopies.waitsFor(job).length > 0) emit({ job, waiting: pausedBecause ?? '' })
    else if (total === 0 || !ask) resting.abort()
    else emit({ job, conflicts: total, list: list.map(c => ({ ...c, shown: displayPath(c.path) })) })
  }
  const off = peer.events.onAny((event: AnyEvent) => {
    if (event.type === 'job:paused' && event.job === job) look()
  })
  try {
    look()
    await waitForJob(peer, job, emit, waiting.signal)
  } catch (err) {
    signal.throwIfAborted()
    if (!resting.signal.aborted) throw err
  } finally {
    off()
    waiting.clear()
  }
}

/** Asks about each file, or once for all that are left, and lets the copy go on. */
export async function askAboutFiles(asked: AskedAbout, terminal: Terminal, call: CallOperation): Promise<void> {
  const { job, list, conflicts } = asked
  let left = conflicts
  for (const c of list) {
    terminal.line(
      `${terminal.bold(c.shown)} exists: ${formatBytes(c.targetBytes)} of ${formatTime(c.targetMtimeMs)}; ` +
        `to come: ${formatBytes(c.sourceBytes)} of ${formatTime(c.sourceMtimeMs)}`
    )
    const { answer, all } = await readAnswer(terminal, left)
    if (all) {
      await call('file.answer', { job, answer })
      return
    }
    await call('file.answer', { job, answer, paths: [c.path], resume: --left === 0 || c === list.at(-1) })
  }
}

async function readAnswer(terminal: Terminal, left: number): Promise<{ answer: string; all: boolean }> {
  const others = left > 1 ? `, in capitals for all ${left}` : ''
  for (;;) {
    const typed = (await terminal.ask(`(r)eplace, (s)kip, (n)ewer wins${others}: `)).trim()
    const answer = ANSWER_LETTERS[typed.toLowerCase()]
    if (answer !== undefined) return { answer, all: typed !== typed.toLowerCase() }
    terminal.line('Type r, s or n.')
  }
}

const ANSWER_LETTERS: Readonly<Record<string, string>> = { r: 'replace', s: 'skip', n: 'skip-newer' }

export const notAsked = (job: string): SpacedriveError =>
  new SpacedriveError('NOTHING_TO_ANSWER', `the job ${job} asks nothing like that`, {
    hint: 'See what it asks with `job info`.'
  })
