import { z } from 'zod'
import {
  type AbsPath,
  displayPath,
  hasCode,
  isWithin,
  type LocationId,
  type ProgressFields,
  type RelPath,
  SpacedriveError
} from '../../storage/base/index.js'
import type { IndexReport } from '../../storage/indexer/index.js'
import type { LookOptions } from '../../storage/locations/index.js'
import type { Peer } from '../compose.js'
import { endOfJob, type FileJobEnd, showBegun } from './file-job.js'
import { formatBytes, formatRate, formatTook } from './format.js'
import { shortId } from './job-text.js'
import { jobGoesOn } from './job-wait.js'
import { typedMode } from './location-input.js'
import { wholeNumber } from './number-option.js'
import { defineOperation, type OperationContext, type Terminal } from './operation.js'
import { problems as problemsText, progressLine } from './progress.js'
import { resolveTyped } from './typed-path.js'

/** A location by id, part of one, name or path, else the innermost one around a path. @throws LOCATION_NOT_FOUND, AMBIGUOUS */
async function findLocation(peer: Peer, which: string): Promise<{ id: LocationId; path: AbsPath; from: RelPath }> {
  const all = await peer.locations.list()
  const id = named(peer, which) ?? around(all, which)
  if (id === undefined) {
    throw new SpacedriveError('LOCATION_NOT_FOUND', `${displayPath(which)} is no location and in none`, {
      hint: 'Add it: spacedrive location add PATH. To look without recording: spacedrive index browse PATH'
    })
  }
  const { path } = all.find(l => l.id === id) ?? (await peer.locations.info(id))
  const from = which.startsWith('/') && isWithin(which, path) ? which.slice(path.length).replace(/^\//, '') : ''
  return { id, path, from: from as RelPath }
}

function named(peer: Peer, which: string): LocationId | undefined {
  try {
    return peer.locations.find(which).id
  } catch (err) {
    if (hasCode(err, 'LOCATION_NOT_FOUND')) return undefined
    throw err
  }
}

const around = (all: readonly { id: LocationId; path: AbsPath }[], path: string): LocationId | undefined =>
  all
    .filter(l => path.startsWith('/') && isWithin(path, l.path))
    .reduce<(typeof all)[number] | undefined>(
      (inner, l) => (l.path.length > (inner?.path.length ?? -1) ? l : inner),
      undefined
    )?.id

export interface Looked {
  readonly path: string
  readonly job: string
  /** Null when it was not waited for. */
  readonly ended: Omit<FileJobEnd<IndexReport>, 'output'> | null
  readonly report: IndexReport | null
}

/** Has a location, or a folder in one, looked at by a job. */
export async function lookAt(
  context: OperationContext,
  { which, wait, ...options }: LookOptions & { which: string; wait: boolean }
): Promise<Looked> {
  const { peer } = context
  const { id, path, from } = await findLocation(peer, which)
  const job = await peer.locations.look(id, { ...options, from })
  const shown = displayPath(from === '' ? path : `${path}/${from}`)
  if (!wait) return { path: shown, job, ended: null, report: null }
  const { output: report, ...ended } = await endOfJob<IndexReport>(context, job)
  return { path: shown, job, ended, report }
}

/** What a run found and did, with how fast. */
export function renderLooked({ path, job, ended, report }: Looked, terminal: Terminal): void {
  if (ended === null || report === null) {
    showBegun(`${path} is being looked at`, job, terminal)
    return
  }
  const ms = Object.values(report.phaseMs).reduce((sum, n) => sum + n, 0)
  const { itemsPerSecond: items, bytesPerSecond: bytes } = report.rates
  const rates = [items > 0 ? `${count(items)} entries/s` : '', bytes > 0 ? `read at ${formatRate(bytes)}` : '']
  const seen = `${path}: ${count(report.files)} entries, ${formatBytes(report.bytes)}, in ${formatTook(ms)}`
  terminal.line([seen, ...rates].filter(Boolean).join(', '))
  const found = [
    `${count(report.created)} new`,
    `${count(report.modified)} changed`,
    `${count(report.moved)} moved`,
    `${count(report.deleted)} gone`
  ]
  if (report.hashedFiles > 0) found.push(`${count(report.hashedFiles)} read (${formatBytes(report.hashedBytes)})`)
  if (report.mediaFiles > 0) found.push(`${count(report.mediaFiles)} pictures, films and pieces of music looked into`)
  terminal.line(`  ${found.join(', ')}`)
  if (ended.problemCount > 0) {
    terminal.note(
      terminal.color('yellow', `${problemsText(ended.problemCount)}: see \`spacedrive job info ${shortId(job)}\`.`)
    )
  }
}

const count = (n: number): string => Math.round(n).toLocaleString('en-US')

export const showLooking = (value: ProgressFields, terminal: Terminal): void =>
  terminal.status(progressLine(value, terminal))

export const lookedExitCode = ({ ended }: Looked): number => ((ended?.problemCount ?? 0) > 0 ? 3 : 0)

export const indexLocation = defineOperation({
  name: 'index.location',
  summary: 'Look at a location, or at a folder in one, and record what changed',
  input: z.strictObject({
    location: z.string(),
    scope: z.enum(['current', 'recursive']).default('recursive'),
    mode: z.enum(['shallow', 'content', 'deep']).optional(),
    maxDepth: z.number().int().min(0).optional(),
    force: z.boolean().default(false),
    wait: z.boolean().default(true)
  }),
  run: (context, { location, ...rest }) => lookAt(context, { which: location, ...rest }),
  command: {
    path: 'index location',
    arguments: [['<location>', 'its id or name, or a path in it']],
    options: [
      ['--scope <scope>', 'recursive, or current: this folder alone'],
      ['--mode <mode>', 'shallow, content, deep; the location’s when left out'],
      ['--max-depth <n>', 'folders below it that are entered; what lies deeper stays as it was'],
      ['--force', 'look at everything again, whatever the times say'],
      ['--no-wait', 'leave it to the daemon']
    ],
    examples: [
      'spacedrive index location Photos --mode deep',
      'spacedrive index location ~/Pictures/2024 --scope current'
    ],
    input: ({ arguments: [which], options: o }, { cwd }) => ({
      location: /^[./~]/.test(String(which)) ? resolveTyped(cwd, String(which)) : String(which),
      scope: (o.scope === undefined ? 'recursive' : String(o.scope)) as 'recursive',
      force: o.force === true,
      wait: o.wait !== false,
      ...(o.maxDepth === undefined ? {} : { maxDepth: wholeNumber(o.maxDepth, '--max-depth', 0, 4_096) }),
      ...(o.mode === undefined ? {} : { mode: typedMode(o.mode) })
    }),
    progress: showLooking,
    left: jobGoesOn,
    render: renderLooked,
    exitCode: lookedExitCode
  }
})
