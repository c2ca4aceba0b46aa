import { displayPath, isPlainUtf8, pathBytes } from '../../storage/base/index.js'
import type { LocationInfo } from '../../storage/locations/index.js'
import { formatBytes, formatDuration } from './format.js'
import type { Terminal } from './operation.js'
import { problems } from './progress.js'

/** A location as the API shows it: the path in display form, and as it is where that is not plain. */
export function locationFacts(location: LocationInfo) {
  const { path } = location
  return {
    ...location,
    path: displayPath(path),
    ...(isPlainUtf8(path) ? {} : { pathBytes: pathBytes(path).toString('base64') })
  }
}

export type LocationFacts = ReturnType<typeof locationFacts>

const COLORS = { fresh: 'green', partial: 'yellow', stale: 'yellow', unknown: 'yellow' } as const

/** What it does and how well its index holds, in two words at most. */
export function locationState({ activity, freshness }: LocationFacts, terminal: Terminal): string {
  if (activity === 'offline' || activity === 'error') return terminal.color('red', activity)
  if (activity !== 'idle') return terminal.color('cyan', activity)
  return terminal.color(COLORS[freshness], freshness)
}

export function locationRow(
  location: LocationFacts,
  nowMs: number,
  terminal: Terminal
): Record<string, string | number> {
  const { name, path, mode, files, bytes, lastScanAt } = location
  return {
    ID: location.id.slice(-8),
    NAME: name,
    PATH: path,
    STATE: locationState(location, terminal),
    FILES: files.toLocaleString('en-US'),
    SIZE: formatBytes(bytes),
    MODE: mode,
    SEEN: lastScanAt === null ? 'never' : `${formatDuration(nowMs - lastScanAt)} ago`,
    '': location.problems > 0 ? terminal.color('yellow', problems(location.problems)) : ''
  }
}

/** What it suffers from, with the cure, under the list. */
export function noteProblem({ name, problem }: LocationFacts, terminal: Terminal): void {
  if (problem === null) return
  terminal.line(`${name}: ${problem.message}`)
  if (problem.hint !== undefined) terminal.line(`  ${problem.hint}`)
}
