/** The rows that reconcile decides on: archive and both snapshots, merged in tree order. Runs in the planner's worker. */
import type { RelPath } from '../../storage/base/index.js'
import type { Expected } from '../../storage/files/index.js'
import type { Sql } from '../../storage/sql/index.js'
import {
  type ArchiveEntry,
  ENDS,
  type End,
  type Entry,
  isPresent,
  type Present,
  type Row,
  type Rows,
  sameContent,
  sameIdentity
} from '../reconcile/index.js'
import { findInArchive, readArchive, readUnsettled } from './archive.worker.js'
import type { Ignored } from './ignored.js'
import { findSeen, readSeen, type SeenRow } from './snapshot.worker.js'

const CARRIED_BITS = 0o777

/** What a plan carries of a thing besides what it compares: handed back as `expected`. */
export type Planned = Present & { readonly at: RelPath; readonly stat: Expected }

export interface RowsInit {
  readonly archive: Sql
  readonly snapshot: Sql
  readonly sync: number
  /** Inode and birth time prove a move at this end. */
  readonly proves: Readonly<Record<End, boolean>>
  /** Made for each pass: it is asked in tree order. */
  ignored(): Ignored
}

export function rowsOf(init: RowsInit): Rows {
  const { archive, snapshot, sync } = init
  const unsettled = new Set(readUnsettled(archive, sync).map(u => u.path as string))
  const random = init.ignored()
  return {
    *changed() {
      for (const row of merged(init)) if (unsettled.has(row.path) || isDifferent(row)) yield row
    },
    find(path) {
      const base = findInArchive(archive, sync, path)
      const ignored = !random.none && random.ignores(path)
      const at = (end: End): Entry | undefined => {
        const seen = findSeen(snapshot, end, path)
        return seen && entryOf(seen, init.proves[end], ignored)
      }
      const [source, destination] = [at('source'), at('destination')]
      if (base === undefined && source === undefined && destination === undefined) return undefined
      return { path, ...(base && { base }), ...(source && { source }), ...(destination && { destination }) }
    }
  }
}

function* merged({ archive, snapshot, sync, proves, ignored: make }: RowsInit): Generator<Row> {
  const ignored = make()
  const bases = readArchive(archive, sync)
  const seen = { source: readSeen(snapshot, 'source'), destination: readSeen(snapshot, 'destination') }
  let base = bases.next()
  const heads = { source: seen.source.next(), destination: seen.destination.next() }
  for (;;) {
    let key = base.done === true ? undefined : base.value.key
    for (const end of ENDS) {
      const head = heads[end]
      if (head.done !== true && (key === undefined || Buffer.compare(head.value.key, key) < 0)) key = head.value.key
    }
    if (key === undefined) return
    const row: { path: RelPath; base?: ArchiveEntry; source?: Entry; destination?: Entry } = { path: '' as RelPath }
    if (base.done !== true && Buffer.compare(base.value.key, key) === 0) {
      row.path = base.value.path
      row.base = base.value.entry
      base = bases.next()
    }
    const found: Partial<Record<End, SeenRow>> = {}
    for (const end of ENDS) {
      const head = heads[end]
      if (head.done === true || Buffer.compare(head.value.key, key) !== 0) continue
      row.path = head.value.path
      found[end] = head.value
      heads[end] = seen[end].next()
    }
    if (!ignored.none) {
      const directory = isDirectory(found.source) || isDirectory(found.destination) || row.base?.kind === 'directory'
      const said = ignored.next(row.path, directory)
      if (said === 'inside') {
        // Unknown with its directory: only what both agreed on is still told, to be forgotten.
        if (row.base !== undefined) yield row
        continue
      }
      if (said === 'ignored') {
        for (const end of ENDS) if (found[end] !== undefined) row[end] = entryOf(found[end], proves[end], true)
        yield row
        continue
      }
    }
    for (const end of ENDS) if (found[end] !== undefined) row[end] = entryOf(found[end], proves[end], false)
    yield row
  }
}

const isDirectory = (seen: SeenRow | undefined): boolean => seen?.kind === 'directory' || seen?.directory === true

function entryOf(seen: SeenRow, proves: boolean, ignored: boolean): Entry {
  const { path, kind, sizeBytes, mtimeNs, ctimeNs, birthNs, inode } = seen
  if (ignored) return { kind: 'unknown', reason: 'ignored', directory: isDirectory(seen) }
  if (kind === 'unknown') return { kind, reason: seen.reason ?? 'special', directory: seen.directory }
  if (kind === 'file' && seen.hash === undefined) return { kind: 'unknown', reason: 'unreadable' }
  const shared = {
    ...{ mtimeNs, mode: seen.mode & 0o7777, at: path },
    ...(proves && birthNs !== 0n ? { identity: { inode, birthNs } } : {}),
    stat: { kind, sizeBytes, mtimeNs, ctimeNs, birthNs, inode } satisfies Expected
  }
  if (kind === 'file') return { kind, hash: seen.hash!, sizeBytes, ...shared } as Planned
  if (kind === 'symlink') return { kind, target: seen.target ?? '', ...shared } as Planned
  return { kind, ...shared } as Planned
}

/** Not the same in all three trees. */
function isDifferent({ base, source, destination }: Row): boolean {
  if (base === undefined || base.keptAt !== undefined || !isPresent(source) || !isPresent(destination)) return true
  for (const end of ENDS) {
    const entry = end === 'source' ? source : destination
    const then = base[end]
    if (!sameContent(entry, base) || (entry.mode & CARRIED_BITS) !== (then.mode & CARRIED_BITS)) return true
    if (entry.kind !== 'directory' && entry.mtimeNs !== then.mtimeNs) return true
    if ((entry.identity !== undefined || then.identity !== undefined) && !sameIdentity(entry.identity, then.identity))
      return true
  }
  return false
}
