import type { RelPath } from '../../storage/base/index.js'
import { type ArchiveEntry, type End, ends, isDirectory, type Present } from './entry.js'
import { agreeMetadata, attributesToSet, CARRIED_BITS } from './metadata.js'
import type { Node } from './node.js'
import type { Operation } from './operation.js'
import type { Sheet } from './sheet.js'
import { type Case, wantedEntry, wantedPath } from './target.js'

/**
 * Permission bits and times of directories. A time travels only where a name came or went in this plan; bits always. They are set
 * when everything in it is done, bottom-up; bits that let us write in it are set before anything else.
 */
export function* directoryAttributes(
  c: Case,
  end: End,
  sheet: Sheet,
  when: 'before' | 'after',
  setBy: Map<Node, number>,
  needsOf: (node: Node) => readonly number[]
): Generator<Operation> {
  const nodes = new Map<RelPath, Node>()
  for (const node of c.forest.nodes) {
    if (node.want[end] !== undefined && node.isDirectory && node.held === undefined && !node.unlisted) {
      nodes.set(when === 'before' ? (node.at[end]?.path ?? wantedPath(c, node, end)) : wantedPath(c, node, end), node)
    }
  }
  const touched = when === 'before' ? new Set<RelPath>() : sheet.touched(end)
  const paths = [...new Set([...nodes.keys(), ...touched])].sort((a, b) => depth(b) - depth(a) || (a < b ? -1 : 1))
  for (const path of paths) {
    const node = nodes.get(path)
    if (node === undefined && sheet.isLeft(end, path)) continue
    const both = node === undefined ? listed(c, path) : { ...ends(e => node.present(e)), base: node.base?.entry }
    if (both === undefined) continue
    const made = sheet.madeBy(end, path)
    const shown = made === undefined ? both[end] : undefined
    const other = both[end === 'source' ? 'destination' : 'source']
    const model = other ?? (made !== undefined && node !== undefined ? wantedEntry(c, node, end) : undefined)
    if (model === undefined) continue
    const set = wanted(c, end, both, model, shown, touched.has(path))
    const loosens =
      shown !== undefined && set.mode !== undefined && (shown.mode & 0o700) !== 0o700 && (set.mode & 0o700) === 0o700
    if (when === 'before' ? !loosens : loosens && set.mtimeNs === undefined) continue
    const mtimeNs = when === 'before' ? undefined : set.mtimeNs
    const mode = when === 'after' && loosens ? undefined : set.mode
    if (mode === undefined && mtimeNs === undefined) continue
    const reason = mode === undefined ? 'directory-time' : 'metadata'
    const attributes = { ...(mode === undefined ? {} : { mode }), ...(mtimeNs === undefined ? {} : { mtimeNs }) }
    const operation = sheet.add({ kind: 'attributes', end, path, reason, ...attributes }, [
      made,
      ...(when === 'after' && node !== undefined ? needsOf(node) : [])
    ])
    if (node !== undefined && mode !== undefined) setBy.set(node, operation.id)
    yield operation
  }
}

function wanted(
  c: Case,
  end: End,
  { base, source, destination }: Pair,
  model: Present,
  shown: Present | undefined,
  timed: boolean
): { mode?: number; mtimeNs?: bigint } {
  const oneWay = c.options.mode !== 'bidirectional'
  const later =
    source === undefined || destination === undefined
      ? model.mtimeNs
      : oneWay || source.mtimeNs > destination.mtimeNs
        ? source.mtimeNs
        : destination.mtimeNs
  const time = timed ? { mtimeNs: later } : {}
  if (shown === undefined) {
    const mode = model.mode & CARRIED_BITS
    return c.options[end].modes && (mode & 0o700) !== 0o700 ? { mode, ...time } : time
  }
  const agreed =
    source === undefined || destination === undefined ? undefined : agreeMetadata(source, destination, base, c.options)
  const set = agreed && attributesToSet(agreed, shown, end, c.options, false)
  return { ...(set?.mode === undefined ? {} : { mode: set.mode }), ...time }
}

interface Pair {
  readonly base?: ArchiveEntry | undefined
  readonly source?: Present | undefined
  readonly destination?: Present | undefined
}

function listed(c: Case, path: RelPath): Pair | undefined {
  const row = path === '' ? undefined : c.rows.find(path)
  if (row === undefined || !isDirectory(row.source) || !isDirectory(row.destination)) return undefined
  return row as Pair
}

const depth = (path: string): number => (path === '' ? 0 : path.split('/').length)
