import { resolve } from 'node:path'
import { z } from 'zod'
import {
  displayPath,
  hasCode,
  isWithin,
  type LocationId,
  type ProgressFields,
  type RelPath,
  SpacedriveError
} from '../../storage/base/index.js'
import type { IndexLocation, IndexMode, IndexReport } from '../../storage/indexer/index.js'
import type { Library } from '../../storage/libraries/index.js'
import type { Peer } from '../compose.js'
import { formatBytes, formatRate, formatTook } from './format.js'
import { wholeNumber } from './number-option.js'
import { defineOperation, type Terminal } from './operation.js'
import { problems as problemsText, progressLine } from './progress.js'

/** A location by id, part of one, name or path, else the innermost one around a path. @throws LOCATION_NOT_FOUND, AMBIGUOUS */
async function findLocation(
  peer: Peer,
  which: string
): Promise<{ library: Library; location: IndexLocation; from: RelPath }> {
  const found = named(peer, which) ?? (await around(peer, which))
  if (found === undefined) {
    throw new SpacedriveError('LOCATION_NOT_FOUND', `${displayPath(which)} is no location and in none`, {
      hint: 'Add it: spacedrive location add PATH. To look without recording: spacedrive index browse PATH'
    })
  }
  const { id, path, mode, rules } = await peer.locations.info(found.id)
  const { number, versioned } = found.library.database.get<{ number: number; versioned: number }>(
    'SELECT id AS number, versioned FROM locations WHERE uuid = ?',
    [id]
  )!
  const from = which.startsWith('/') && isWithin(which, path) ? which.slice(path.length).replace(/^\//, '') : ''
  return {
    library: found.library,
    location: { id, number, path, mode, rules, versioned: versioned === 1 },
    from: from as RelPath
  }
}

interface Found {
  readonly library: Library
  readonly id: LocationId
}

function named(peer: Peer, which: string): Found | undefined {
  try {
    return peer.locations.find(which)
  } catch (err) {
    if (hasCode(err, 'LOCATION_NOT_FOUND')) return undefined
    throw err
  }
}

async function around(peer: Peer, path: string): Promise<Found | undefined> {
  if (!path.startsWith('/')) return undefined
  const [inner] = (await peer.locations.list())
    .filter(l => isWithin(path, l.path))
    .sort((a, b) => b.path.length - a.path.length)
  return inner === undefined ? undefined : peer.locations.find(inner.id)
}

/** One run over a location or a folder in one, in the foreground. */
export async function runIndex(
  peer: Peer,
  emit: (value: ProgressFields) => void,
  signal: AbortSignal,
  input: {
    which: string
    scope: 'current' | 'recursive'
    mode?: IndexMode | undefined
    force: boolean
    maxDepth?: number | undefined
  }
): Promise<{ path: string; report: IndexReport }> {
  const { library, location, from } = await findLocation(peer, input.which)
  const { scope, force, mode = location.mode, maxDepth } = input
  const report = await peer.indexer.index(
    { library, location, scope, force, mode, from, ...(maxDepth === undefined ? {} : { maxDepth }) },
    { signal, onProgress: emit }
  )
  return { path: displayPath(from === '' ? location.path : `${location.path}/${from}`), report }
}

/** What a run found and did, with how fast. */
export function renderReport({ path, report: r }: { path: string; report: IndexReport }, terminal: Terminal): void {
  const ms = Object.values(r.phaseMs).reduce((sum, n) => sum + n, 0)
  const { itemsPerSecond: items, bytesPerSecond: bytes } = r.rates
  const rates = [items > 0 ? `${count(items)} entries/s` : '', bytes > 0 ? `read at ${formatRate(bytes)}` : '']
  terminal.line(
    [`${path}: ${count(r.files)} entries, ${formatBytes(r.bytes)}, in ${formatTook(ms)}`, ...rates]
      .filter(Boolean)
      .join(', ')
  )
  const found = [
    `${count(r.created)} new`,
    `${count(r.modified)} changed`,
    `${count(r.moved)} moved`,
    `${count(r.deleted)} gone`
  ]
  if (r.hashedFiles > 0) found.push(`${count(r.hashedFiles)} read (${formatBytes(r.hashedBytes)})`)
  if (r.mediaFiles > 0) found.push(`${count(r.mediaFiles)} pictures, films and pieces of music looked into`)
  terminal.line(`  ${found.join(', ')}`)
  if (r.problems > 0) terminal.note(terminal.color('yellow', problemsText(r.problems)))
}

const count = (n: number): string => Math.round(n).toLocaleString('en-US')

const shared = {
  render: renderReport,
  progress: (value: ProgressFields, terminal: Terminal) => terminal.status(progressLine(value, terminal)),
  exitCode: ({ report }: { report: IndexReport }) => (report.problems > 0 ? 3 : 0)
}

export const indexLocation = defineOperation({
  name: 'index.location',
  summary: 'Look at a location, or at a folder in one, and record what changed',
  input: z.strictObject({
    location: z.string(),
    scope: z.enum(['current', 'recursive']).default('recursive'),
    mode: z.enum(['shallow', 'content', 'deep']).optional(),
    maxDepth: z.number().int().min(0).optional(),
    force: z.boolean().default(false)
  }),
  run: ({ peer, signal, emit }, { location, ...rest }) => runIndex(peer, emit, signal, { which: location, ...rest }),
  command: {
    path: 'index location',
    arguments: [['<location>', 'its id or name, or a path in it']],
    options: [
      ['--scope <scope>', 'recursive, or current: this folder alone'],
      ['--mode <mode>', 'shallow, content, deep; the location’s when left out'],
      ['--max-depth <n>', 'folders below it that are entered; what lies deeper stays as it was'],
      ['--force', 'look at everything again, whatever the times say']
    ],
    examples: [
      'spacedrive index location Photos --mode deep',
      'spacedrive index location ~/Pictures/2024 --scope current'
    ],
    input: ({ arguments: [which], options: o }, { cwd }) => ({
      location: /^[./~]/.test(String(which)) ? resolve(cwd, String(which)) : String(which),
      scope: (o.scope === undefined ? 'recursive' : String(o.scope)) as 'recursive',
      force: o.force === true,
      ...(o.maxDepth === undefined ? {} : { maxDepth: wholeNumber(o.maxDepth, '--max-depth', 0, 4_096) }),
      ...(o.mode === undefined ? {} : { mode: String(o.mode) as IndexMode })
    }),
    ...shared
  }
})
