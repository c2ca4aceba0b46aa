import { z } from 'zod'
import { runAction } from '../../storage/audit/index.js'
import { displayPath, type RelPath, ROOT, SpacedriveError, typed } from '../../storage/base/index.js'
import type { ConflictSide } from '../../sync/history/index.js'
import type { Sync } from '../../sync/session/index.js'
import type { Peer } from '../compose.js'
import { asTyped } from './as-typed.js'
import { askDriver, bodyOf } from './ask-driver.js'
import { counted, pathFields, showList } from './file-text.js'
import { formatBytes, formatTime } from './format.js'
import { defineOperation, type Terminal } from './operation.js'
import { progressLine } from './progress.js'
import { type ConflictsView, farViews, type ResolveView } from './sync-far-views.js'
import { namedSync, servedEnds } from './sync-named.js'
import { type RunSyncAsked, runSync } from './sync-run.js'
import { showRun } from './sync-text.js'

const KEEPS = ['source', 'destination', 'both', 'newer', 'larger'] as const

export const syncConflicts = defineOperation({
  name: 'sync.conflicts',
  summary: 'What was edited at both ends and waits for your word',
  input: z.strictObject({ name: z.string().min(1) }),
  async run({ peer, signal }, { name }): Promise<ConflictsView> {
    const found = namedSync(peer, name)
    if ('own' in found) return conflictsView(peer, found.own, signal)
    return farViews.conflicts.parse(await askDriver(peer, found.served, { what: 'conflicts' }, signal))
  },
  command: {
    path: 'sync conflicts',
    arguments: [['<name>', 'which sync']],
    examples: ['spacedrive sync conflicts notes'],
    input: ({ arguments: [name] }) => ({ name: String(name) }),
    render({ sync, policy, conflicts, more, settled }, terminal) {
      if (conflicts.length === 0) {
        terminal.line(`No conflict of ${sync} waits for you.`)
        if (policy !== 'prompt') terminal.note(`Conflicts are settled by its policy: ${policy}.`)
        showSettled(settled, terminal)
        return
      }
      terminal.table(
        conflicts.map(c => ({ PATH: c.path, SOURCE: sideText(c.source), DESTINATION: sideText(c.destination) }))
      )
      if (more > 0) terminal.line(`and ${more.toLocaleString('en')} more`)
      terminal.note(
        `Both ends are as they were. \`spacedrive sync resolve ${typed(sync)} PATH --keep ${KEEPS.join('|')}\``
      )
      showSettled(settled, terminal)
    },
    exitCode: ({ conflicts }) => (conflicts.length > 0 ? 3 : 0)
  }
})

function showSettled(settled: ConflictsView['settled'], terminal: Terminal): void {
  if (settled.length === 0) return
  terminal.line('Settled lately:')
  for (const { path, resolution, copy, at } of settled) {
    const other = copy === null ? 'the other content is in the versions' : `the other is ${copy}`
    terminal.line(`  ${formatTime(at)}  ${path}: ${resolution}, ${other}`)
  }
}

export const syncResolve = defineOperation({
  name: 'sync.resolve',
  summary: 'Say what is to be kept of a conflict; what is not goes to the versions',
  input: z.strictObject({
    name: z.string().min(1),
    /** One in conflict, or a folder with such in it; all of them with `all`. */
    path: z.string().optional(),
    all: z.boolean().default(false),
    keep: z.enum(KEEPS),
    /** Leaves it to the next run. */
    later: z.boolean().default(false)
  }),
  async run({ peer, signal, emit }, { name, path, all, keep, later }): Promise<ResolveView> {
    const found = namedSync(peer, name)
    if ((path === undefined) === !all) throw new SpacedriveError('USAGE', 'expected a path, or --all', { hint: HINT })
    const of = 'own' in found ? found.own : servedEnds(found.served)
    const rel = all ? ROOT : peer.history.pathIn(of, path!)
    if ('own' in found) return resolveSync(peer, found.own, { rel, keep, later, signal, emit })
    const question = { what: 'resolve', path: bodyOf(rel), keep, later } as const
    return farViews.resolve.parse(await askDriver(peer, found.served, question, signal))
  },
  command: {
    path: 'sync resolve',
    arguments: [
      ['<name>', 'which sync'],
      ['[path]', 'what is in conflict, or a folder with such in it']
    ],
    options: [
      ['--keep <what>', KEEPS.join(', ')],
      ['--all', 'all that wait'],
      ['--later', 'leave it to the next run']
    ],
    examples: [
      'spacedrive sync resolve notes list.txt --keep newer',
      'spacedrive sync resolve notes --all --keep both'
    ],
    input({ arguments: [name, path], options: o }) {
      const keep = KEEPS.find(k => k === o.keep)
      if (keep === undefined) {
        throw new SpacedriveError('USAGE', `expected --keep ${KEEPS.join(' | ')}, got ${asTyped(o.keep)}`, {
          hint: HINT
        })
      }
      return {
        ...{ name: String(name), keep, all: o.all === true, later: o.later === true },
        ...(path !== undefined && { path: String(path) })
      }
    },
    progress: (fields, terminal) => terminal.status(progressLine(fields as never, terminal)),
    render({ sync, keep, paths, paused, run }, terminal) {
      terminal.line(`${counted(paths.length, 'conflict')} answered, keep ${keep}:`)
      showList(
        paths.map(p => p.path),
        terminal
      )
      if (run !== null) showRun(run, terminal)
      else terminal.note(whenDone(sync, paused))
    },
    exitCode: ({ run }) => (run === null || run.state === 'converged' ? 0 : run.state === 'halted' ? 4 : 3)
  }
})

