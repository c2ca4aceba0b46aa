import { z } from 'zod'
import { dispatchAction } from '../../storage/audit/index.js'
import {
  type AbsPath,
  displayPath,
  type ProgressFields,
  type RelPath,
  SpacedriveError,
  typed
} from '../../storage/base/index.js'
import type { EndsOfSync, Restored, RestoreFromAsked } from '../../sync/history/index.js'
import type { Sync } from '../../sync/session/index.js'
import type { Peer } from '../compose.js'
import { showBegun } from './file-job.js'
import { counted, pathFields, showList, showProblems } from './file-text.js'
import { formatBytes, formatTime } from './format.js'
import { waitOrCancel } from './job-wait.js'
import { defineOperation } from './operation.js'
import { progressLine } from './progress.js'
import { listedFields, momentOf, RUN_DIGITS, STOPPED, shownRun, typedMoment } from './sync-moment.js'
import { namedSync, servedEnds, shownEnd } from './sync-named.js'
import { resolveTyped } from './typed-path.js'

const ENDS = ['source', 'destination'] as const

const input = z.strictObject({
  /** Left out with `from`. */
  name: z.string().min(1).optional(),
  /** A folder with versions in it, of which nothing is known. */
  from: z.string().startsWith('/').optional(),
  /** Below the root of the sync, or absolute within one of its ends. */
  path: z.string().default(''),
  /** Milliseconds, or a run: as it was after it. */
  at: z.union([z.number(), z.string().min(RUN_DIGITS)]).optional(),
  to: z.string().optional(),
  keepNew: z.boolean().optional(),
  dryRun: z.boolean().default(false),
  wait: z.boolean().default(true)
})

export const syncRestore = defineOperation<'sync.restore', typeof input, RestoreAnswer, ProgressFields>({
  name: 'sync.restore',
  summary: 'Bring back a file, a folder or all of a sync as it was',
  input,
  async run({ peer, signal, emit }, { name, from, path, at, to, keepNew, dryRun, wait }) {
    if ((name === undefined) === (from === undefined))
      throw new SpacedriveError('USAGE', 'expected the name of a sync, or a folder after --from', { hint: HINT })
    const found = name === undefined ? undefined : namedSync(peer, name)
    const sync = found !== undefined && 'own' in found ? found.own : undefined
    // Of a sync that another device drives this end alone is ours: it is read as a folder of which nothing else is known.
    const served = found !== undefined && 'served' in found ? servedEnds(found.served) : undefined
    const folder = (from as AbsPath | undefined) ?? (served === undefined ? undefined : served[keptAt(served)].path)
    const target = targetOf(sync, to)
    const kept = sync ?? served
    const rel = kept === undefined ? (path as RelPath) : peer.history.pathIn(kept, path)
    const atMs = at === undefined ? undefined : typeof at === 'number' ? at : await momentOf(peer, kept, at, signal)
    const asked = { path: rel, ...(keepNew !== undefined && { keepNew }), ...(atMs !== undefined && { atMs }) }
    const outOf = (): RestoreFromAsked => ({
      ...{ ...asked, from: folder!, folder: (target as { folder: AbsPath }).folder }
    })
    const what = {
      ...{ sync: name ?? null, from: folder === undefined ? null : displayPath(folder), ...pathFields(rel) },
      to: typeof target === 'string' ? target : displayPath(target.folder)
    }
    if (dryRun) {
      const preview =
        sync === undefined
          ? peer.history.previewRestoreFrom(outOf(), { signal })
          : peer.history.previewRestore(sync, { ...asked, to: target }, { signal })
      return view(what, null, await preview)
    }
    const { job } = await dispatchAction(peer.audit, {
      command: 'sync.restore',
      asked: [name ?? displayPath(from!), displayPath(rel)],
      preview: async () => ({}),
      describe: () => ({ paths: [placeOf(peer, sync, target)], details: { to: what.to } }),
      begin: async () =>
        (
          await (sync === undefined
            ? peer.history.restoreFrom(outOf())
            : peer.history.restore(sync, { ...asked, to: target }))
        ).id
    })
    if (!wait) return { ...what, job, state: 'begun' }
    await waitOrCancel(peer, job, { emit, signal })
    return view(what, job, peer.jobs.info(job).output as unknown as Restored)
  },
  command: {
    path: 'sync restore',
    arguments: [
      ['[name]', 'which sync; left out with --from'],
      ['[path]', 'a file or folder in it; all of it unless named']
    ],
    options: [
      ['--at <time>', 'as of when: 2h ago, a day, a time, or a run of `sync versions`'],
      ['--to <where>', 'source, destination, or a folder of its own; the source for a backup'],
      ['--from <folder>', 'a folder that a sync wrote to, and nothing else: no sync need be known'],
      ['--keep-new', 'leave what came after that time (what is always done without --at)'],
      ['--dry-run', 'only show what would be done'],
      ['--no-wait', 'leave it to the background and say its number']
    ],
    examples: [
      'spacedrive sync restore photos 2026/cat.jpg',
      'spacedrive sync restore photos --at 1h --to source',
      'spacedrive sync restore --from /media/disk/Photos 2026 --at 2026-03-01 --to ~/found'
    ],
    input({ arguments: [first, second], options: o }, { cwd }) {
      const { from, at, to, keepNew, dryRun, wait } = o
      const fromFolder = typeof from === 'string'
      if (fromFolder && second !== undefined)
        throw new SpacedriveError('USAGE', 'expected one path with --from', { hint: HINT })
      const [name, path] = fromFolder ? [undefined, first] : [first, second]
      const end = ENDS.find(e => e === to)
      return {
        ...(name !== undefined && { name: String(name) }),
        ...(fromFolder && { from: resolveTyped(cwd, from) }),
        ...(path !== undefined && { path: String(path) }),
        ...(typeof at === 'string' && { at: typedMoment(at) }),
        ...(typeof to === 'string' && { to: end ?? resolveTyped(cwd, to) }),
        ...(keepNew === true && { keepNew: true }),
        dryRun: dryRun === true,
        wait: wait !== false
      }
    },
    progress: (fields, terminal) => terminal.status(progressLine(fields, terminal)),
    left: () => STOPPED,
    render(done, terminal) {
      if (done.state === 'begun') {
        showBegun(`Restoring to ${done.to}`, done.job, terminal)
        return
      }
      const { asOf, to, operations, changes, list, more, problems, problemCount, paused, dryRun, sync, run } = done
      const when = asOf === null ? 'as the other end has it today' : `as of ${formatTime(asOf)}`
      if (dryRun) terminal.line(`Would be done at ${to} (${when}): ${counted(changes, 'change')}.`)
      else if (operations === 0) terminal.line(`Nothing to do: ${to} is that already (${when}).`)
      else terminal.line(`Restored at ${to} (${when}): ${counted(operations, 'change')}, ${formatBytes(done.bytes)}.`)
      if (dryRun) showList(list.map(lineOf), terminal, list.length + more)
      if (run !== null && done.replaced + done.removed > 0)
        terminal.line(
          `What was replaced (${done.replaced}) or taken away (${done.removed}) is in the versions; \`spacedrive sync undo ${typed(sync ?? '')} ${shownRun(run ?? '')}\` brings it back.`
        )
      showProblems(problems, problemCount, terminal)
      if (paused)
        terminal.note(
          `${sync} is paused: its next run would undo this. \`spacedrive sync resume ${typed(sync ?? '')}\` when that may be.`
        )
    },
    exitCode: done => (done.state === 'ended' && done.problemCount > 0 ? 3 : 0)
  }
})

