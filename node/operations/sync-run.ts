import { z } from 'zod'
import { runAction } from '../../storage/audit/index.js'
import {
  displayText,
  hasCode,
  isAbort,
  type JobId,
  type ProgressFields,
  SpacedriveError,
  typed
} from '../../storage/base/index.js'
import type { NotDone, RunAsked, RunReport, Sync } from '../../sync/session/index.js'
import type { Peer } from '../compose.js'
import { askDriver, ensureNotPaused, saidBy } from './ask-driver.js'
import { waitOrCancel } from './job-wait.js'
import { defineOperation } from './operation.js'
import { progressLine } from './progress.js'
import { farViews } from './sync-far-views.js'
import { drivenSync, namedSync, shownEnd } from './sync-named.js'
import { showRun } from './sync-text.js'

const input = z.strictObject({
  name: z.string().min(1),
  force: z.boolean().default(false),
  acceptRollback: z.boolean().default(false),
  plan: z.string().optional()
})

export const syncRun = defineOperation<'sync.run', typeof input, RunReport, ProgressFields>({
  name: 'sync.run',
  summary: 'Bring both ends of a sync in step, once',
  input,
  async run({ peer, signal, emit }, { name, force, acceptRollback, plan }) {
    const planHash = plan !== undefined && { planHash: plan }
    const found = namedSync(peer, name)
    if ('own' in found) return runLogged(peer, found.own, { signal, emit, force, acceptRollback, ...planHash })
    // A person at the end that is counted on gives this word there.
    if (force || acceptRollback) drivenSync(peer, name)
    ensureNotPaused(found.served)
    const told = await askDriver(peer, found.served, { what: 'run', ...planHash }, signal)
    return saidBy(peer, found.served, farViews.run.parse(told))
  },
  command: {
    path: 'sync run',
    arguments: [['<name>', 'which sync']],
    options: [
      ['--force', 'do what a guard stopped in the run before'],
      ['--plan <hash>', 'do exactly the plan with this hash, or nothing'],
      ['--accept-rollback', 'a disk or a database was put back: go on as if for the first time, deleting nothing']
    ],
    examples: ['spacedrive sync run photos', 'spacedrive sync run photos --force'],
    input: ({ arguments: [name], options: o }) => ({
      ...{ name: String(name), force: o.force === true, acceptRollback: o.acceptRollback === true },
      ...(typeof o.plan === 'string' && { plan: typedPlan(o.plan, String(name)) })
    }),
    progress: (fields, terminal) => terminal.status(progressLine(fields, terminal)),
    left: () => 'What was done is done; the next run goes on.',
    render: (view, terminal) => showRun(view, terminal),
    exitCode: ({ state }) =>
      ({ converged: 0, conflicts: 3, problems: 3, halted: 4, waiting: 6, cancelled: 130, failed: 1 })[state]
  }
})

/** @throws {SpacedriveError} USAGE */
function typedPlan(text: string, sync: string): string {
  const hash = text.toLowerCase()
  if (/^[0-9a-f]{64}$/.test(hash)) return hash
  throw new SpacedriveError('USAGE', `expected the hash of a plan after --plan, got "${displayText(text)}"`, {
    hint: `Its 64 digits, as \`spacedrive sync plan ${typed(sync)}\` tells them.`
  })
}

export interface RunSyncAsked extends RunAsked {
  readonly signal: AbortSignal
  emit(value: ProgressFields): void
}

/** As a person's command, in the audit log. @param asked.origin - the device that asks; this one unless told */
export function runLogged(
  peer: Peer,
  sync: Sync,
  { origin, ...asked }: RunSyncAsked & { readonly origin?: string | undefined }
): Promise<RunReport> {
  return runAction(peer.audit, {
    ...{ command: 'sync.run', origin, asked: [sync.name] },
    preview: async () => sync,
    describe: ({ source, destination }) => ({ paths: [shownEnd(peer, source), shownEnd(peer, destination)] }),
    execute: one => runSync(peer, one, asked),
    counts: view => ({ files: view.operations, bytes: view.bytesTransferred, problems: view.problems.length })
  })
}

/** Whoever asked and went away meant to end it: what was done is done, and the next run goes on. @throws OTHER_PLAN, and what a session throws */
export async function runSync(peer: Peer, sync: Sync, { signal, emit, ...asked }: RunSyncAsked): Promise<RunReport> {
  const { name } = sync
  const job = await peer.syncs.begin(sync, asked)
  try {
    await waitOrCancel(peer, job, { emit, signal })
  } catch (err) {
    if (isAbort(err) || signal.aborted || !hasCode(err, 'JOB_CANCELLED')) throw err
    return cancelled(peer, job, name)
  }
  const ended = peer.jobs.info(job).output as unknown as RunReport | NotDone
  if ('problems' in ended) {
    // In the daemon, where it is loaded anyway: the command line shows what it is told.
    const { ignoredNotes } = await import('../../sync/session/index.js')
    const notes = [...(ended.notes ?? []), ...ignoredNotes(ended)]
    return notes.length === 0 ? ended : { ...ended, notes }
  }
  throw new SpacedriveError('OTHER_PLAN', `could not run ${name}: what would be done now is another plan`, {
    hint: `Something changed since. \`spacedrive sync plan ${typed(name)}\` shows it anew.`,
    ...('planHash' in ended && { details: { planHash: ended.planHash } })
  })
}

function cancelled(peer: Peer, job: JobId, sync: string): RunReport {
  const { startedAt, endedAt, progress } = peer.jobs.summary(job)
  const durationMs = startedAt === null || endedAt === null ? 0 : endedAt - startedAt
  const operations = progress?.phase === 'Applying changes' ? progress.doneFiles : 0
  return { sync, state: 'cancelled', operations, bytesTransferred: 0, conflicts: [], problems: [], durationMs }
}
