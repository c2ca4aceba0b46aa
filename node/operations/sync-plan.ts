import { z } from 'zod'
import { displayPath, typed } from '../../storage/base/index.js'
import type { Sync } from '../../sync/session/index.js'
import type { Peer } from '../compose.js'
import { askDriver, ensureNotPaused, saidBy } from './ask-driver.js'
import { pathFields } from './file-text.js'
import { limitOption } from './number-option.js'
import { defineOperation } from './operation.js'
import { farViews, type PlanView } from './sync-far-views.js'
import { namedSync } from './sync-named.js'
import { planText, showRemarks } from './sync-text.js'

/** Lines of a plan that may be asked for at once. */
const MAX_LIMIT = 10_000

export const syncPlan = defineOperation({
  name: 'sync.plan',
  summary: 'Show what a run of a sync would do, and do nothing',
  input: z.strictObject({ name: z.string().min(1), limit: z.int().min(1).max(MAX_LIMIT).optional() }),
  async run({ peer, signal }, { name, limit }): Promise<PlanView> {
    const found = namedSync(peer, name)
    if ('own' in found) return planView(peer, found.own, { signal, limit })
    ensureNotPaused(found.served)
    const told = farViews.plan.parse(await askDriver(peer, found.served, { what: 'plan' }, signal))
    const { halts, hint } = saidBy(peer, found.served, { halts: told.halts, hint: told.text })
    return told.refused ? { ...told, halts, text: hint } : told
  },
  command: {
    path: 'sync plan',
    arguments: [['<name>', 'which sync']],
    options: [['--limit <n>', 'show so many at most (200)']],
    examples: ['spacedrive sync plan photos', 'spacedrive sync plan photos --limit 10000'],
    input: ({ arguments: [name], options: o }) => ({ name: String(name), ...limitOption(o.limit, MAX_LIMIT) }),
    render({ sync, planHash, list, more, halts, text, refused, conflicts, problems }, terminal) {
      if (refused) {
        terminal.line(`It would not begin: ${halts.join('; ')}.`)
        terminal.line(text)
        return
      }
      for (const op of list) {
        const to = op.to === undefined ? '' : ` -> ${op.to}`
        terminal.line(`${op.kind.padEnd(16)} ${op.end.padEnd(11)} ${op.path}${to}  (${op.reason})`)
      }
      if (more > 0) terminal.line(`and ${more.toLocaleString('en')} more`)
      terminal.line(`${text[0]!.toUpperCase()}${text.slice(1)}.`)
      showRemarks({ conflicts, problems }, terminal)
      for (const halt of halts) terminal.line(`A guard would stop it: ${halt}.`)
      if (list.length > 0) terminal.line(`Exactly this: spacedrive sync run ${typed(sync)} --plan ${planHash}`)
    },
    exitCode: ({ refused }) => (refused ? 4 : 0)
  }
})

/** Of a sync that this device drives. @throws what a session throws */
export async function planView(
  peer: Peer,
  sync: Sync,
  { signal, limit }: { readonly signal: AbortSignal; readonly limit?: number | undefined }
): Promise<PlanView> {
  const { name } = sync
  const outcome = await peer.syncs.plan(sync, { signal })
  if (outcome.state === 'refused') {
    const { message, hint } = outcome.guard
    const none = { planHash: null, totals: null, list: [], more: 0, conflicts: [], problems: [] }
    return { sync: name, ...none, halts: [message], text: hint.replace('NAME', name), refused: true }
  }
  const { plan, halts } = outcome
  const { haltText, remarksTold } = await import('../../sync/session/index.js')
  const { operations, remarks, unread } = await peer.syncs.planned(sync, { limit })
  const { conflicts, problems } = remarksTold(remarks)
  const list = operations.map(op => ({
    ...{ kind: op.kind, end: op.end, reason: op.reason, ...pathFields(op.path) },
    ...(op.to !== undefined && { to: displayPath(op.to) })
  }))
  const more = plan.operations - list.length
  return {
    ...{ sync: name, planHash: plan.hash, totals: plan.totals, list, more },
    ...{ halts: halts.map(haltText), text: planText(plan), refused: false },
    ...{ conflicts, problems: [...problems, ...unread.map(({ path, code, message }) => ({ path, code, message }))] }
  }
}
