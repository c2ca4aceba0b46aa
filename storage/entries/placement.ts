import { lstatSync } from 'node:fs'
import { fsPath, textFromBytes } from '../base/index.js'
import { type DeletedRow, deletedByInode } from './deleted.js'
import { FLAG, KIND, SEEN_FLAGS } from './flags.js'
import type { IndexWriter } from './index-writer.js'
import { DISPLACED, isBelow, pathOf, rowById, topOf } from './lookup.js'
import { followPaths } from './metadata-follow.js'
import { namesUpto, putName } from './names.js'
import { COLUMNS, type EntryRow, nameKey, rowOf, type Seen, sameStat, takeStat } from './row.js'

/** Hard links: candidates looked at for one inode. More links than this to one file, all new, are not told from moves. */
const MAX_LINKS = 64
/** Files edited by replacing remembered during one run, so that a later find of the old inode is seen as a move. */
const MAX_REPLACED = 100_000

/** What one run of the indexer remembers in the writer thread: which inode stood where before it was replaced. */
export interface Replaced {
  /** Number of the run: what it puts into limbo is its own to settle. */
  readonly run: number
  /** inode -> entry that bore it, with its birth time. */
  readonly byInode: Map<bigint, { id: number; birthNs: bigint }>
}

export const replaced = (run: number): Replaced => ({ run, byInode: new Map() })

/**
 * Decides what a seen name is: known here, edited, come from elsewhere, or new; entries keep their ids over moves, over
 * edits in place and over being replaced by a program that saves beside and renames.
 */
export class Placement {
  readonly #writer: IndexWriter
  readonly #replaced: Replaced
  /** False while the index was empty before this run: nothing can have moved. */
  readonly #lookups: boolean
  readonly #limbo: Map<number, { parent: number; name: Uint8Array }>

