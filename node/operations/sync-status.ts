import { z } from 'zod'
import type { SyncState } from '../../sync/session/index.js'
import { driversWords } from './drivers-word.js'
import { counted } from './file-text.js'
import { formatTime } from './format.js'
import { defineOperation, type Terminal } from './operation.js'
import { namedSync, servedView } from './sync-named.js'
import { colorOf, syncView } from './sync-view.js'

/** Runs told of one sync. */
const RUNS = 50

export const syncStatus = defineOperation({
  name: 'sync.status',
  summary: 'What is the matter with each sync, and what to do',
  input: z.strictObject({ name: z.string().min(1).optional(), runs: z.boolean().default(false) }),
  async run({ peer, signal }, { name, runs }) {
    const found = name === undefined ? undefined : namedSync(peer, name)
    const syncs = found === undefined ? peer.syncs.list() : 'own' in found ? [found.own] : []
    const served = found === undefined ? peer.served.list() : 'served' in found ? [found.served] : []
    const words = await driversWords(peer, served, signal)
    return {
      served: served.map(sync => ({ ...servedView(peer, sync), driver: words.get(sync.id) ?? null })),
      syncs: syncs.map(sync => ({
        ...syncView(peer, sync),
        ...(runs && {
          runs: peer.syncs.lastRuns(sync, RUNS).map(({ id, kind, beganAtMs, endedAtMs, state, report }) => ({
            ...{ run: id, kind, beganAt: beganAtMs, endedAt: endedAtMs, state, reason: report?.reason ?? null },
            ...{ operations: report?.operations ?? 0, bytesTransferred: report?.bytesTransferred ?? 0 },
            ...{ conflicts: report?.conflicts.length ?? 0, problems: report?.problems.length ?? 0 }
          }))
        })
      }))
    }
  },
  command: {
    path: 'sync status',
    arguments: [['[name]', 'which sync; all of them unless told']],
    options: [['--runs', 'what the last runs came to']],
    examples: ['spacedrive sync status', 'spacedrive sync status photos --runs'],
    input: ({ arguments: [name], options: o }) => ({
      ...(typeof name === 'string' && { name }),
      runs: o.runs === true
    }),
    render({ syncs, served }, terminal) {
      if (syncs.length + served.length === 0)
        terminal.line('No syncs. `spacedrive sync add NAME SOURCE DESTINATION --mode mirror` makes one.')
      for (const sync of syncs) {
        show(sync, terminal)
        for (const run of sync.runs ?? []) {
          const why = run.reason === null ? '' : ` (${run.reason})`
          const more = [
            `${run.operations.toLocaleString('en')} done`,
            ...(run.conflicts > 0 ? [counted(run.conflicts, 'conflict')] : []),
            ...(run.problems > 0 ? [counted(run.problems, 'problem')] : [])
          ].join(', ')
          const kind = run.kind === 'run' ? '' : `${run.kind}: `
          terminal.line(`  ${formatTime(run.beganAt)}  ${kind}${run.state}${why}  ${more}  ${run.run}`)
        }
      }
      for (const sync of served) {
        const text = terminal.color(sync.state === 'halted' ? 'red' : 'cyan', sync.text)
        terminal.line(`${terminal.bold(sync.name)}  ${text}${sync.advice === null ? '' : `. ${asAdvice(sync.advice)}`}`)
        // What is the matter here comes first: the driver only knows that nothing goes on.
        if (sync.driver === null || sync.state !== 'served') continue
        const { text: said, state, advice } = sync.driver
        const cure = advice === null ? '' : `. On ${sync.deviceName}: ${asAdvice(advice)}`
        terminal.line(`  ${terminal.color(colorOf(state as SyncState), said)}${cure}`)
      }
    }
  }
})

/** A command alone is marked as one. */
export const asAdvice = (advice: string): string => (advice.startsWith('spacedrive ') ? `\`${advice}\`` : advice)

interface Shown {
  readonly name: string
  readonly state: SyncState
  readonly text: string
  readonly advice: string | null
  readonly notes: readonly string[]
  readonly lastRunAt: number | null
}

function show({ name, state, text, advice, notes, lastRunAt }: Shown, terminal: Terminal): void {
  const when = lastRunAt === null ? '' : ` (${formatTime(lastRunAt)})`
  terminal.line(
    `${terminal.bold(name)}  ${terminal.color(colorOf(state), text)}${when}${advice === null ? '' : `. ${asAdvice(advice)}`}`
  )
  for (const note of notes) terminal.line(`  ${note}`)
}
