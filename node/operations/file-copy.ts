import { z } from 'zod'
import {
  type AbsPath,
  displayPath,
  type Problem,
  type ProgressFields,
  SpacedriveError
} from '../../storage/base/index.js'
import type { CopyOutput, Preview, PreviewLine } from '../../sync/copy/index.js'
import { OVERWRITE, oneOf, PREPARE } from './copy-input.js'
import { copyResult, previewText } from './copy-text.js'
import { type AskedAbout, type AwaitedDevice, askAboutFiles, waitForCopy } from './copy-wait.js'
import { type CopyAsked, copyWay } from './copy-way.js'
import { namedPathText, sourceText, typedPath } from './device-path.js'
import { shortId } from './job-text.js'
import { jobGoesOn } from './job-wait.js'
import { defineOperation, type Terminal, type Typed } from './operation.js'
import { progressLine } from './progress.js'

const input = z.strictObject({
  sources: z.array(sourceText).min(1),
  destination: namedPathText,
  /** The destination is a folder to copy into, made where it is missing. */
  into: z.boolean().default(false),
  /** What becomes of files that exist with other content; unless told they are skipped, and the result says so. */
  overwrite: z.enum(OVERWRITE).optional(),
  verify: z.boolean().default(false),
  keepTimes: z.boolean().default(true),
  include: z.array(z.string()).default([]),
  exclude: z.array(z.string()).default([]),
  /** auto: what the index knows at once, then what the disk shows otherwise; index: the disk only where it does not hold. */
  prepare: z.enum(PREPARE).default('auto'),
  keep: z.boolean().default(true),
  owner: z.boolean().default(false),
  xattrs: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  wait: z.boolean().default(true),
  /** Who waits answers questions about existing files (`file.answer`); else a copy that asks is left resting. */
  ask: z.boolean().default(false)
})

/** What is told on the way: figures, or with `dryRun` one line for each thing that would be done. */
type Told =
  | ProgressFields
  | AskedAbout
  | AwaitedDevice
  | { readonly would: readonly PreviewLine[] }
  | { readonly problem: unknown }

export interface CopyAnswer {
  readonly job: string | null
  readonly state: string
  /** Of a finished one. */
  readonly result: CopyOutput | null
  readonly problems: number
  /** The first of them; `job info` has up to a thousand. */
  readonly problemList: readonly Problem[]
  /** Files that wait for an answer. */
  readonly conflicts: number
  /** Nobody said what to do with existing files: they were left alone. */
  readonly unasked: boolean
  /** With `dryRun`. */
  readonly preview: Preview | null
}

/** Problems that an answer names. */
const PROBLEMS = 20
/** Lines of a dry run that go out together. */
const LINES = 256