  constructor(writer: IndexWriter, replacedBefore: Replaced, lookups: boolean) {
    this.#writer = writer
    this.#replaced = replacedBefore
    this.#lookups = lookups
    this.#limbo = new Map(
      writer.sql
        .prepare<{ id: number; parent: number; name: Uint8Array }>('SELECT id, parent, name FROM limbo')
        .all()
        .map(r => [r.id, r])
    )
  }

  /** A name that has no row. @returns the entry's id */
  appear(parent: number, seen: Seen): number {
    const from = this.#lookups && (seen.flags & FLAG.STATLESS) === 0 ? this.#findMoved(parent, seen) : undefined
    if (from !== undefined) {
      this.#move(from, parent, seen)
      return from.id
    }
    return this.#writer.insert(parent, seen, this.#lookups ? this.#findDeleted(seen) : undefined)
  }

  /** A name that has a row. @returns the id of the entry that is there now */
  meet(row: EntryRow, seen: Seen): number {
    if (this.#limbo.has(row.id)) this.#leaveLimbo(row.id)
    if ((seen.flags & FLAG.STATLESS) !== 0) {
      this.#writer.update(row, seen)
      return row.id
    }
    if (row.kind === seen.kind && row.inode === seen.inode && row.birthNs === seen.birthNs) {
      this.#writer.update(row, seen)
      return row.id
    }
    const from = this.#findMoved(row.parent, seen, row.id)
    // A directory is not replaced by programs that save: another one under its name is another one.
    if (from !== undefined || row.kind !== seen.kind || row.kind === KIND.DIRECTORY) {
      const { parent } = row
      this.#displace(row)
      if (from === undefined) return this.#writer.insert(parent, seen, this.#findDeleted(seen))
      this.#move(from, parent, seen)
      return from.id
    }
    // Another file of the same kind under the same name: an edit, unless its old inode turns up elsewhere in this run.
    if (this.#replaced.byInode.size < MAX_REPLACED)
      this.#replaced.byInode.set(row.inode, { id: row.id, birthNs: row.birthNs })
    this.#writer.update(row, seen)
    return row.id
  }

  /** A row whose name was not in its directory's listing. */
  miss(row: EntryRow): void {
    if (this.#limbo.has(row.id)) return
    this.#enterLimbo(row)
  }

  #findMoved(parent: number, seen: Seen, except = 0): EntryRow | undefined {
    if (seen.inode === 0n) return undefined // a file system whose inodes do not last
    const { sql, host } = this.#writer
    const candidates = sql
      .prepare<never>(`SELECT ${COLUMNS} FROM entries WHERE inode = ? LIMIT ${MAX_LINKS}`, { raw: true, bigint: true })
      .all([seen.inode]) as never[]
    for (const raw of candidates) {
      const row = rowOf(raw)
      if (row.id === except || row.parent === -host || !sameFile(row, seen)) continue
      if (isBelow(sql, parent, row.id)) continue // its own ancestor: the index is behind, it will be new here
      if (this.#limbo.has(row.id)) return row
      if (topOf(sql, row.id) <= DISPLACED) return row
      const path = pathOf(sql, row.id, host)
      if (path !== undefined && !stillThere(path, seen)) return row
    }
    const before = this.#replaced.byInode.get(seen.inode)
    if (before === undefined || before.birthNs !== seen.birthNs) return undefined
    const row = rowById(sql, before.id)
    this.#replaced.byInode.delete(seen.inode)
    if (row === undefined || row.id === except || row.kind !== seen.kind || row.inode === seen.inode) return undefined
    if (this.#limbo.has(row.id) || isBelow(sql, parent, row.id)) return undefined
    return this.#split(row)
  }

  /** An entry that was taken for gone and comes back: moved, but seen in two steps; or taken out of a trash. */
  #findDeleted(seen: Seen): DeletedRow | undefined {
    if (seen.inode === 0n || (seen.flags & FLAG.STATLESS) !== 0) return undefined
    return deletedByInode(this.#writer.sql, seen.inode).find(row => sameFile(row, seen))
  }

  /** `row` took over the stat of a file that replaced it, but it had moved away itself: what is there becomes an entry of its own. */
  #split(row: EntryRow): EntryRow {
    const { parent } = row
    this.#displace(row)
    this.#writer.insert(parent, row)
    return rowById(this.#writer.sql, row.id)!
  }

  #move(row: EntryRow, parent: number, seen: Seen): void {
    const writer = this.#writer
    const limbo = this.#limbo.get(row.id)
    const oldParent = limbo?.parent ?? row.parent
    const oldPath = placeOf(writer, oldParent, limbo?.name ?? row.name)
    if (row.parent > DISPLACED) writer.addWhole(row, row.parent, -1)
    if (limbo !== undefined) this.#leaveLimbo(row.id)
    const renamed = nameKey(row.name) !== nameKey(seen.name)
    const edited = !sameStat(row, seen)
    let flags = (row.flags & ~SEEN_FLAGS) | (seen.flags & SEEN_FLAGS)
    if (edited && row.kind === KIND.FILE) writer.told.staleFile(row.id)
    if (edited && row.kind === KIND.FILE) flags = (flags & ~(FLAG.RACY | FLAG.UNREADABLE)) | FLAG.STALE
    if (renamed) row.type = seen.type
    row.version = writer.raised(row.version, parent)
    row.parent = parent
    row.name = seen.name
    row.flags = flags
    takeStat(row, seen)
    writer.rewrite(row)
    writer.counts.moved++
    if (row.kind === KIND.FILE) writer.told.otherNames(row.inode, row.id)
    writer.touch(oldParent)
    writer.touch(parent)
    if (row.kind === KIND.DIRECTORY) writer.reparented(row.id, parent)
    writer.addWhole(row, parent, 1)
    if (renamed) rename(writer, row.id, row.name)
    const path = pathOf(writer.sql, row.id)
    if (path !== undefined && oldPath !== undefined) {
      followPaths(writer.sql, writer.host, oldPath, path)
      writer.told.change('moved', row.id, oldPath)
    }
  }

  #enterLimbo(row: EntryRow): void {
    this.#writer.sql
      .prepare('INSERT OR REPLACE INTO limbo VALUES (?, ?, ?, ?)')
      .run([row.id, row.parent, row.name, this.#replaced.run])
    this.#limbo.set(row.id, { parent: row.parent, name: row.name })
    this.#writer.touch(row.parent)
  }

  #leaveLimbo(id: number): void {
    this.#writer.sql.prepare('DELETE FROM limbo WHERE id = ?').run([id])
    this.#limbo.delete(id)
  }

  /** Makes room at the place of `row`; what it held counts there no longer. */
  #displace(row: EntryRow): void {
    const { sql } = this.#writer
    this.#enterLimbo(row)
    this.#writer.addWhole(row, row.parent, -1)
    sql.prepare('UPDATE entries SET parent = ? WHERE id = ?').run([DISPLACED - row.id, row.id])
    if (row.kind === KIND.DIRECTORY) this.#writer.reparented(row.id, 0)
    row.parent = DISPLACED - row.id
  }
}

/** The path of a place, its directory being recorded. */
export function placeOf(writer: IndexWriter, parent: number, name: Uint8Array): Buffer | undefined {
  const directory = pathOf(writer.sql, parent)
  if (directory === undefined) return undefined
  return Buffer.concat(directory.equals(slash) ? [slash, name] : [directory, slash, name])
}

const slash = Buffer.from('/')

/** Inode and birth time prove it; where no birth time is kept, nothing else may differ either. */
function sameFile(row: EntryRow | DeletedRow, seen: Seen): boolean {
  if (row.kind !== seen.kind || row.birthNs !== seen.birthNs) return false
  if (seen.birthNs !== 0n) return true
  return row.device === seen.device && row.size === seen.size && row.mtimeNs === seen.mtimeNs
}

function stillThere(path: Uint8Array, seen: Seen): boolean {
  try {
    const stat = lstatSync(fsPath(textFromBytes(path)), { bigint: true, throwIfNoEntry: false })
    return stat !== undefined && stat.ino === seen.inode && stat.birthtimeNs === seen.birthNs
  } catch (err) {
    // Not to be seen is not the same as gone.
    return (err as { code?: string }).code !== 'ENOTDIR'
  }
}

/** The searchable name of an entry that has one already; one above the mark gets it with the rest. */
function rename(writer: IndexWriter, id: number, name: Uint8Array): void {
  if (id <= namesUpto(writer.sql)) putName(writer.sql, id, name)
}
