import { z } from 'zod'
import { dispatchAction } from '../../storage/audit/index.js'
import { displayPath, type ProgressFields, SpacedriveError } from '../../storage/base/index.js'
import { askWhenAsked, confirmInput, ensureConfirmed, type Question, typedConfirm } from './confirm.js'
import { endOfJob, type FileJobEnd, showBegun, showJobProblems } from './file-job.js'
import { counted } from './file-text.js'
import { formatBytes, formatTime } from './format.js'
import { jobGoesOn } from './job-wait.js'
import { defineOperation } from './operation.js'
import { progressLine } from './progress.js'
import { resolveTyped } from './typed-path.js'
import { typedDuration } from './when.js'

const input = z.strictObject({
  ids: z.array(z.number().int().min(1)).max(10_000).optional(),
  path: z.string().startsWith('/').optional(),
  olderThanMs: z.number().int().min(0).optional(),
  dryRun: z.boolean().default(false),
  wait: z.boolean().default(true),
  confirm: confirmInput
})

export interface TrashTotals {
  readonly items: number
  readonly files: number
  readonly bytes: number
}

export const fileTrashEmpty = defineOperation<
  'file.trash.empty',
  typeof input,
  { dryRun: boolean; totals: TrashTotals; job: string | null; ended: FileJobEnd<TrashTotals> | null },
  ProgressFields | Question
>({
  name: 'file.trash.empty',
  summary: 'Remove what is in the trash for good',
  input,
  async run(context, { ids, path, olderThanMs, dryRun, wait, confirm }) {
    const { peer, signal } = context
    const beforeMs = olderThanMs === undefined ? undefined : peer.clock.nowMs() - olderThanMs
    const wanted = { beforeMs, ids, path }
    const look = () => peer.operations.trashTotals(wanted, { signal })
    const now = (await look()).totals
    if (dryRun || now.items === 0) return { dryRun, totals: now, job: null, ended: null }
    const older = beforeMs === undefined ? '' : ` deleted before ${formatTime(beforeMs)}`
    const { preview, job } = await dispatchAction(peer.audit, {
      command: 'file.trash.empty',
      asked: path === undefined ? [] : [displayPath(path)],
      async preview() {
        const found = await look()
        if (found.totals.items > 0) {
          await ensureConfirmed(context, confirm, {
            question: `Remove ${sumOf(found.totals)}${older} for good? Nothing brings it back.`,
            refused: 'nothing was removed',
            hint: 'Say it with --yes; --dry-run shows how much would go.'
          })
        }
        return found
      },
      describe: found => ({ pathCount: found.totals.items, details: wanted }),
      // What was thrown away while the person thought about it is not what they said yes to.
      begin: ({ uptoId }) => peer.operations.beginEmptyTrash({ ...wanted, uptoId })
    })
    const { totals } = preview
    return { dryRun, totals, job, ended: wait ? await endOfJob<TrashTotals>(context, job) : null }
  },
  command: {
    path: 'file trash empty',
    arguments: [['[what...]', 'only these: ids of `file trash list`, or one place and what was below it']],
    options: [
      ['--older-than <time>', 'only what was deleted so long ago: 12h, 7d, 4w'],
      ['--dry-run', 'only show how much would go'],
      ['--yes', 'do not ask'],
      ['--no-wait', 'leave it to the daemon']
    ],
    examples: ['spacedrive file trash empty --older-than 7d', 'spacedrive file trash empty 41 42 --yes'],
    input({ arguments: [what], options: o }, terminal) {
      const list = (what ?? []) as readonly string[]
      const ids = list.filter(w => /^[1-9]\d{0,15}$/.test(w)).map(Number)
      const [path, second] = list.filter(w => !/^[1-9]\d{0,15}$/.test(w))
      if (second !== undefined || (path !== undefined && ids.length > 0)) {
        throw new SpacedriveError('USAGE', 'expected ids or one place', { hint: 'Run it once for each place.' })
      }
      return {
        ...(ids.length > 0 && { ids }),
        ...(path !== undefined && { path: resolveTyped(terminal.cwd, path) }),
        ...(o.olderThan !== undefined && { olderThanMs: typedDuration(String(o.olderThan), '--older-than') }),
        dryRun: o.dryRun === true,
        wait: o.wait !== false,
        confirm: typedConfirm(o.yes, terminal)
      }
    },
    left: jobGoesOn,
    progress(value, terminal, call) {
      const asked = askWhenAsked(value, terminal, call)
      if (asked === undefined && 'phase' in value) terminal.status(progressLine(value, terminal))
      return asked
    },
    render({ dryRun, totals, job, ended }, terminal) {
      if (totals.items === 0) terminal.line('Nothing to remove.')
      else if (dryRun) terminal.line(`${sumOf(totals)} would be removed for good.`)
      else if (ended === null) showBegun(`${sumOf(totals)} are removed for good`, job!, terminal)
      else {
        terminal.line(`Removed for good: ${sumOf(ended.output)}.`)
        showJobProblems(ended, terminal)
      }
    },
    exitCode: ({ ended }) => ((ended?.problemCount ?? 0) > 0 ? 3 : 0)
  }
})

const sumOf = ({ items, files, bytes }: TrashTotals): string =>
  `${counted(items, 'thing')} with ${counted(files, 'file')}, ${formatBytes(bytes)}`
