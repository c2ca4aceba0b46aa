/** The archive of a sync in the instance database: read in tree order by workers, changed in the writer thread. */
import {
  type ContentHash,
  defineTasks,
  errorCode,
  pathBytes,
  type RelPath,
  SpacedriveError,
  textFromBytes
} from '../../storage/base/index.js'
import { hashFromBytes, hashToBytes } from '../../storage/content/index.js'
import { RowStatement, type Sql, type SqlValue } from '../../storage/sql/index.js'
import type { ArchiveChange, ArchiveEntry, End, Identity, Trace } from '../reconcile/index.js'
import { keyPath, keysBelow, pathKey } from './path-key.js'

/** What a run ends with. */
export interface RunAgreed {
  readonly sync: number
  /** The number of its last batch; `begin` was called with it. */
  readonly batch: number
  /** It agreed on something: from here on the archive counts. One that did not (an empty source) leaves the next run a first one. */
  readonly agreed: boolean
  /** All of what is left to the next run: whatever else was unsettled was looked at. */
  readonly unsettled: readonly { readonly path: RelPath; readonly why: string }[]
  /** The guards count from here on, for it was a first agreement or a person's word. */
  readonly windowFrom: number | null
}

/** What a run has taken away and replaced at the ends: for the window of the guards. */
export interface RunCounts {
  readonly removed: Readonly<Record<End, number>>
  readonly replaced: Readonly<Record<End, number>>
}

export interface BatchBegun extends RunCounts {
  readonly sync: number
  readonly batch: number
  /** The batch before it in this run: its number is known to stand at the ends. */
  readonly marked: number | undefined
  readonly run: string
  readonly beganAt: number
}

export const archiving = defineTasks(import.meta.url, {
  /** A batch is about to change the ends: those before it are done. With the first one of a run its row is made. */
  begin(sql: Sql, { sync, batch, marked = 0, run, beganAt, removed, replaced }: BatchBegun): void {
    sql.prepare('UPDATE syncs SET batch = max(batch, ?), begun = ? WHERE id = ?').run([marked, batch, sync])
    sql
      .prepare(
        `INSERT INTO sync_runs (id, sync, began_at, source_removed, source_replaced, destination_removed,
           destination_replaced) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET source_removed = excluded.source_removed,
           source_replaced = excluded.source_replaced, destination_removed = excluded.destination_removed,
           destination_replaced = excluded.destination_replaced`
      )
      .run([...[run, sync, beganAt, removed.source, replaced.source], ...[removed.destination, replaced.destination]])
  },

  /** Which root an end is, learned with the first batch that was done there. */
  rooted(sql: Sql, { sync, end, root }: { sync: number; end: End; root: string }): void {
    sql
      .prepare(`UPDATE syncs SET ${end === 'source' ? 'source_root' : 'destination_root'} = ? WHERE id = ?`)
      .run([root, sync])
  },

  /** The rows of the archive are all written: from here on they are what both ends agree on. */
  agree(sql: Sql, { sync, batch, agreed, unsettled, windowFrom }: RunAgreed): void {
    sql
      .prepare('UPDATE syncs SET batch = max(batch, ?), archive = max(archive, ?) WHERE id = ?')
      .run([batch, agreed ? 1 : 0, sync])
    sql.prepare('DELETE FROM sync_unsettled WHERE sync = ?').run([sync])
    const remember = sql.prepare('INSERT OR REPLACE INTO sync_unsettled VALUES (?, ?, ?)')
    for (const { path, why } of unsettled) remember.run([sync, pathKey(path), why])
    if (windowFrom !== null) sql.prepare('UPDATE syncs SET window_from = ? WHERE id = ?').run([windowFrom, sync])
  },

  /** Some of the rows of an archive that does not count. */
  clear(sql: Sql, { sync }: { sync: number }): void {
    const some = `SELECT path FROM sync_archive WHERE sync = ? ORDER BY path LIMIT ${ROWS_CLEARED}`
    sql.prepare(`DELETE FROM sync_archive WHERE sync = ? AND path IN (${some})`).run([sync, sync])
  },

  /** The archive is not to be trusted, and counts no more: its rows are to be cleared. `batch`: where counting goes on. */
  discount(sql: Sql, { sync, batch }: { sync: number; batch?: number | undefined }): void {
    sql.prepare('DELETE FROM sync_unsettled WHERE sync = ?').run([sync])
    sql.prepare('UPDATE syncs SET archive = 0 WHERE id = ?').run([sync])
    if (batch !== undefined) sql.prepare('UPDATE syncs SET batch = ?, begun = ? WHERE id = ?').run([batch, batch, sync])
  }
})

