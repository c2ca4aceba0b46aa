import { resolve } from 'node:path'
import { z } from 'zod'
import {
  type AbsPath,
  displayPath,
  isWithin,
  type LocationId,
  type ProgressFields,
  type RelPath,
  SpacedriveError,
  textFromBytes
} from '../../storage/base/index.js'
import type { IndexLocation, IndexMode, IndexReport } from '../../storage/indexer/index.js'
import type { Library } from '../../storage/libraries/index.js'
import type { Peer } from '../compose.js'
import { formatBytes, formatDuration } from './format.js'
import { defineOperation, type Terminal } from './operation.js'
import { problems as problemsText, progressLine } from './progress.js'

interface LocationRow {
  id: number
  uuid: string
  name: string
  path: Uint8Array
  mode: IndexMode
  rules: string
  versioned: number
}

/** A location of the current library by id, prefix of one, name, or a path in it (the innermost around that). */
async function findLocation(
  peer: Peer,
  which: string
): Promise<{ library: Library; location: IndexLocation; from: RelPath }> {
  const { parseRules } = await import('../../storage/indexer/index.js')
  const library = peer.libraries.current()
  const rows = library.database
    .all<LocationRow>(
      'SELECT id, uuid, name, path, mode, rules, versioned FROM locations WHERE host = ? AND shared = 0',
      [library.host]
    )
    .map(r => ({ ...r, path: textFromBytes(r.path) as AbsPath }))
  const named = rows.filter(
    r => r.uuid === which || r.name === which || (which.length >= 8 && r.uuid.startsWith(which))
  )
  const around = rows
    .filter(r => which.startsWith('/') && isWithin(which, r.path))
    .sort((a, b) => b.path.length - a.path.length)
  const row = named.length === 1 ? named[0]! : named.length === 0 ? around[0] : undefined
  if (row === undefined) {
    const several = named.length > 1
    throw new SpacedriveError(
      several ? 'AMBIGUOUS' : 'LOCATION_NOT_FOUND',
      several
        ? `several locations are called ${displayPath(which)}`
        : `${displayPath(which)} is no location and in none`,
      {
        hint: several ? 'Say which by its id (spacedrive location list).' : 'Add it: spacedrive location add PATH'
      }
    )
  }
  const location: IndexLocation = {
    ...{ id: row.uuid as LocationId, number: row.id, path: row.path, mode: row.mode },
    rules: parseRules(row.rules),
    versioned: row.versioned === 1
  }
  const from = (
    which.startsWith('/') && which !== row.path && named.length === 0
      ? which.slice(row.path === '/' ? 1 : row.path.length + 1)
      : ''
  ) as RelPath
  return { library, location, from }
}

const flags = {
  scope: z.enum(['current', 'recursive']),
  mode: z.enum(['shallow', 'content', 'deep']).optional(),
  force: z.boolean().default(false)
}

async function runIndex(
  peer: Peer,
  emit: (value: ProgressFields) => void,
  signal: AbortSignal,
  input: { which: string; scope: 'current' | 'recursive'; mode?: IndexMode | undefined; force: boolean }
): Promise<{ path: string; report: IndexReport }> {
  const { library, location, from } = await findLocation(peer, input.which)
  const { scope, force, mode = location.mode } = input
  const report = await peer.indexer.index({ library, location, scope, force, mode, from }, { signal, onProgress: emit })
  return { path: displayPath(from === '' ? location.path : `${location.path}/${from}`), report }
}

function render({ path, report: r }: { path: string; report: IndexReport }, terminal: Terminal): void {
  const ms = Object.values(r.phaseMs).reduce((sum, n) => sum + n, 0)
  terminal.line(
    `${path}: ${r.files.toLocaleString('en-US')} entries, ${formatBytes(r.bytes)}, in ${formatDuration(ms)}`
  )
  terminal.line(
    `  ${r.created} new, ${r.modified} changed, ${r.moved} moved, ${r.deleted} gone${r.hashedFiles > 0 ? `, ${r.hashedFiles} read (${formatBytes(r.hashedBytes)})` : ''}`
  )
  if (r.problems > 0) terminal.note(terminal.color('yellow', problemsText(r.problems)))
}

const shared = {
  render,
  progress: (value: ProgressFields, terminal: Terminal) => terminal.status(progressLine(value, terminal)),
  exitCode: ({ report }: { report: IndexReport }) => (report.problems > 0 ? 3 : 0)
}

export const indexLocation = defineOperation({
  name: 'index.location',
  summary: 'Look at a location, or at a folder in one, and record what changed',
  input: z.strictObject({ location: z.string(), ...flags, scope: flags.scope.default('recursive') }),
  run: ({ peer, signal, emit }, { location, ...rest }) => runIndex(peer, emit, signal, { which: location, ...rest }),
  command: {
    path: 'index location',
    arguments: [['<location>', 'its id or name, or a path in it']],
    options: [
      ['--scope <scope>', 'recursive, or current: this folder alone'],
      ['--mode <mode>', 'shallow, content, deep; the location’s when left out'],
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
      ...(o.mode === undefined ? {} : { mode: String(o.mode) as IndexMode })
    }),
    ...shared
  }
})

export const indexQuickScan = defineOperation({
  name: 'index.quick-scan',
  summary: 'Bring what is recorded of one folder up to date: names, sizes, times',
  input: z.strictObject({ path: z.string().startsWith('/'), scope: flags.scope.default('current') }),
  run: ({ peer, signal, emit }, { path, scope }) =>
    runIndex(peer, emit, signal, { which: path, scope, mode: 'shallow', force: false }),
  command: {
    path: 'index quick-scan',
    arguments: [['[path]', 'a folder in a location; the current one when left out']],
    options: [['--scope <scope>', 'current (this folder alone) or recursive']],
    examples: ['spacedrive index quick-scan ~/Downloads', 'spacedrive index quick-scan . --scope recursive'],
    input: ({ arguments: [path], options: o }, { cwd }) => ({
      path: resolve(cwd, String(path ?? '.')),
      scope: (o.scope === undefined ? 'current' : String(o.scope)) as 'current'
    }),
    ...shared
  }
})
