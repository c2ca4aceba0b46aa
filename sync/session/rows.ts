/** The rows that reconcile decides on: archive and both snapshots, merged in tree order. Runs in the planner's worker. */
import { isWithin, parentOf, type RelPath, ROOT } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import {
  type ArchiveEntry,
  ENDS,
  type End,
  type Entry,
  isPresent,
  type Row,
  type Rows,
  sameContent,
  sameIdentity,
  unreadContent
} from '../reconcile/index.js'
import { archiveEntryOf, findInArchive, rawArchive, readUnsettled } from './archive.worker.js'
import type { ToldVectors } from './asked.worker.js'
import type { Ignored } from './ignored.js'
import { KeptRows } from './kept-rows.js'
import { keyPath, pathKey } from './path-key.js'
import { type KnownStat, plannedOf } from './planned-columns.js'
import { isPlainlySame, keyOf, type RawRow } from './same-rows.js'
import { endNumber, rawSeen, type SeenRow, seenFinder, seenOf } from './seen.js'

const CARRIED_BITS = 0o777

export interface RowsInit {
  readonly archive: Sql
  readonly snapshot: Sql
  readonly sync: number
  /** Inode and birth time prove a move at this end. */
  readonly proves: Readonly<Record<End, boolean>>
  /** Made for each pass: it is asked in tree order. */
  ignored(): Ignored
  /** Only these can be otherwise than when all was compared last, and what is unsettled. Left out: everything is compared. */
  readonly only?: readonly Uint8Array[] | undefined
  /** Files without a hash are to be read when they are copied, instead of unknown: see `unread-content.ts`. */
  readonly unread?: boolean | undefined
  /** What both ends said of versions; undefined: none are kept. */
  readonly told?: ToldVectors | undefined
  /** They are gone through more than once: as many as may be are kept for that. */
  readonly keeps: boolean
}

/** Paths that are remembered as not alike; more, and the next plan compares everything. */
export const MAX_ODD = 2_000

/** Reconcile goes through the rows several times: so many are kept from the first (`KeptRows.weight`), some 40 MB. */
const MAX_KEPT = 200_000

/** An end has more than are kept: where all of them are to be gone through, none need be. */
export const holdsMany = (snapshot: Sql): boolean =>
  ENDS.some(
    end =>
      snapshot.prepare('SELECT 1 FROM seen WHERE at = ? LIMIT 1 OFFSET ?').get([endNumber(end), MAX_KEPT]) !== undefined
  )

export class SyncRows implements Rows {
  readonly #init: RowsInit
  /** Looked at however alike they are. */
  readonly #listed: ReadonlySet<string>
  readonly #random: Ignored
  readonly #seen: Readonly<Record<End, (path: RelPath) => SeenRow | undefined>>
  #some: readonly Row[] | undefined
  #odd: RelPath[] | undefined
  #kept: KeptRows | undefined
  #keeps: boolean

  constructor(init: RowsInit) {
    const { archive, snapshot, sync, only, told } = init
    this.#init = init
    this.#keeps = init.keeps
    const listed = [...readUnsettled(archive, sync).map(u => u.path), ...(told?.listed ?? []).map(keyPath)]
    this.#listed = new Set<string>(listed)
    this.#random = init.ignored()
    this.#seen = { source: seenFinder(snapshot, 'source'), destination: seenFinder(snapshot, 'destination') }
    if (only !== undefined) this.#some = this.#those(only, listed)
  }

  /** Which paths are not alike before the plan is done; undefined: more than can be remembered. */
  get odd(): readonly RelPath[] | undefined {
    return this.#odd !== undefined && this.#odd.length <= MAX_ODD ? this.#odd : undefined
  }