/** Removed by one write: others wait for it some milliseconds. */
const ROWS_CLEARED = 10_000

/** What was achieved. Doing it twice changes nothing. @param changes - forgotten, moved, put: see `ArchiveChange` */
export function changeArchive(sql: Sql, sync: number, changes: readonly ArchiveChange[]): void {
  forget(sql, sync, changes)
  move(sql, sync, changes)
  put(sql, sync, changes)
}

/** Read by pages: several readers may be under way on one connection. */
const PAGE = 1_000

/** All of it, in tree order. */
export function* readArchive(
  sql: Sql,
  sync: number
): Generator<{ key: Uint8Array; path: RelPath; entry: ArchiveEntry }> {
  for (const raw of rawArchive(sql, sync)) {
    const key = raw[0] as Uint8Array
    yield { key, path: keyPath(key), entry: archiveEntryOf(raw) }
  }
}

/** The same as SQLite gives it, the key first. */
export function* rawArchive(sql: Sql, sync: number): Generator<readonly SqlValue[]> {
  const page = sql.prepare<never>(
    `SELECT ${COLUMNS} FROM sync_archive WHERE sync = ? AND path > ? ORDER BY path LIMIT ${PAGE}`,
    { raw: true, bigint: true }
  )
  for (let after = new Uint8Array(0); ; ) {
    const rows = whole(() => page.all([sync, after]) as SqlValue[][])
    yield* rows
    if (rows.length < PAGE) return
    after = rows.at(-1)![0] as Uint8Array<ArrayBuffer>
  }
}

export function findInArchive(sql: Sql, sync: number, path: RelPath): ArchiveEntry | undefined {
  const find = sql.prepare<never>(`SELECT ${COLUMNS} FROM sync_archive WHERE sync = ? AND path = ?`, {
    ...{ raw: true, bigint: true }
  })
  const raw = whole(() => find.get([sync, pathKey(path)]) as SqlValue[] | undefined)
  return raw && archiveEntryOf(raw)
}

/** In tree order. */
export function readUnsettled(sql: Sql, sync: number): { path: RelPath; why: string }[] {
  return sql
    .prepare<{ path: Uint8Array; why: string }>('SELECT path, why FROM sync_unsettled WHERE sync = ? ORDER BY path')
    .all([sync])
    .map(({ path, why }) => ({ path: keyPath(path), why }))
}

const COLUMNS =
  'path, kind, hash, size, target, s_mtime, s_mode, s_inode, s_birth, d_mtime, d_mode, d_inode, d_birth, kept_at'
const KINDS = ['file', 'directory', 'symlink'] as const
const ENDS: readonly End[] = ['source', 'destination']

/** The entries alone: what lies below has changes of its own. */
function forget(sql: Sql, sync: number, changes: readonly ArchiveChange[]): void {
  const gone = sql.prepare('DELETE FROM sync_archive WHERE sync = ? AND path = ?')
  for (const c of changes) if (c.change === 'forget') gone.run([sync, pathKey(c.path)])
}

