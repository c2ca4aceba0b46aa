import { z } from 'zod'
import { dispatchAction } from '../../storage/audit/index.js'
import { displayPath, type ProgressFields, SpacedriveError } from '../../storage/base/index.js'
import type { DuplicateGroup, KeepRule, Victim } from '../../sync/operations/index.js'
import { asTyped } from './as-typed.js'
import { askWhenAsked, confirmInput, ensureConfirmed, type Question, typedConfirm } from './confirm.js'
import { endOfJob, type FileJobEnd, showBegun, showJobProblems } from './file-job.js'
import { counted, pathFields, typedPaths } from './file-text.js'
import { formatBytes, formatTime, parseBytes } from './format.js'
import { shortId } from './job-text.js'
import { jobGoesOn } from './job-wait.js'
import { limitOption } from './number-option.js'
import { defineOperation, type OperationContext, type Terminal } from './operation.js'
import { progressLine } from './progress.js'
import { resolveTyped } from './typed-path.js'

/** Files of one group that a person sees; JSON has all. */
const SHOWN_OF_GROUP = 12
const MAX_LIMIT = 10_000
const RULES = ['oldest', 'newest', 'shortest-path'] as const

const keepInput = z.union([
  z.strictObject({ rule: z.enum(RULES) }),
  z.strictObject({ rule: z.literal('in'), folder: z.string().startsWith('/') })
])

const input = z.strictObject({
  /** Nothing named: every location that is here. */
  paths: z.array(z.string().startsWith('/')).max(10_000).default([]),
  /** Instead of looking: what this job found. */
  job: z.string().optional(),
  minBytes: z.number().int().min(0).default(1),
  keep: keepInput.optional(),
  delete: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  limit: z.number().int().min(1).max(MAX_LIMIT).default(100),
  offset: z.number().int().min(0).default(0),
  wait: z.boolean().default(true),
  confirm: confirmInput
})

export interface FoundDuplicates {
  groups: number
  files: number
  wasteBytes: number
  hardLinks: number
}

export interface DuplicatesOutput {
  readonly job: string
  readonly dryRun: boolean
  readonly totals: FoundDuplicates | null
  readonly groups: readonly ReturnType<typeof groupView>[]
  /** What goes by the rule; null without one. */
  readonly going: { files: number; bytes: number } | null
  readonly found: FileJobEnd<FoundDuplicates> | null
  readonly deleted: { job: string; ended: FileJobEnd<{ files: number; bytes: number }> | null } | null
}

export const fileDuplicates = defineOperation<
  'file.duplicates',
  typeof input,
  DuplicatesOutput,
  ProgressFields | Question