  *changed(): Generator<Row> {
    if (this.#kept !== undefined) {
      yield* this.#kept
      return
    }
    const odd: RelPath[] = []
    let kept = this.#keeps ? new KeptRows() : undefined
    /** What lies in another directory of the same name is not what lay there, however alike it is. */
    let other: RelPath | undefined
    const isListed = (path: RelPath): boolean =>
      this.#listed.has(path) || (other !== undefined && isWithin(path, other))
    for (const row of this.#some ?? merged(this.#init, isListed)) {
      const different = isDifferent(row)
      if (different && odd.length <= MAX_ODD) odd.push(row.path)
      if (!different && this.#some === undefined && !isListed(row.path)) continue
      if (isAnotherDirectory(row) && (other === undefined || !isWithin(row.path, other))) other = row.path
      if (kept !== undefined && kept.weight >= MAX_KEPT) kept = undefined
      kept?.add(row)
      yield row
    }
    this.#odd = odd
    this.#kept = kept
    // What was too much once is too much the next time.
    this.#keeps = kept !== undefined
  }

  find(path: RelPath): Row | undefined {
    const { archive, sync } = this.#init
    const base = findInArchive(archive, sync, path)
    const seen = { source: this.#seen.source(path), destination: this.#seen.destination(path) }
    const row: { path: RelPath; base?: ArchiveEntry; source?: Entry; destination?: Entry } = {
      path,
      ...(base && { base })
    }
    const said = this.#isIgnored(path, ENDS.some(e => isDirectory(seen[e])) || base?.kind === 'directory')
    for (const end of ENDS) {
      const entry = entryAt(this.#init, { end, path, said }, seen[end])
      if (entry !== undefined) row[end] = entry
    }
    return row.base === undefined && row.source === undefined && row.destination === undefined ? undefined : row
  }

  *unlisted(wanted: (path: RelPath) => boolean): Generator<Row> {
    for (const row of merged(this.#init, wanted))
      if (wanted(row.path) && !isDifferent(row) && !this.#listed.has(row.path)) yield row
  }

  #isIgnored(path: RelPath, directory: boolean): Said {
    if (this.#random.none) return 'no'
    const parent = parentOf(path)
    if (parent !== ROOT && this.#random.ignores(parent, true)) return 'inside'
    return this.#random.ignores(path, directory) ? 'ignored' : 'no'
  }

  #those(only: readonly Uint8Array[], listed: readonly RelPath[]): Row[] {
    const keys = new Map(only.map(key => [Buffer.from(key).toString('latin1'), key]))
    for (const path of listed) {
      const key = pathKey(path)
      keys.set(Buffer.from(key).toString('latin1'), key)
    }
    return [...keys]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, key]) => this.find(keyPath(key)))
      .filter(row => row !== undefined)
  }
}

/** All three trees side by side; what is plainly the same in all of them is passed over. */
function* merged(init: RowsInit, isListed: (path: RelPath) => boolean): Generator<Row> {
  const { archive, snapshot, sync, proves, ignored: make } = init
  const ignored = make()
  const bases = rawArchive(archive, sync)
  const seen = { source: rawSeen(snapshot, 'source'), destination: rawSeen(snapshot, 'destination') }
  let base = next(bases)
  const heads = { source: next(seen.source), destination: next(seen.destination) }
  for (;;) {
    let key = base && keyOf(base)
    for (const end of ENDS) {
      const head = heads[end]
      if (head !== undefined && (key === undefined || Buffer.compare(keyOf(head), key) < 0)) key = keyOf(head)
    }
    if (key === undefined) return
    const isHere = (raw: RawRow | undefined): raw is RawRow =>
      raw !== undefined && Buffer.compare(keyOf(raw), key) === 0
    const [then, source, destination] = [base, heads.source, heads.destination].map(r => (isHere(r) ? r : undefined))
    if (then !== undefined) base = next(bases)
    if (source !== undefined) heads.source = next(seen.source)
    if (destination !== undefined) heads.destination = next(seen.destination)
    const path = keyPath(key)
    if (ignored.none && isPlainlySame(then, source, destination, proves) && !isListed(path)) continue
    const row: { path: RelPath; base?: ArchiveEntry; source?: Entry; destination?: Entry } = { path }
    if (then !== undefined) row.base = archiveEntryOf(then)
    const found = { source: source && seenOf(source, path), destination: destination && seenOf(destination, path) }
    const said = ignored.none
      ? 'no'
      : ignored.next(path, ENDS.some(e => isDirectory(found[e])) || row.base?.kind === 'directory')
    // Inside: unknown with its directory; only what both agreed on is still told, to be forgotten.
    for (const end of ENDS) {
      const entry = entryAt(init, { end, path, said }, found[end])
      if (entry !== undefined) row[end] = entry
    }
    if (said !== 'inside' || row.base !== undefined) yield row
  }
}

/** What the rules say of a path: `inside` is unknown with its directory. */
type Said = 'no' | 'ignored' | 'inside'

/** What is at a path of an end, or the deletion that is remembered there. */
function entryAt(
  { proves, told, unread = false }: RowsInit,
  { end, path, said }: { readonly end: End; readonly path: RelPath; readonly said: Said },
  seen: SeenRow | undefined
): Entry | undefined {
  if (said === 'inside') return undefined
  const entry = seen && entryOf(seen, { proves: proves[end], ignored: said === 'ignored', unread })
  if (told === undefined || said !== 'no' || entry?.kind === 'unknown') return entry
  const version = told.of(end, path)
  if (version === undefined) return entry
  return entry === undefined ? { kind: 'gone', version } : { ...entry, version }
}

const next = (rows: Iterator<RawRow>): RawRow | undefined => {
  const step = rows.next()
  return step.done === true ? undefined : step.value
}

/** A directory stands there that is not the one both ends agreed on. */
function isAnotherDirectory({ base, ...row }: Row): boolean {
  if (base?.kind !== 'directory') return false
  return ENDS.some(end => {
    const entry = row[end]
    const [then, now] = [base[end].identity, isPresent(entry) ? entry.identity : undefined]
    return then !== undefined && now !== undefined && !sameIdentity(then, now)
  })
}

const isDirectory = (seen: SeenRow | undefined): boolean => seen?.kind === 'directory' || seen?.directory === true

function entryOf(
  seen: SeenRow,
  { proves, ignored, unread }: { readonly proves: boolean; readonly ignored: boolean; readonly unread: boolean }
): Entry {
  const { path, kind, sizeBytes, mtimeNs, ctimeNs, birthNs, inode } = seen
  if (ignored) return { kind: 'unknown', reason: 'ignored', directory: isDirectory(seen) }
  if (kind === 'unknown') return { kind, reason: seen.reason ?? 'special', directory: seen.directory }
  const hash = seen.hash ?? (unread ? unreadContent(inode, ctimeNs) : undefined)
  if (kind === 'file' && hash === undefined) return { kind: 'unknown', reason: 'unreadable' }
  const stat: KnownStat = { kind, sizeBytes, mtimeNs, ctimeNs, birthNs, inode }
  const mode = seen.mode & 0o7777
  const entry = plannedOf(stat, { mode, at: path, hash, target: seen.target ?? '' })
  if (proves && birthNs !== 0n) entry.identity = { inode, birthNs }
  return entry
}

/** Not the same in all three trees. */
export function isDifferent({ base, source, destination }: Row): boolean {
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