/** All at once, each with everything below it that did not move by itself: what lies deepest leaves first. */
function move(sql: Sql, sync: number, changes: readonly ArchiveChange[]): void {
  const moves = changes.filter(c => c.change === 'move').sort((a, b) => b.path.length - a.path.length)
  if (moves.length === 0) return
  sql.exec('CREATE TEMP TABLE IF NOT EXISTS sync_moved AS SELECT * FROM sync_archive WHERE 0')
  const rest = COLUMNS.slice('path, '.length)
  const leave = sql.prepare(
    `INSERT INTO sync_moved SELECT sync, CAST(? || substr(path, ?) AS BLOB), ${rest} FROM sync_archive
     WHERE sync = ? AND path >= ? AND path < ?`
  )
  const remove = sql.prepare('DELETE FROM sync_archive WHERE sync = ? AND path >= ? AND path < ?')
  for (const { path, to } of moves) {
    const key = pathKey(path)
    // With itself: nothing lies between a key and the first one below it.
    const range = [key, keysBelow(key)[1]]
    leave.run([pathKey(to), key.length + 1, sync, ...range])
    remove.run([sync, ...range])
  }
  sql.exec('INSERT OR REPLACE INTO sync_archive SELECT * FROM sync_moved; DELETE FROM sync_moved')
}

const PUT = new RowStatement(15, rows => `INSERT OR REPLACE INTO sync_archive (sync, ${COLUMNS}) VALUES ${rows}`)

function put(sql: Sql, sync: number, changes: readonly ArchiveChange[]): void {
  const values: SqlValue[] = []
  for (const c of changes) {
    if (c.change !== 'put') continue
    const { entry } = c
    values.push(sync, pathKey(c.path), KINDS.indexOf(entry.kind))
    if (entry.kind === 'file') values.push(hashToBytes(entry.hash), entry.sizeBytes)
    else values.push(null, null)
    values.push(entry.kind === 'symlink' ? pathBytes(entry.target) : null)
    pushTrace(values, entry.source)
    pushTrace(values, entry.destination)
    values.push(entry.keptAt === undefined ? null : ENDS.indexOf(entry.keptAt))
  }
  PUT.run(sql, values)
}

function pushTrace(values: SqlValue[], { mtimeNs, mode, identity }: Trace): void {
  const inode = identity === undefined ? null : BigInt.asIntN(64, identity.inode)
  values.push(mtimeNs, mode, inode, identity?.birthNs ?? null)
}

/** A damaged archive is as good as none (SYNC.md 2): whoever reads it is told by the code, and does without. */
const archiveDamaged = (cause: unknown): SpacedriveError =>
  new SpacedriveError('ARCHIVE_DAMAGED', 'the archive of a sync is damaged', { cause })

function whole<T>(read: () => T): T {
  try {
    return read()
  } catch (err) {
    throw /^(SQLITE|DATABASE)_CORRUPT/.test(errorCode(err)) ? archiveDamaged(err) : err
  }
}

export function archiveEntryOf(raw: readonly SqlValue[]): ArchiveEntry {
  try {
    return entryIn(raw)
  } catch (err) {
    throw archiveDamaged(err)
  }
}

function entryIn(raw: readonly SqlValue[]): ArchiveEntry {
  const shared = {
    source: traceOf(raw, 5),
    destination: traceOf(raw, 9),
    ...(raw[13] === null ? {} : { keptAt: ENDS[Number(raw[13])]! })
  }
  const kind = KINDS[Number(raw[1])]
  if (kind === undefined) throw new RangeError(`kind ${raw[1]}`)
  if (kind === 'file') {
    const hash: ContentHash = hashFromBytes(raw[2] as Uint8Array)
    return { kind, hash, sizeBytes: Number(raw[3]), ...shared }
  }
  if (kind === 'symlink') return { kind, target: textFromBytes(raw[4] as Uint8Array), ...shared }
  return { kind, ...shared }
}

function traceOf(raw: readonly SqlValue[], at: number): Trace {
  const inode = raw[at + 2] as bigint | null
  const identity: Identity | undefined =
    inode === null ? undefined : { inode: BigInt.asUintN(64, inode), birthNs: raw[at + 3] as bigint }
  const [mtimeNs, mode] = [raw[at] as bigint, Number(raw[at + 1])]
  return identity === undefined ? { mtimeNs, mode } : { mtimeNs, mode, identity }
}