>({
  name: 'file.duplicates',
  summary: 'Files with the same content: what they waste, and which to keep',
  input,
  async run(context, asked) {
    const { peer, signal } = context
    if (asked.delete && asked.keep === undefined) throw noRule()
    const { job, work } = await find(context, asked)
    const shown = { job, dryRun: asked.dryRun }
    if (!asked.wait && asked.job === undefined && !asked.delete) {
      return { ...shown, totals: null, groups: [], going: null, found: null, deleted: null }
    }
    const found = await endOfJob<FoundDuplicates>(context, job)
    const { limit, offset, keep } = asked
    const { totals, groups } = await peer.operations.duplicates(work, { limit, offset, signal })
    const chosen = keep === undefined ? undefined : await peer.operations.chooseDuplicates(work, keep, { signal })
    const going = chosen === undefined ? null : { files: chosen.files, bytes: chosen.bytes }
    const { keepersOf } = await import('../../sync/operations/index.js')
    const view = groups.map(g => groupView(g, chosen === undefined ? undefined : keepersOf(g.files, chosen.keep)))
    const answer = { ...shown, totals, groups: view, going, found, deleted: null }
    if (!asked.delete || asked.dryRun || chosen === undefined || chosen.files === 0) return answer
    return { ...answer, deleted: await remove(context, asked, { work, ...chosen, title: peer.jobs.info(job).title }) }
  },
  command: {
    path: 'file duplicates',
    arguments: [['[paths...]', 'folders to look through; without any, all locations']],
    options: [
      ['--min-size <size>', 'only files of this size or more: 1M, 500k (1 byte)'],
      ['--keep <rule>', 'which of a group stays: oldest, newest, shortest-path, or in'],
      ['--in <folder>', 'with --keep in: all in this folder stay, groups with none in it are left alone'],
      ['--delete', 'move the others to the trash, each compared once more right before; asks'],
      ['--dry-run', 'with --delete: only show what would go'],
      ['--yes', 'do not ask'],
      ['--job <job>', 'what this job found, instead of looking again'],
      ['--limit <n>', 'show so many groups, the most wasteful first (100)'],
      ['--no-wait', 'leave it to the daemon']
    ],
    examples: [
      'spacedrive file duplicates ~/Pictures --min-size 100k',
      'spacedrive file duplicates ~/Pictures ~/Backup --keep in --in ~/Pictures --delete --dry-run',
      'spacedrive file duplicates --job 3f2a9c1e --keep oldest --delete'
    ],
    input: ({ arguments: [paths], options: o }, terminal) => ({
      paths: typedPaths(paths, terminal.cwd),
      ...(o.job === undefined ? {} : { job: String(o.job) }),
      ...(o.minSize === undefined ? {} : { minBytes: typedSize(String(o.minSize)) }),
      ...(o.keep === undefined && o.in === undefined ? {} : { keep: typedRule(o.keep, o.in, terminal.cwd) }),
      delete: o.delete === true,
      dryRun: o.dryRun === true,
      ...limitOption(o.limit, MAX_LIMIT),
      wait: o.wait !== false,
      confirm: typedConfirm(o.yes, terminal)
    }),
    left: jobGoesOn,
    progress(value, terminal, call) {
      const question = askWhenAsked(value, terminal, call)
      if (question === undefined && 'phase' in value) terminal.status(progressLine(value, terminal))
      return question
    },
    render,
    exitCode: ({ found, deleted }) => ((found?.problemCount ?? 0) + (deleted?.ended?.problemCount ?? 0) > 0 ? 3 : 0)
  }
})

async function find({ peer }: OperationContext, { job, paths, minBytes }: z.output<typeof input>) {
  if (job !== undefined) {
    const info = peer.jobs.info(peer.jobs.resolve(job))
    const { work } = (info.output ?? {}) as { work?: string }
    if (info.kind !== 'file-duplicates' || work === undefined) {
      throw new SpacedriveError(
        'NOT_FOUND',
        `job ${shortId(info.id)} has found no duplicates: ${info.title}, ${info.state}`
      )
    }
    return { job: info.id, work }
  }
  const roots = paths.length > 0 ? paths : (await peer.locations.list()).map(l => l.path)
  if (roots.length === 0) {
    throw new SpacedriveError('USAGE', 'nothing to look through: there is no location', {
      hint: 'Name folders, or add one: spacedrive location add PATH'
    })
  }
  return peer.operations.findDuplicates(roots, { minBytes })
}

async function remove(
  context: OperationContext,
  { confirm, wait, keep }: z.output<typeof input>,
  {
    work,
    title,
    files,
    bytes,
    list
  }: { work: string; title: string; files: number; bytes: number; list: readonly Victim[] }
) {
  const { peer } = context
  const { job } = await dispatchAction(peer.audit, {
    command: 'file.duplicates',
    asked: list.slice(0, 20).map(v => displayPath(v.path)),
    async preview() {
      await ensureConfirmed(context, confirm, {
        question: `Move ${counted(files, 'duplicate')} (${formatBytes(bytes)}) to the trash?`,
        refused: 'nothing was deleted',
        hint: 'Say it with --yes; --dry-run shows what would go.'
      })
    },
    describe: () => ({ pathCount: files, details: { keep } }),
    begin: () => peer.operations.beginRemoveDuplicates(work, title.replace(/^duplicates in /, ''))
  })
  return { job, ended: wait ? await endOfJob<{ files: number; bytes: number }>(context, job) : null }
}

