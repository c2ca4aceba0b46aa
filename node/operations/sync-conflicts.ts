import { z } from 'zod'
import { runAction } from '../../storage/audit/index.js'
import { displayPath, ROOT, SpacedriveError, typed } from '../../storage/base/index.js'
import type { ConflictSide } from '../../sync/history/index.js'
import { counted, pathFields, showList } from './file-text.js'
import { formatBytes, formatTime } from './format.js'
import { defineOperation } from './operation.js'
import { progressLine } from './progress.js'
import { drivenSync } from './sync-named.js'
import { runSync } from './sync-run.js'
import { showRun } from './sync-text.js'

const KEEPS = ['source', 'destination', 'both', 'newer', 'larger'] as const

export const syncConflicts = defineOperation({
  name: 'sync.conflicts',
  summary: 'What was edited at both ends and waits for your word',
  input: z.strictObject({ name: z.string().min(1) }),
  async run({ peer, signal }, { name }) {
    const sync = drivenSync(peer, name)
    const conflicts = await peer.history.conflicts(sync, { signal })
    return {
      sync: name,
      policy: sync.policy,
      conflicts: conflicts.map(c => ({
        ...pathFields(c.path),
        ...{ source: sideView(c.source), destination: sideView(c.destination), answered: c.answered ?? null }
      }))
    }
  },
  command: {
    path: 'sync conflicts',
    arguments: [['<name>', 'which sync']],
    examples: ['spacedrive sync conflicts notes'],
    input: ({ arguments: [name] }) => ({ name: String(name) }),
    render({ sync, policy, conflicts }, terminal) {
      if (conflicts.length === 0) {
        terminal.line(`No conflict of ${sync} waits for you.`)
        if (policy !== 'prompt') terminal.note(`Conflicts are settled by its policy: ${policy}.`)
        return
      }
      terminal.table(
        conflicts.map(c => ({ PATH: c.path, SOURCE: sideText(c.source), DESTINATION: sideText(c.destination) }))
      )
      terminal.note(
        `Both ends are as they were. \`spacedrive sync resolve ${typed(sync)} PATH --keep ${KEEPS.join('|')}\``
      )
    },
    exitCode: ({ conflicts }) => (conflicts.length > 0 ? 3 : 0)
  }
})

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
  async run({ peer, signal, emit }, { name, path, all, keep, later }) {
    const sync = drivenSync(peer, name)
    if ((path === undefined) === !all) throw new SpacedriveError('USAGE', 'expected a path, or --all', { hint: HINT })
    const rel = all ? ROOT : peer.history.pathIn(sync, path!)
    return runAction(peer.audit, {
      command: 'sync.resolve',
      asked: [name, all ? '--all' : displayPath(rel), keep],
      preview: () => peer.history.answer(sync, rel, keep),
      describe: paths => ({ paths: paths.slice(0, 20).map(displayPath), pathCount: paths.length, details: { keep } }),
      async execute(answered) {
        const run = later || sync.paused ? null : await runSync(peer, sync, { signal, emit })
        return { sync: name, keep, paths: answered.map(p => pathFields(p)), paused: sync.paused, run }
      },
      counts: ({ run }) => ({
        ...{ files: run?.operations ?? 0, bytes: run?.bytesTransferred ?? 0, problems: run?.problems.length ?? 0 }
      })
    })
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
        throw new SpacedriveError('USAGE', `expected --keep ${KEEPS.join(' | ')}, got ${String(o.keep ?? 'none')}`, {
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
