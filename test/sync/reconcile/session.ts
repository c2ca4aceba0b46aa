import assert from 'node:assert/strict'
import { comparePaths, type RelPath } from '../../../storage/base/index.js'
import {
  type ArchiveEntry,
  applyChanges,
  ENDS,
  type Entry,
  foldResults,
  type Leaf,
  type Operation,
  otherEnd,
  PLAIN_END,
  type PlanRow,
  type ReconcileOptions,
  type Row,
  type Rows,
  reconcile,
  type Settle,
  sameContent,
  sameVersion,
  type Trace
} from '../../../sync/reconcile/index.js'
import type { Disk, Ends } from './model.js'

export type Archive = Map<RelPath, ArchiveEntry>

export const OPTIONS: ReconcileOptions = {
  mode: 'bidirectional',
  policy: 'keep-both',
  archive: true,
  source: PLAIN_END,
  destination: PLAIN_END,
  devices: { source: 'here', destination: 'there' },
  replicas: new Map([
    ['A', 'anna'],
    ['B', 'bert'],
    ['C', 'carl']
  ])
}

/** Rows as an analysis hands them over (docs/reconcile.md): only those that are not alike everywhere, and what is listed with them. */
export function rowsOf(archive: Archive, { source, destination }: Ends): Rows {
  const paths = new Set([...archive.keys(), ...source.items.keys(), ...destination.items.keys()])
  const row = (path: RelPath): Row => ({
    path,
    base: archive.get(path),
    source: source.entry(path),
    destination: destination.entry(path)
  })
  const isSomething = (r: Row): boolean => (r.base ?? r.source ?? r.destination) !== undefined
  const rows = [...paths].sort(comparePaths).map(row).filter(isSomething)
  // Where an end folds names, what folds to the same as a listed one is listed too.
  const { fold } = destination
  const folded = new Set(rows.filter(isDifferent).map(r => fold(r.path)))
  const others = rows.filter(isAnotherDirectory).map(r => `${r.path}/`)
  const list = rows.filter(
    r => isDifferent(r) || folded.has(fold(r.path)) || others.some(other => r.path.startsWith(other))
  )
  return { changed: () => list, find: path => (paths.has(path) ? row(path) : undefined) }
}

function isDifferent({ base, source, destination }: Row): boolean {
  if (base === undefined || base.keptAt !== undefined) return true
  return ENDS.some(end => {
    const entry: Entry | undefined = end === 'source' ? source : destination
    if (entry === undefined || entry.kind === 'gone' || entry.kind === 'unknown') return true
    const then = base[end]
    const other = end === 'source' ? destination : source
    const versions =
      other?.kind === entry.kind &&
      'version' in entry &&
      'version' in other! &&
      !sameVersion(entry.version, other.version)
    return (
      versions ||
      !sameContent(entry, base) ||
      entry.mode !== then.mode ||
      (entry.kind !== 'directory' && entry.mtimeNs !== then.mtimeNs) ||
      entry.identity?.inode !== then.identity?.inode
    )
  })
}

/** A directory stands there that is not the one both ends agreed on: what lies in it is not what lay there, however alike. */
const isAnotherDirectory = ({ base, ...row }: Row): boolean =>
  base?.kind === 'directory' &&
  ENDS.some(end => {
    const [then, now] = [base[end].identity, row[end]?.kind === 'directory' ? row[end].identity : undefined]
    return then !== undefined && now !== undefined && then.inode !== now.inode
  })

export interface Outcome {
  readonly plan: readonly PlanRow[]
  readonly operations: readonly Operation[]
  readonly archive: Archive
}

export const planOf = (archive: Archive, ends: Ends, options: ReconcileOptions = OPTIONS): PlanRow[] => [
  ...reconcile(rowsOf(archive, ends), options)
]

/**
 * Plans and does it, step by step, against ends that refuse whatever cannot be done. `fails` breaks single operations:
 * then all of their group is taken back, and what needs them is not tried.
 */
export function sync(
  archive: Archive,
  ends: Ends,
  options = OPTIONS,
  fails: (op: Operation) => boolean = () => false
): Outcome {
  const plan = planOf(archive, ends, options)
  const operations = plan.flatMap(r => (r.row === 'operation' ? [r.operation] : []))
  assert.deepEqual(
    operations.map(op => op.id),
    [...operations.keys()]
  )
  const achieved = new Map<number, Trace>()
  const blocked: Record<string, Set<string>> = { source: new Set(), destination: new Set() }
  let failed = 0
  for (let i = 0; i < operations.length; ) {
    let to = i + 1
    const { group, end } = operations[i]!
    while (group !== undefined && operations[to]?.group === group) to++
    const batch = operations.slice(i, to)
    i = to
    assert.ok(
      group === undefined || batch.every(op => op.kind !== 'attributes'),
      'a group is of names and content alone'
    )
    const able = batch.every(op => op.needs.every(n => achieved.has(n) || batch.some(b => b.id === n && b.id < op.id)))
    const empty = batch.every(op => op.kind !== 'remove-directory' || !blocked[end]!.has(op.path))
    const other: Disk = ends[otherEnd(end)]
    const isThere = (op: Operation, leaf: Leaf): boolean => {
      const from = op.kind === 'create' || op.kind === 'replace' ? op.from : undefined
      return [from?.path, from?.later].some(p => p !== undefined && other.holds(p, leaf))
    }
    // What was to be moved there and was not, though the directory above it was, is somewhere else: next time.
    const fetched = failed === 0 || batch.every(op => !('content' in op) || isThere(op, op.content))
    if (!able || !empty || !fetched || batch.some(fails)) {
      failed++
      for (const op of batch) {
        assert.equal(op.end, end, 'a group is at one end')
        for (let p: string = op.path; p !== ''; p = p.slice(0, Math.max(0, p.lastIndexOf('/')))) blocked[end]!.add(p)
      }
      continue
    }
    // Everything is staged before the first of a batch is placed.
    for (const op of batch) {
      achieved.set(
        op.id,
        ends[end].execute(op, leaf => isThere(op, leaf))
      )
    }
    if (group !== undefined) assert.equal(ends[end].parked, 0, 'a group leaves nothing aside')
  }
  const settles = plan.flatMap((r): Settle[] => (r.row === 'settle' ? [r.settle] : []))
  const folded = foldResults(settles, id => achieved.get(id))
  return { plan, operations, archive: applyChanges(archive, folded.changes) }
}

/** Operations that somebody sees: not what the index alone learns. */
export const visible = (operations: readonly Operation[]): string[] =>
  operations.filter(op => op.kind !== 'version').map(op => `${op.end}: ${op.kind} ${op.path}`)
export const rowsNamed = <K extends PlanRow['row']>(plan: readonly PlanRow[], row: K): Extract<PlanRow, { row: K }>[] =>
  plan.filter(r => r.row === row) as Extract<PlanRow, { row: K }>[]
