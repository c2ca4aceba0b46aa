import { z } from 'zod'
import { dispatchAction } from '../../storage/audit/index.js'
import { type ProgressFields, typed } from '../../storage/base/index.js'
import type { Undone } from '../../sync/history/index.js'
import type { Peer } from '../compose.js'
import { showBegun } from './file-job.js'
import { counted, pathFields, showList, showProblems } from './file-text.js'
import { formatBytes, formatTime } from './format.js'
import { waitOrCancel } from './job-wait.js'
import { defineOperation } from './operation.js'
import { progressLine } from './progress.js'
import { isRun, listedFields, RUN_DIGITS, STOPPED, shownRun, typedRun } from './sync-moment.js'
import { drivenSync, shownEnd } from './sync-named.js'
import { parseMoment } from './when.js'

/** Runs looked through for the one that was named. */
const MAX_RUNS = 10_000
const SHOWN_LEFT = 20

const input = z.strictObject({
  name: z.string().min(1),
  /** An id, or its last digits; the last one that changed something unless named. */
  run: z.string().min(RUN_DIGITS).optional(),
  /** All that began since then, in milliseconds. */
  since: z.number().optional(),
  /** Only at what lies on this device. */
  here: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  wait: z.boolean().default(true)
})

export const syncUndo = defineOperation<'sync.undo', typeof input, UndoAnswer, ProgressFields>({
  name: 'sync.undo',
  summary: 'Take back what a run of a sync did, at both ends, where nothing newer stands in the way',
  input,
  async run({ peer, signal, emit }, { name, run, since, here, dryRun, wait }) {
    const sync = drivenSync(peer, name)
    const id = run === undefined ? undefined : runOf(peer, name, run)
    const asked = { ...(id !== undefined && { run: id }), ...(since !== undefined && { sinceMs: since }), here }
    const what = { sync: name, mode: sync.mode }
    if (dryRun) return view(what, null, await peer.history.previewUndo(sync, asked, { signal }))
    const { job } = await dispatchAction(peer.audit, {
      command: 'sync.undo',
      asked: [name, ...(run === undefined ? [] : [run])],
      preview: async () => ({}),
      describe: () => ({ paths: [shownEnd(peer, sync.source), shownEnd(peer, sync.destination)] }),
      begin: async () => (await peer.history.undo(sync, asked)).id
    })
    if (!wait) return { ...what, job, state: 'begun' }
    await waitOrCancel(peer, job, { emit, signal })
    return view(what, job, peer.jobs.info(job).output as unknown as Undone)
  },
  command: {
    path: 'sync undo',
    arguments: [
      ['<name>', 'which sync'],
      ['[run]', 'a run of `sync versions` or `sync status --runs`; the last that changed something unless named']
    ],
    options: [
      ['--since <time>', 'all runs since then: 2h ago, a day, a time'],
      ['--here', 'only at what lies on this device, where the other one is away'],
      ['--dry-run', 'only show what would be done'],
      ['--no-wait', 'leave it to the background and say its number']
    ],
    examples: ['spacedrive sync undo photos', 'spacedrive sync undo photos --since 1h --dry-run'],
    input: ({ arguments: [name, run], options: o }) => ({
      ...{ name: String(name), here: o.here === true },
      ...{ dryRun: o.dryRun === true, wait: o.wait !== false },
      ...(run !== undefined && { run: typedRun(String(run), String(name)) }),
      ...(typeof o.since === 'string' && { since: parseMoment(o.since, '--since', Date.now()) })
    }),
    progress: (fields, terminal) => terminal.status(progressLine(fields, terminal)),
    left: () => STOPPED,
    render(done, terminal) {
      if (done.state === 'begun') {
        showBegun(`Taking back a run of ${done.sync}`, done.job, terminal)
        return
      }
      const { sync, mode, runs, operations, bytes, list, more, left, leftCount, problems, problemCount, paused } = done
      const what = runs.map(r => `${r.kind} ${shownRun(r.id)} of ${formatTime(r.beganAt)}`)
      const [first] = what
      const named = what.length === 1 ? `the ${first}` : `${counted(what.length, 'run')}, back to the ${what.at(-1)}`
      if (done.dryRun) {
        terminal.line(`Would be taken back (${named}):`)
        showList(
          list.map(
            op => `${op.kind.padEnd(16)} ${op.at.padEnd(11)} ${op.path}${op.to === undefined ? '' : ` -> ${op.to}`}`
          ),
          terminal,
          list.length + more
        )
      } else if (operations === 0) terminal.line(`Nothing to do for ${named}.`)
      else terminal.line(`Took back ${named}: ${counted(operations, 'change')}, ${formatBytes(bytes)}.`)
      if (leftCount > 0) {
        terminal.note(terminal.color('yellow', `${counted(leftCount, 'path')} stayed as they are:`))
        for (const l of left.slice(0, SHOWN_LEFT)) terminal.note(`  ${l.path} (${l.end}): ${l.why}`)
        if (leftCount > SHOWN_LEFT) terminal.note(`  and ${leftCount - SHOWN_LEFT} more`)
      }
      showProblems(problems, problemCount, terminal)
      if (paused) {
        const next = mode === 'bidirectional' ? 'carry this to the other end' : 'do it again'
        terminal.note(
          `${sync} is paused: its next run would ${next}. \`spacedrive sync resume ${typed(sync)}\` when that may be.`
        )
      }
    },
    exitCode: done => (done.state === 'ended' && done.leftCount + done.problemCount > 0 ? 3 : 0)
  }
})

/** Runs by their id; one that is not known passes as it was said, and is refused below. */
function runOf(peer: Peer, name: string, text: string): string {
  const found = peer.syncs.lastRuns(drivenSync(peer, name), MAX_RUNS).find(r => isRun(r.id, text))
  return found?.id ?? text
}

export interface What {
  readonly sync: string
  readonly mode: string
}

export type UndoAnswer = (What & { readonly job: string; readonly state: 'begun' }) | ReturnType<typeof view>

function view(what: What, job: string | null, done: Undone) {
  const { runs, run, list, left, problems, dryRun, paused, operations, bytes, leftCount, problemCount } = done
  return {
    ...{ ...what, job, state: 'ended' as const, run: run ?? null, dryRun, paused, operations, bytes },
    ...{ leftCount, problemCount, problems },
    runs: runs.map(r => ({ id: r.id, kind: r.kind, beganAt: r.beganAtMs })),
    list: list.map(op => ({ at: op.at, ...listedFields(op) })),
    more: 0,
    left: left.map(l => ({ end: l.end, why: l.why, ...pathFields(l.path) }))
  }
}