function groupView(group: DuplicateGroup, keepers: readonly { path: string }[] | undefined) {
  const kept = new Set(keepers?.map(k => k.path))
  return {
    hash: group.hash,
    sizeBytes: group.sizeBytes,
    wasteBytes: group.wasteBytes,
    files: group.files.map(f => ({
      ...pathFields(f.path),
      modifiedMs: Number(f.mtimeNs / 1_000_000n),
      ...(keepers === undefined ? {} : { keep: kept.has(f.path) }),
      ...(f.hardLinks.length > 0 ? { hardLinks: f.hardLinks.map(displayPath) } : {})
    }))
  }
}

function render(output: DuplicatesOutput, terminal: Terminal): void {
  const { job, totals, groups, going, found, deleted, dryRun } = output
  if (totals === null) {
    showBegun('Looking for duplicates', job, terminal)
    terminal.note(`\`spacedrive file duplicates --job ${shortId(job)}\` shows them when it has ended.`)
    return
  }
  if (totals.groups === 0) terminal.line('No duplicates.')
  for (const g of groups) {
    terminal.line(
      terminal.bold(`${g.files.length} × ${formatBytes(g.sizeBytes)}, ${formatBytes(g.wasteBytes)} too many`)
    )
    for (const f of g.files.slice(0, SHOWN_OF_GROUP)) {
      const mark = f.keep === undefined ? '' : f.keep ? terminal.color('green', 'keep    ') : 'delete  '
      terminal.line(`  ${mark}${f.path}  ${terminal.dim(formatTime(f.modifiedMs))}`)
      for (const link of f.hardLinks ?? []) terminal.line(`            the same file: ${link}`)
    }
    if (g.files.length > SHOWN_OF_GROUP) terminal.line(`  and ${g.files.length - SHOWN_OF_GROUP} more`)
  }
  if (totals.groups > groups.length)
    terminal.note(`The ${groups.length} most wasteful groups are shown; --limit shows more.`)
  if (totals.groups > 0) {
    terminal.note(
      `${counted(totals.groups, 'group')} of ${counted(totals.files, 'file')}: ${formatBytes(totals.wasteBytes)} too many.`
    )
  }
  if (going !== null && deleted === null) {
    const would = `${counted(going.files, 'file')}, ${formatBytes(going.bytes)}, would go to the trash`
    terminal.note(dryRun ? `${would}.` : `${would} with --delete (--job ${shortId(job)} spares looking again).`)
  }
  if (found !== null) showJobProblems(found, terminal)
  if (deleted?.ended === null) showBegun('They go to the trash', deleted.job, terminal)
  else if (deleted !== null) {
    const { files, bytes } = deleted.ended!.output
    terminal.line(`Moved to the trash: ${counted(files, 'file')}, ${formatBytes(bytes)}.`)
    terminal.note(`\`spacedrive file trash restore --job ${shortId(deleted.job)}\` brings them back.`)
    showJobProblems(deleted.ended!, terminal)
  }
}

function typedRule(rule: unknown, folder: unknown, cwd: string): KeepRule {
  if (folder !== undefined && (rule === undefined || rule === 'in')) {
    return { rule: 'in', folder: resolveTyped(cwd, String(folder)) }
  }
  const found = RULES.find(r => r === rule)
  if (found !== undefined && folder === undefined) return { rule: found }
  throw new SpacedriveError('USAGE', `expected a rule after --keep, got "${String(rule ?? '')}"`, {
    hint: 'oldest, newest, shortest-path, or in together with --in FOLDER.'
  })
}

function typedSize(text: string): number {
  const bytes = parseBytes(text)
  if (bytes !== undefined) return bytes
  throw new SpacedriveError('USAGE', `expected a size after --min-size, got ${asTyped(text)}`, {
    hint: 'Such as 100k, 5M or 2G.'
  })
}

const noRule = (): SpacedriveError =>
  new SpacedriveError('USAGE', 'which of each group stays?', {
    hint: 'Say --keep oldest, newest or shortest-path, or --keep in --in FOLDER.'
  })