const HINT =
  '`spacedrive sync restore NAME [PATH] --to source` (of a sync that another device drives: --at TIME --to NEWFOLDER), or `spacedrive sync restore --from FOLDER [PATH] --to NEWFOLDER`.'

/** The end of a sync that lies here. */
const keptAt = ({ source }: EndsOfSync): 'source' | 'destination' => (source.device === null ? 'source' : 'destination')

type Target = 'source' | 'destination' | { readonly folder: AbsPath }

function targetOf(sync: Sync | undefined, to: string | undefined): Target {
  if (sync === undefined) {
    if (to?.startsWith('/') === true) return { folder: to as AbsPath }
    throw new SpacedriveError('USAGE', 'expected a folder after --to', { hint: HINT })
  }
  if (to === 'source' || to === 'destination') return to
  if (to !== undefined) return { folder: to as AbsPath }
  if (sync.mode === 'backup') return 'source'
  throw new SpacedriveError('USAGE', `expected where to restore ${sync.name} to`, {
    hint: 'Say --to source, --to destination, or --to FOLDER (an empty or new one).'
  })
}

const placeOf = (peer: Peer, sync: Sync | undefined, to: Target): string =>
  typeof to === 'string' ? shownEnd(peer, sync![to]) : displayPath(to.folder)

export type RestoreAnswer = (What & { readonly job: string; readonly state: 'begun' }) | ReturnType<typeof view>

export interface What {
  readonly sync: string | null
  readonly from: string | null
  readonly path: string
  readonly to: string
}

function view(
  what: What,
  job: string | null,
  { run, atMs, summary, list, operations, bytes, problems, problemCount, paused, dryRun }: Restored
) {
  const { destination: totals, ...all } = summary.totals
  return {
    ...{ ...what, job, state: 'ended' as const },
    ...{ run: run ?? null, asOf: atMs ?? null, operations, bytes, dryRun, paused },
    ...{ changes: all.operations, replaced: totals.replaced, removed: totals.removed + totals.directoriesRemoved },
    list: list.map(listedFields),
    more: Math.max(0, summary.operations - list.length),
    ...{ problems, problemCount }
  }
}

function lineOf(op: { readonly kind: string; readonly path: string; readonly to?: string }): string {
  return `${op.kind.padEnd(16)} ${op.path}${op.to === undefined ? '' : ` -> ${op.to}`}`
}
