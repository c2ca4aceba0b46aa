import { z } from 'zod'
import { runAction } from '../../storage/audit/index.js'
import { displayPath, SpacedriveError } from '../../storage/base/index.js'
import type { SessionOutcome, Sync } from '../../sync/session/index.js'
import type { Peer } from '../compose.js'
import { pathFields } from './file-text.js'
import { defineOperation } from './operation.js'
import { haltText, planText, runView, type SyncRunView, showRun } from './sync-text.js'

interface Asked {
  readonly signal: AbortSignal
  emit(value: SyncTold): void
  readonly force: boolean
  readonly plan: string | undefined
}

/** Between two words on how far it is: ten a second are enough for a person. */
const TELL_MS = 100

export interface SyncTold {
  readonly phase: string
  readonly done?: number
  readonly of?: number
}

const input = z.strictObject({
  name: z.string().min(1),
  force: z.boolean().default(false),
  plan: z.string().optional()
})

export const syncRun = defineOperation<'sync.run', typeof input, SyncRunView, SyncTold>({
  name: 'sync.run',
  summary: 'Bring both ends of a sync in step, once',
  input,
  async run({ peer, signal, emit }, { name, force, plan }) {
    return runAction(peer.audit, {
      command: 'sync.run',
      asked: [name],
      preview: async () => peer.syncs.find(name),
      describe: ({ source, destination }) => ({ paths: [displayPath(source.path), displayPath(destination.path)] }),
      execute: sync => once(peer, sync, { signal, emit, force, plan }),
      counts: view => ({ files: view.operations, bytes: view.bytesTransferred, problems: view.problems.length })
    })
  },
  command: {
    path: 'sync run',
    arguments: [['<name>', 'which sync']],
    options: [
      ['--force', 'do what a guard stopped in the run before'],
      ['--plan <hash>', 'do exactly the plan with this hash, or nothing']
    ],
    examples: ['spacedrive sync run photos', 'spacedrive sync run photos --force'],
    input: ({ arguments: [name], options: o }) => ({
      ...{ name: String(name), force: o.force === true },
      ...(typeof o.plan === 'string' && { plan: o.plan })
    }),
    progress({ phase, done, of }, terminal) {
      const far =
        done === undefined
          ? ''
          : ` ${done.toLocaleString('en')}${of === undefined ? '' : ` of ${of.toLocaleString('en')}`}`
      terminal.status(`${phase} ...${far}`)
    },
    render: (view, terminal) => showRun(view, terminal),
    exitCode: ({ state }) => ({ converged: 0, conflicts: 3, problems: 3, halted: 4 })[state]
  }
})

export const syncPlan = defineOperation({
  name: 'sync.plan',
  summary: 'Show what a run of a sync would do, and do nothing',
  input: z.strictObject({ name: z.string().min(1) }),
  async run({ peer, signal }, { name }) {
    const sync = peer.syncs.find(name)
    const outcome = await peer.syncs.run(sync, { signal, planOnly: true })
    if (outcome.state !== 'planned') throw new TypeError('a plan was asked for')
    const { plan, halts } = outcome
    const list = (await peer.syncs.planned(sync)).map(op => ({
      ...{ kind: op.kind, end: op.end, reason: op.reason, ...pathFields(op.path) },
      ...(op.to !== undefined && { to: displayPath(op.to) })
    }))
    const more = plan.operations - list.length
    return {
      ...{ sync: name, planHash: plan.hash, totals: plan.totals, list, more },
      ...{ halts: halts.map(haltText), text: planText(plan) }
    }
  },
  command: {
    path: 'sync plan',
    arguments: [['<name>', 'which sync']],
    examples: ['spacedrive sync plan photos'],
    input: ({ arguments: [name] }) => ({ name: String(name) }),
    render({ sync, planHash, list, more, halts, text }, terminal) {
      for (const op of list) {
        const to = 'to' in op ? ` -> ${op.to}` : ''
        terminal.line(`${op.kind.padEnd(16)} ${op.end.padEnd(11)} ${op.path}${to}  (${op.reason})`)
      }
      if (more > 0) terminal.line(`and ${more.toLocaleString('en')} more`)
      terminal.line(`${text[0]!.toUpperCase()}${text.slice(1)}.`)
      for (const halt of halts) terminal.line(`A guard would stop it: ${halt}.`)
      if (list.length > 0) terminal.line(`Exactly this: spacedrive sync run ${sync} --plan ${planHash}`)
    }
  }
})

/** @throws OTHER_PLAN, and what a session throws */
async function once(peer: Peer, sync: Sync, { signal, emit, force, plan }: Asked): Promise<SyncRunView> {
  const { name } = sync
  const began = peer.clock.monotonicMs()
  const duration = (): number => Math.round(peer.clock.monotonicMs() - began)
  let phase = ''
  let toldMs = Number.NEGATIVE_INFINITY
  const tell = (more: Partial<SyncTold> = {}): void => {
    const now = peer.clock.monotonicMs()
    if (now - toldMs < TELL_MS) return
    toldMs = now
    emit({ phase, ...more })
  }
  const outcome = await peer.syncs.run(sync, {
    ...{ signal, force, ...(plan !== undefined && { planHash: plan }) },
    onPhase(next) {
      phase = next
      toldMs = Number.NEGATIVE_INFINITY
      tell()
    },
    onScan: (_end, { entries }) => tell({ done: entries }),
    onProgress: ({ operations, of }) => tell({ done: operations, of }),
    describe(ended) {
      const view = runView(name, ended as Extract<SessionOutcome, { state: 'done' | 'halted' }>, duration())
      return { state: view.state, result: view }
    }
  })
  if (outcome.state === 'other-plan') {
    throw new SpacedriveError('OTHER_PLAN', `could not run ${name}: what would be done now is another plan`, {
      hint: `Something changed since. \`spacedrive sync plan ${name}\` shows it anew.`,
      details: { planHash: outcome.plan.hash }
    })
  }
  if (outcome.state === 'planned') throw new TypeError('a run does not end with a plan')
  return runView(name, outcome, duration())
}
