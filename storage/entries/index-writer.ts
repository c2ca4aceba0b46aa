import { SpacedriveError, textFromBytes } from '../base/index.js'
import type { Sql, Statement } from '../sql/index.js'
import { buryRow, type DeletedRow } from './deleted.js'
import { EntryRows } from './entry-rows.js'
import { FLAG, KIND, SEEN_FLAGS } from './flags.js'
import { MAX_DEPTH, pathOf } from './lookup.js'
import { adoptByPath, orphan, waitingNames } from './metadata-follow.js'
import { dropName, namesUpto, putName } from './names.js'
import { type EntryRow, type Seen, sameStat, takeStat } from './row.js'
import { type IndexState, indexState, saveState } from './state.js'
import { Sums } from './sums.js'
import { Told } from './told.js'
import { nextVersion, replicaRoots } from './versions.js'

export interface IndexWriterInit {
  /** The greatest seq this write may use (Library.reserveSeq). */
  seqLimit: number
  nowMs: number
  /** The row of `hosts` that stands for this device. */
  host: number
  /** Only some names were looked at: other names of files that changed are told in `links`, for nothing else tells of them. */
  links?: boolean
}

export interface IndexCounts {
  created: number
  modified: number
  moved: number
  deleted: number
  unchanged: number
  rowsRead: number
  rowsWritten: number
}

const WITH_FILE_STATE = FLAG.STALE | FLAG.RACY | FLAG.UNREADABLE

/**
 * The one way rows of `entries` come, change and go, within one write task: hands out ids and seqs, keeps what directories
 * hold in all, forgets digests that no longer hold, and tells the changes. `finish` ends it, once.
 */
export class IndexWriter {
  readonly sql: Sql
  readonly host: number
  readonly nowMs: number
  readonly state: IndexState
  readonly counts: IndexCounts = {
    created: 0,
    modified: 0,
    moved: 0,
    deleted: 0,
    unchanged: 0,
    rowsRead: 0,
    rowsWritten: 0
  }
  readonly told: Told
  readonly sums: Sums
  readonly #rows: EntryRows
  readonly #seqLimit: number
  readonly #firstSeq: number
  readonly #touched = new Set<number>()
  readonly #replicas: ReadonlyMap<number, number>
  readonly #waiting: ReadonlySet<string>
  readonly #insertDirectory: Statement

  constructor(sql: Sql, { seqLimit, nowMs, host, links = false }: IndexWriterInit) {
    this.sql = sql
    this.host = host
    this.nowMs = nowMs
    this.state = indexState(sql)
    this.told = new Told(sql, host, links)
    this.sums = new Sums(sql)
    this.#rows = new EntryRows(sql)
    this.#seqLimit = seqLimit
    this.#firstSeq = this.state.nextSeq
    this.#replicas = replicaRoots(sql, host)
    this.#waiting = waitingNames(sql)
    this.#insertDirectory = sql.prepare('INSERT INTO directories VALUES (?, ?, 0, 0, 0, 0, NULL, NULL, 0, 0, 0)')
  }

