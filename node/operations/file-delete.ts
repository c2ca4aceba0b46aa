import { z } from 'zod'
import { dispatchAction } from '../../storage/audit/index.js'
import { displayPath, type ProgressFields, SpacedriveError } from '../../storage/base/index.js'
import type { FarDeletePlan } from '../../sync/operations/index.js'
import { askWhenAsked, confirmInput, ensureConfirmed, type Question, typedConfirm } from './confirm.js'
import { deleteWay } from './delete-way.js'
import { namedPathText, typedNamedPaths } from './device-path.js'
import { endOfJob, type FileJobEnd, showBegun, showJobProblems } from './file-job.js'
import { counted, pathFields, showList, showProblems } from './file-text.js'
import { formatBytes } from './format.js'
import { shortId } from './job-text.js'
import { jobGoesOn } from './job-wait.js'
import { defineOperation } from './operation.js'
import { progressLine } from './progress.js'

/** A person is asked from here on: more than that is seldom meant by a name typed in passing. */
const ASK_ABOVE_FILES = 1_000

const input = z.strictObject({
  paths: z.array(namedPathText).min(1).max(100_000),
  permanent: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  wait: z.boolean().default(true),
  confirm: confirmInput
})

export interface Deleted {
  items: number
  files: number
  bytes: number
}

export interface Found {
  readonly found: { files: number; bytes: number }
}

export const fileDelete = defineOperation<
  'file.delete',
  typeof input,
  {
    dryRun: boolean
    permanent: boolean
    /** The name of the other device; null: this one. */
    device: string | null
    plan: ReturnType<typeof planView>
    job: string | null
    ended: FileJobEnd<Deleted> | null
  },
  ProgressFields | Question | Found
>({
  name: 'file.delete',
  summary: 'Move files and folders to the trash, or remove them for good',
  input,
  async run(context, { paths, permanent, dryRun, wait, confirm }) {
    const { peer, signal, emit } = context
    const way = deleteWay(peer, paths, permanent)
    const device = way.device === null ? null : peer.devices.nameOf(way.device)
    const preview = (): Promise<FarDeletePlan> => way.plan({ permanent, signal, onProgress: found => emit({ found }) })
    if (dryRun) {
      const plan = await preview()
      await way.drop(plan)
      return { dryRun, permanent, device, plan: planView(plan), job: null, ended: null }
    }
    const { preview: plan, job } = await dispatchAction(peer.audit, {
      command: 'file.delete',
      asked: paths.slice(0, 20).map(displayPath),
      async preview() {
        const planned = await preview()
        try {
          if (permanent || (confirm === 'ask' && planned.files > ASK_ABOVE_FILES)) {
            await ensureConfirmed(context, confirm, asking(planned, permanent))
          }
          return planned
        } catch (err) {
          await way.drop(planned)
          throw err
        }
      },
      describe: ({ list, items }) => ({
        paths: list.slice(0, 20).map(i => displayPath(i.path)),
        pathCount: items,
        details: { permanent }
      }),
      begin: planned => way.begin(planned)
    })
    const view = planView(plan)
    if (!wait) return { dryRun, permanent, device, plan: view, job, ended: null }
    return { dryRun, permanent, device, plan: view, job, ended: await endOfJob<Deleted>(context, job) }
  },
  command: {
    path: 'file delete',
    arguments: [['<paths...>', 'files and folders, here or DEVICE:/path']],
    options: [
      ['--dry-run', 'only show what would go, and where'],
      ['--permanent', 'remove for good instead of moving to the trash; asks'],
      ['--yes', 'do not ask'],
      ['--no-wait', 'leave it to the daemon']
    ],
    examples: [
      'spacedrive file delete old.txt ~/Downloads/*.iso',
      'spacedrive file delete ~/build --dry-run',
      'spacedrive file delete /media/stick/secret --permanent',
      'spacedrive file delete laptop:/home/ada/old.txt'
    ],
    input: ({ arguments: [paths], options: o }, terminal) => ({
      paths: typedNamedPaths(ensureNamed(paths), terminal.cwd),
      permanent: o.permanent === true,
      dryRun: o.dryRun === true,
      wait: o.wait !== false,
      confirm: typedConfirm(o.yes, terminal)
    }),
    left: jobGoesOn,
    progress(value, terminal, call) {
      const asked = askWhenAsked(value, terminal, call)
      if (asked !== undefined) return asked
      if ('found' in value) {
        terminal.status(`Looking ... ${counted(value.found.files, 'file')}, ${formatBytes(value.found.bytes)}`)
      } else if ('phase' in value) terminal.status(progressLine(value, terminal))
      return undefined
    },
    render({ dryRun, permanent, device, plan, job, ended }, terminal) {
      if (dryRun) {
        terminal.line(`${sumOf(plan)} would ${permanent ? 'be removed for good' : 'go to the trash'}:`)
        showList(
          plan.list.map(i => `${i.path}${i.kind === 'directory' ? `/  (${sumOf({ ...i, items: 0 })})` : ''}`),
          terminal,
          plan.items
        )
        const bins = [...new Set(plan.list.flatMap(i => i.place ?? []))]
        if (bins.length > 0) terminal.note(`The trash: ${bins.join(', ')}`)
        showProblems(plan.problems, plan.problemCount, terminal)
        return
      }
      if (ended === null) {
        showBegun(`${sumOf(plan)} ${permanent ? 'are removed for good' : 'go to the trash'}`, job!, terminal)
        return
      }
      const done = sumOf(ended.output)
      terminal.line(permanent ? `Removed for good: ${done}.` : `Moved to the trash: ${done}.`)
      if (!permanent && ended.output.items > 0) {
        const there = device === null ? '' : `On ${device}: `
        const job = device === null ? shortId(ended.job) : ended.job
        terminal.note(`${there}\`spacedrive file trash restore --job ${job}\` brings it back.`)
      }
      showJobProblems(ended, terminal)
    },
    exitCode: ({ plan, ended }) => ((ended?.problemCount ?? plan.problemCount) > 0 ? 3 : 0)
  }
})

/** Nobody means the folder that they are in, or the one around it: a dot typed in passing. */
function ensureNamed(typed: unknown): unknown {
  const dots = ((typed ?? []) as readonly string[]).find(path => /(^|\/)\.\.?\/?$/.test(path))
  if (dots === undefined) return typed
  throw new SpacedriveError('USAGE', `could not delete ${displayPath(dots)}: folders go by their name`, {
    hint: 'Nothing was deleted. Name the folder, or what is in it.'
  })
}

function asking({ items, files, bytes }: FarDeletePlan, permanent: boolean) {
  const what = `${counted(items, 'thing')} with ${counted(files, 'file')}, ${formatBytes(bytes)}`
  return {
    question: permanent ? `Remove ${what} for good? Nothing brings it back.` : `Move ${what} to the trash?`,
    refused: 'nothing was deleted',
    hint: 'Say it with --yes; --dry-run shows what would go.'
  }
}

/** `3 things, 1,204 files, 2.1 GiB` */
function sumOf({ items, files, bytes }: Deleted): string {
  const parts = items > 0 && items !== files ? [counted(items, 'thing')] : []
  return [...parts, counted(files, 'file'), formatBytes(bytes)].join(', ')
}

function planView({ items, files, bytes, list, problems, problemCount }: FarDeletePlan) {
  return {
    ...{ items, files, bytes, problems, problemCount },
    list: list.map(({ path, bin, ...rest }) => ({
      ...pathFields(path),
      ...rest,
      place: bin === null ? null : displayPath(bin)
    }))
  }
}