/** Of a sync that this device drives. */
export async function conflictsView(peer: Peer, sync: Sync, signal: AbortSignal): Promise<ConflictsView> {
  const conflicts = await peer.history.conflicts(sync, { signal })
  return {
    ...{ sync: sync.name, policy: sync.policy, more: 0 },
    settled: peer.history
      .settled(sync)
      .map(({ path, resolution, copy, atMs }) => ({ path, resolution, copy: copy ?? null, at: atMs })),
    conflicts: conflicts.map(c => ({
      ...pathFields(c.path),
      ...{ source: sideView(c.source), destination: sideView(c.destination), answered: c.answered ?? null }
    }))
  }
}

export interface ResolveAsked extends Pick<RunSyncAsked, 'signal' | 'emit'> {
  readonly rel: RelPath
  readonly keep: (typeof KEEPS)[number]
  readonly later: boolean
  /** The device that asks; this one unless told. */
  readonly origin?: string | undefined
}

/** Of a sync that this device drives. @throws {SpacedriveError} NOT_IN_CONFLICT, and what a run throws */
export function resolveSync(
  peer: Peer,
  sync: Sync,
  { rel, keep, later, origin, signal, emit }: ResolveAsked
): Promise<ResolveView> {
  return runAction(peer.audit, {
    ...{ command: 'sync.resolve', origin, asked: [sync.name, rel === ROOT ? '--all' : displayPath(rel), keep] },
    preview: () => peer.history.answer(sync, rel, keep),
    describe: paths => ({ paths: paths.slice(0, 20).map(displayPath), pathCount: paths.length, details: { keep } }),
    async execute(answered) {
      const run = later || sync.paused ? null : await runSync(peer, sync, { signal, emit })
      return { sync: sync.name, keep, paths: answered.map(p => pathFields(p)), paused: sync.paused, run }
    },
    counts: ({ run }) => ({
      ...{ files: run?.operations ?? 0, bytes: run?.bytesTransferred ?? 0, problems: run?.problems.length ?? 0 }
    })
  })
}

const HINT =
  '`spacedrive sync resolve NAME PATH --keep source|destination|both|newer|larger`, or --all instead of PATH.'

const whenDone = (sync: string, paused: boolean): string =>
  paused
    ? `${sync} is paused: the next run does it (\`spacedrive sync run ${typed(sync)}\`, or resume).`
    : `The next run does it: \`spacedrive sync run ${typed(sync)}\`.`

export interface SideView {
  readonly kind: string
  readonly sizeBytes: number
  readonly mtimeMs: number
}

const sideView = (side: ConflictSide | undefined): SideView | null =>
  side === undefined ? null : { kind: side.kind, sizeBytes: side.sizeBytes, mtimeMs: Number(side.mtimeNs / 1_000_000n) }

function sideText(side: SideView | null): string {
  if (side === null) return 'nothing'
  if (side.kind === 'directory') return 'a folder'
  return `${side.kind === 'symlink' ? 'a link' : formatBytes(side.sizeBytes)}, ${formatTime(side.mtimeMs)}`
}