  nextSeq(): number {
    const seq = this.state.nextSeq++
    if (seq > this.#seqLimit)
      throw new SpacedriveError('SEQ_EXHAUSTED', 'one write made more changes than were reserved')
    return seq
  }

  /** @param back - the entry that comes back with it: its id, content and version go on */
  insert(parent: number, seen: Seen, back?: DeletedRow): number {
    const id = back?.id ?? this.state.nextId++
    if (back !== undefined) this.sql.prepare('DELETE FROM deleted WHERE id = ?').run([id])
    const flags = (seen.flags & SEEN_FLAGS) | (seen.kind === KIND.FILE ? FLAG.STALE : 0)
    const version = this.raised(back?.version ?? null, parent)
    const seq = this.nextSeq()
    this.#rows.insert(seen, { id, parent, flags, content: back?.content ?? null, seq, version })
    this.counts.rowsWritten++
    this.counts.created++
    if (seen.kind === KIND.FILE) {
      this.told.staleFile(id)
      this.told.otherNames(seen.inode, id)
    }
    if (seen.kind === KIND.DIRECTORY) {
      this.#insertDirectory.run([id, parent])
      this.sums.made(id, parent)
    }
    this.sums.add(parent, seen.kind, seen.size, 1)
    this.touch(parent)
    if (back !== undefined && id <= namesUpto(this.sql)) putName(this.sql, id, seen.name)
    if (this.#waiting.size > 0 && this.#waiting.has(textFromBytes(seen.name))) this.#adopt(id)
    this.told.change('created', id)
    return id
  }

  /** Makes a row (the one handed in, too) say what was seen at its place. @returns whether anything was different */
  update(row: EntryRow, seen: Seen): boolean {
    const statless = (seen.flags & FLAG.STATLESS) !== 0
    let flags = (row.flags & ~SEEN_FLAGS) | (seen.flags & SEEN_FLAGS)
    const moved = !statless && !sameStat(row, seen)
    if (moved && row.kind === KIND.FILE) {
      this.told.staleFile(row.id)
      this.told.otherNames(seen.inode, row.id)
      if (row.inode !== seen.inode) this.told.otherNames(row.inode, row.id)
    }
    if (moved && row.kind === KIND.FILE) flags = (flags & ~WITH_FILE_STATE) | FLAG.STALE
    if (!moved && flags === row.flags && (statless || row.mode === seen.mode)) {
      this.counts.unchanged++
      return false
    }
    const nowExcluded = (flags & ~row.flags & FLAG.EXCLUDED) !== 0
    // The index keeps no targets: a link that is otherwise by now is taken for an edited one.
    if (moved && row.kind === KIND.SYMLINK) row.version = this.raised(row.version, row.parent)
    const onlyTimes = row.kind === KIND.DIRECTORY && flags === row.flags && row.mode === seen.mode
    const sameInode = statless || row.inode === seen.inode
    if (!statless) {
      if (row.kind === KIND.FILE) this.sums.addBytes(row.parent, seen.size - row.size)
      takeStat(row, seen)
    }
    row.flags = flags
    if (sameInode) this.rewriteStat(row)
    else this.rewrite(row)
    this.counts.modified++
    this.touch(row.parent)
    if (!onlyTimes) this.told.change('modified', row.id)
    if (nowExcluded && row.kind === KIND.DIRECTORY && (flags & FLAG.NOT_ENTERED) !== 0) this.#excludeBelow(row.id)
    return true
  }

  /** Writes a row back whole under a new seq, which it bears from then on. */
  rewrite(row: EntryRow): void {
    row.seq = this.nextSeq()
    this.#rows.rewrite(row)
    this.counts.rowsWritten++
  }

  /** Likewise, where parent, name, kind, inode and content are what they were. */
  rewriteStat(row: EntryRow): void {
    row.seq = this.nextSeq()
    this.#rows.rewriteStat(row)
    this.counts.rowsWritten++
  }

  /** Likewise, where only type, flags, content and version may be others. */
  rewriteContent(row: EntryRow): void {
    row.seq = this.nextSeq()
    this.#rows.rewriteContent(row)
    this.counts.rowsWritten++
  }

  /**
   * Takes out one row that has nothing below it.
   * @param place - where it stood, if that is no longer in the row
   * @param tombstone - false when the index merely stops covering it
   */
  remove(
    row: EntryRow,
    place: { parent: number; name: Uint8Array },
    path: Uint8Array | undefined,
    tombstone: boolean
  ): void {
    orphan(this.sql, row, path)
    const version = this.raised(row.version, place.parent)
    const seq = this.nextSeq()
    if (tombstone) {
      buryRow(this.sql, row, place, seq, version, this.nowMs)
    } else dropName(this.sql, row.id)
    this.sql.prepare('DELETE FROM entries WHERE id = ?').run([row.id])
    this.sql.prepare('DELETE FROM problems WHERE entry = ?').run([row.id])
    if (row.kind === KIND.DIRECTORY) {
      this.parentOf(row.id) // remembered: what goes from below it still has to go from above it
      this.sql.prepare('DELETE FROM directories WHERE id = ?').run([row.id])
    }
    this.sums.add(row.parent, row.kind, row.size, -1)
    this.touch(row.parent)
    if (row.kind === KIND.FILE) this.told.otherNames(row.inode, row.id)
    this.counts.deleted++
    this.counts.rowsWritten++
    if (tombstone) this.told.deletion(row.id, path)
  }

  /** The digest of a directory's last listing no longer tells what its rows say. */
  touch(directory: number): void {
    if (directory > 0) this.#touched.add(directory)
  }

  /** The rows of a directory are again what a listing said. */
  untouch(directory: number): void {
    this.#touched.delete(directory)
  }

  /** What an entry itself and, for a directory, all below it counts for, added to or taken from its parent. */
  addWhole(row: EntryRow, parent: number, sign: 1 | -1): void {
    this.sums.addWhole(row, parent, sign)
  }

  parentOf(directory: number): number {
    return this.sums.parentOf(directory)
  }

  /** A directory hangs elsewhere now. */
  reparented(directory: number, parent: number): void {
    this.sums.reparented(directory, parent)
  }

  /** The version of something in a directory after the change that gets the next seq; outside synced folders as it was. */
  raised(version: string | null, directory: number): string | null {
    const replica = this.#replicaOf(directory)
    return replica === undefined ? version : nextVersion(version, replica, this.state.nextSeq)
  }

  /** The innermost synced folder. */
  #replicaOf(directory: number): number | undefined {
    if (this.#replicas.size === 0) return undefined
    for (let at = directory, depth = 0; at > 0 && depth < MAX_DEPTH; at = this.parentOf(at), depth++) {
      const replica = this.#replicas.get(at)
      if (replica !== undefined) return replica
    }
    return undefined
  }

  /** Brings sums, digests and numbers up to date; where nothing changed nothing is written. The writer is not used after it. */
  finish(): { seq: number } {
    this.sums.finish()
    const forget = this.sql.prepare('UPDATE directories SET digest = NULL WHERE id = ? AND digest IS NOT NULL')
    for (const id of this.#touched) forget.run([id])
    if (this.state.nextSeq !== this.#firstSeq) saveState(this.sql, this.state)
    return { seq: this.state.nextSeq - 1 }
  }

  #adopt(id: number): void {
    const path = pathOf(this.sql, id)
    if (path !== undefined) adoptByPath(this.sql, this.host, id, path)
  }

  /** A directory that is no longer entered takes what was recorded below it out of search and hashing. */
  #excludeBelow(directory: number): void {
    const ids = this.sql.prepare<{ id: number; kind: number }>(
      `SELECT id, kind FROM entries WHERE parent = ? AND flags & ${FLAG.EXCLUDED} = 0`
    )
    const exclude = this.sql.prepare(`UPDATE entries SET flags = flags | ${FLAG.EXCLUDED}, seq = ? WHERE id = ?`)
    const open = [directory]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const { id, kind } of ids.all([at])) {
        exclude.run([this.nextSeq(), id])
        if (kind === KIND.DIRECTORY) open.push(id)
      }
      this.touch(at)
    }
  }
}