function operation<const N extends 'copy' | 'move'>(operation: N, summary: string) {
  return defineOperation({
    name: `file.${operation}`,
    summary,
    input,
    async run({ peer, signal, emit }, { dryRun, wait, ask, overwrite, ...rest }): Promise<CopyAnswer> {
      const asked: CopyAsked = { ...rest, operation, overwrite: overwrite ?? 'skip' }
      const way = await copyWay(peer, asked, { signal })
      const unasked = overwrite === undefined
      if (dryRun) {
        let lines: PreviewLine[] = []
        const flush = (): void => {
          if (lines.length > 0) emit({ would: lines })
          lines = []
        }
        const preview = await way.preview({
          signal,
          line(line) {
            lines.push({ ...line, path: displayPath(line.path) as AbsPath })
            if (lines.length >= LINES) flush()
          },
          problem: problem => emit({ problem })
        })
        flush()
        const { problems, conflicts } = preview
        return { job: null, state: 'dry run', result: null, problems, problemList: [], conflicts, unasked, preview }
      }
      const { dispatchAction } = await import('../../storage/audit/index.js')
      const { job } = await dispatchAction(peer.audit, {
        command: `file.${operation}`,
        asked: [...asked.sources, asked.destination].map(displayPath),
        preview: () => way.check({ signal }),
        describe: () => ({ details: { overwrite: asked.overwrite, verify: asked.verify } }),
        begin: () => way.begin()
      })
      const nothing = { result: null, problems: 0, problemList: [], conflicts: 0, unasked, preview: null }
      if (!wait) return { job, state: peer.jobs.info(job).state, ...nothing }
      await waitForCopy(peer, job, { emit, ask, signal })
      const { state, output, problems, problemList: all } = peer.jobs.info(job)
      const conflicts = peer.copies.conflicts(job, 1).total
      const problemList = all.slice(0, PROBLEMS)
      const result = (output as unknown as CopyOutput) ?? null
      return { ...nothing, job, state, result, problems, problemList, conflicts }
    },
    command: {
      path: `file ${operation}`,
      arguments: [
        ['<source>', 'files or folders, here, DEVICE:/path or content:HASH, then the destination'],
        ['[more...]', 'the last is the destination: a folder to put them into, or a new name']
      ],
      options: [
        [
          '--overwrite [mode]',
          'files that exist with other content: skip, replace, prompt or skip-newer (alone: replace)'
        ],
        ['--verify', 'read back from the disk and compare'],
        ['--no-preserve-timestamps', 'copies get the time of now (files keep theirs, as with --preserve-timestamps)'],
        ['--preserve-timestamps', 'keep times; what is done unless told otherwise'],
        ['--dry-run', 'show exactly what would be done, and do nothing'],
        ['--include <pattern...>', 'only what fits, in the manner of .gitignore'],
        ['--exclude <pattern...>', 'all but what fits'],
        ['--prepare <how>', 'where the list of files comes from: auto (index, then disk), index or scan (auto)'],
        ['--no-keep', 'do not keep what is replaced in the trash'],
        ['--owner', 'owners and groups, too'],
        ['--xattrs', 'extended attributes, too'],
        ['--no-wait', 'leave it to the background and say its number']
      ],
      examples: [
        `spacedrive file ${operation} ~/Photos /media/stick`,
        `spacedrive file ${operation} report.pdf notes.txt ~/Documents --overwrite skip-newer`,
        `spacedrive file ${operation} ~/Photos/2026 laptop:/backup/photos/`
      ],
      input: (typed, terminal) => typedCopy(typed, terminal),
      left: jobGoesOn,
      progress(value: Told, terminal, call) {
        if ('conflicts' in value) return askAboutFiles(value, terminal, call)
        if ('waiting' in value) terminal.note(`The copy ${value.waiting}.`)
        else if ('would' in value) for (const line of value.would) terminal.line(previewText(line))
        else if ('problem' in value) terminal.note((value.problem as { message: string }).message)
        else terminal.status(progressLine(value, terminal))
      },
      render(answer, terminal) {
        copyResult(operation, answer, terminal)
        if (answer.job !== null && answer.result === null && answer.conflicts === 0) {
          terminal.line(`It goes on in the background as job ${shortId(answer.job)}: \`spacedrive job monitor\`.`)
        }
      },
      exitCode: ({ problems, conflicts, unasked, result }) =>
        problems > 0 || conflicts > 0 || (unasked && (result?.skipped.exists ?? 0) > 0) ? 3 : 0
    }
  })
}

export const fileCopy = operation('copy', 'Copy files and folders')
export const fileMove = operation('move', 'Move files and folders')

function typedCopy(
  { arguments: [first, more], options: o }: Typed,
  { cwd, interactive, json }: Terminal
): z.input<typeof input> {
  // A person is asked about files that exist; a script gets them skipped, and told.
  const ask = interactive && !json

  const all = [String(first), ...((more ?? []) as readonly string[])]
  const last = all.pop()!
  if (all.length === 0) {
    throw new SpacedriveError('USAGE', `where to? only ${displayPath(last)} is named`, {
      hint: 'Name what is to be copied or moved, then where to.'
    })
  }
  const list = (value: unknown): string[] => (value === undefined ? [] : [value].flat().map(String))
  return {
    sources: all.map(p => typedPath(p, cwd)),
    destination: typedPath(last, cwd),
    into: last.endsWith('/'),
    ask,
    ...(o.overwrite === undefined
      ? ask && { overwrite: 'prompt' as const }
      : { overwrite: oneOf('--overwrite', OVERWRITE, o.overwrite === true ? 'replace' : o.overwrite) }),
    ...(o.prepare === undefined ? {} : { prepare: oneOf('--prepare', PREPARE, o.prepare) }),
    include: list(o.include),
    exclude: list(o.exclude),
    verify: o.verify === true,
    keepTimes: o.preserveTimestamps !== false,
    keep: o.keep !== false,
    owner: o.owner === true,
    xattrs: o.xattrs === true,
    dryRun: o.dryRun === true,
    wait: o.wait !== false
  }
}
