import { joinRel, type RelPath, textFromBytes } from '../base/index.js'
import {
  childRows,
  type EntryRow,
  FLAG,
  type IndexWriter,
  KIND,
  nameKey,
  type Placement,
  rowById,
  rowByName,
  type Seen
} from '../entries/index.js'
import { type Batch, type Head, nameAt, seenAt } from './batch.js'
import type { RunState } from './run-state.js'

/** Records what a slice saw, directory by directory, in the order in which it was seen. */
export class Apply {
  same = 0
  /** Relative paths that another look is due at: the directory that was looked at was another than the one recorded there. */
  readonly again: RelPath[] = []
  readonly #writer: IndexWriter
  readonly #placement: Placement
  readonly #run: RunState
  readonly #batch: Batch
  readonly #refAt: Map<number, number>
  /** Directories that this write made: nothing can be recorded below them yet. */
  readonly #fresh = new Set<number>()

  constructor(writer: IndexWriter, placement: Placement, run: RunState, batch: Batch) {
    this.#writer = writer
    this.#placement = placement
    this.#run = run
    this.#batch = batch
    this.#refAt = new Map()
    for (let i = 0; i < batch.refs.length; i++) this.#refAt.set(batch.refEntries[i]!, batch.refs[i]!)
  }

  all(): void {
    for (const head of this.#batch.heads) this.#head(head)
  }

  #head(head: Head): void {
    const id = head.directory > 0 ? head.directory : this.#run.refs.get(head.directory)
    if (id === undefined) return // it was gone again before its parent was recorded
    const recorded = this.#fresh.has(id)
      ? undefined
      : this.#writer.sql
          .prepare<{ digest: Uint8Array | null; complete: number }>(
            'SELECT digest, complete FROM directories WHERE id = ?'
          )
          .get([id])
    if (recorded === undefined && !this.#fresh.has(id)) return // removed meanwhile
    if (!this.#isThatOne(id, head)) return
    if (head.kind === 'failed') {
      this.#failed(id, head)
      return
    }
    if (head.kind === 'whole') this.#whole(id, head, recorded?.complete === 1 ? recorded.digest : null)
    else if (head.kind === 'range')
      this.#compare(id, head, this.#fresh.has(id) ? new Map() : childRows(this.#writer.sql, id, head.range!))
    else if (head.kind === 'names') this.#names(id, head)
    this.#listed(id, head)
    this.#fresh.delete(id)
    if (head.directory < 0 && head.kind !== 'range') this.#run.refs.delete(head.directory)
  }

  /** Directories swapped or replaced while they were looked at by the ids they had. The run's own root may be another one. */
  #isThatOne(id: number, { self, kind, rel, absent, first, count }: Head): boolean {
    if (self === null || rel === '' || this.#fresh.has(id)) return true
    const row = rowById(this.#writer.sql, id)
    if (row !== undefined && row.inode === self.inode && row.birthNs === self.birthNs) return true
    if (kind !== 'names') this.again.push(rel)
    for (const name of absent) this.again.push(joinRel(rel, textFromBytes(name)))
    for (let i = first; kind === 'names' && i < first + count; i++)
      this.again.push(joinRel(rel, textFromBytes(nameAt(this.#batch, i))))
    return false
  }

  #whole(id: number, head: Head, digest: Uint8Array | null): void {
    const { first, count } = head
    if (digest !== null && head.digest !== null && Buffer.compare(digest, head.digest) === 0 && !this.#run.force) {
      this.same++
      this.#resolveRefs(id, first, count)
      return
    }
    this.#compare(id, head, this.#fresh.has(id) ? new Map() : childRows(this.#writer.sql, id))
  }

  /** @param rows - of all names that the listing is about */
  #compare(id: number, { first, count, device }: Head, rows: Map<string, EntryRow>): void {
    if (rows.size === 0) {
      for (let i = first; i < first + count; i++) this.#appear(id, i, device)
      return
    }
    this.#writer.counts.rowsRead += rows.size
    const appeared: number[] = []
    const met: [EntryRow, number][] = []
    for (let i = first; i < first + count; i++) {
      const seen = seenAt(this.#batch, i, device)
      const key = nameKey(seen.name)
      const row = rows.get(key)
      if (row === undefined) appeared.push(i)
      else {
        rows.delete(key)
        // Another file under a known name may be one of those that are missing below: they are missed first.
        if (row.inode === seen.inode && row.birthNs === seen.birthNs) this.#put(i, this.#placement.meet(row, seen))
        else met.push([row, i])
      }
    }
    for (const row of rows.values()) this.#placement.miss(row)
    for (const [row, i] of met) this.#meetOther(row, i, device)
    for (const i of appeared) this.#appear(id, i, device)
  }

  /** Swaps and cycles in one directory: the row may have been moved away by an earlier name, or stand displaced. */
  #meetOther(row: EntryRow, i: number, device: bigint): void {
    const seen = seenAt(this.#batch, i, device)
    const now = rowByName(this.#writer.sql, row.parent, seen.name)
    if (now === undefined) this.#appear(row.parent, i, device)
    else this.#put(i, this.#placement.meet(now, seen))
  }

  #appear(parent: number, i: number, device: bigint): void {
    const seen = seenAt(this.#batch, i, device)
    const before = this.#writer.counts.created
    const id = this.#placement.appear(parent, seen)
    if (seen.kind === KIND.DIRECTORY && this.#writer.counts.created > before) this.#fresh.add(id)
    this.#put(i, id)
  }

  #names(parent: number, head: Head): void {
    for (const name of head.absent) {
      const row = rowByName(this.#writer.sql, parent, name)
      if (row !== undefined) this.#placement.miss(row)
    }
    for (let i = head.first; i < head.first + head.count; i++) this.#one(parent, seenAt(this.#batch, i, head.device), i)
  }

  #one(parent: number, seen: Seen, i: number): void {
    const row = rowByName(this.#writer.sql, parent, seen.name)
    this.#writer.counts.rowsRead++
    this.#put(i, row === undefined ? this.#placement.appear(parent, seen) : this.#placement.meet(row, seen))
  }

  #put(entry: number, id: number): void {
    const ref = this.#refAt.get(entry)
    if (ref !== undefined) this.#run.refs.set(ref, id)
  }

  #resolveRefs(parent: number, first: number, count: number): void {
    for (const entry of this.#refAt.keys()) {
      if (entry < first || entry >= first + count) continue
      const row = rowByName(this.#writer.sql, parent, seenAt(this.#batch, entry, 0n).name)
      if (row !== undefined) this.#put(entry, row.id)
    }
  }

  /** Keeps what is known of the listing itself, and the directory's own stat, which its parent's listing may predate. */
  #listed(id: number, head: Head): void {
    const { sql } = this.#writer
    const { self } = head
    const complete = head.kind === 'whole' || head.kind === 'listed'
    if (self !== null && head.kind !== 'range') this.#ownStat(id, head, complete)
    if (head.kind === 'whole') this.#writer.untouch(id)
    if (complete) {
      sql
        .prepare(
          `UPDATE directories SET scanned_at = ?, mtime_ns = ?, ctime_ns = ?, complete = 1, problem = NULL, digest = ?
           WHERE id = ?`
        )
        .run([head.at, self?.mtimeNs ?? 0, self?.ctimeNs ?? 0, head.digest, id])
    } else if (head.kind === 'names' && head.count === 0 && head.absent.length === 0 && self !== null) {
      sql
        .prepare('UPDATE directories SET scanned_at = ?, mtime_ns = ?, ctime_ns = ? WHERE id = ? AND complete = 1')
        .run([head.at, self.mtimeNs, self.ctimeNs, id])
    }
  }

  #ownStat(id: number, head: Head, listed: boolean): void {
    const { self } = head
    if (self === null || this.#fresh.has(id)) return
    const row = rowById(this.#writer.sql, id)
    if (row === undefined) return
    const readable = listed && (row.flags & FLAG.UNREADABLE) !== 0
    const { mtimeNs, ctimeNs, birthNs, inode, mode } = self
    const same =
      row.mtimeNs === mtimeNs &&
      row.ctimeNs === ctimeNs &&
      row.mode === mode &&
      row.inode === inode &&
      row.birthNs === birthNs
    if (same && !readable) return
    if (readable) this.#writer.sql.prepare('DELETE FROM problems WHERE entry = ?').run([id])
    const flags = readable ? row.flags & ~FLAG.UNREADABLE : row.flags
    this.#writer.rewrite({ ...row, mtimeNs, ctimeNs, birthNs, inode, mode, flags })
    this.#writer.counts.modified++
    this.#writer.touch(row.parent)
  }

  #failed(id: number, head: Head): void {
    const { sql, nowMs } = this.#writer
    const { code, message } = head.problem ?? { code: 'INTERNAL', message: '' }
    this.#ownStat(id, head, false)
    sql.prepare('UPDATE directories SET complete = 0, problem = ?, digest = NULL WHERE id = ?').run([code, id])
    sql.prepare('INSERT OR REPLACE INTO problems VALUES (?, ?, ?, ?)').run([id, code, message, nowMs])
    const row = rowById(sql, id)
    if (row === undefined || (row.flags & FLAG.UNREADABLE) !== 0) return
    this.#writer.rewriteContent({ ...row, flags: row.flags | FLAG.UNREADABLE })
    this.#writer.counts.modified++
    this.#writer.touch(row.parent)
  }
}
