import {
  type AbsPath,
  type ContentHash,
  defineTasks,
  joinRel,
  type LinkContext,
  type RelPath,
  resolveRel,
  textFromBytes
} from '../../storage/base/index.js'
import {
  childrenAfter,
  FLAG,
  KIND,
  scanRecord,
  type TreeRow,
  treeRow,
  UNKNOWN_FLAGS
} from '../../storage/entries/index.js'
import { type EntryStat, isFatal, type TreeReader, treeReader } from '../../storage/files/index.js'
import { type Sql, withReader } from '../../storage/sql/index.js'
import { buffersOf, ColumnsBuilder, type EntryColumns, PAGE_ENTRIES, type Sink, sink } from '../endpoints/index.js'
import {
  type DirectoryVerdict,
  type FreshnessRules,
  isSameDirectory,
  judgeDirectory,
  type StaleWhy
} from './freshness.js'

export interface KnownInput {
  readonly databaseFile: string
  /** The row to begin at, and where it lies. */
  readonly entry: number
  readonly path: AbsPath
  readonly rules: FreshnessRules
  /** Absolute paths that are ours by now. */
  readonly ours: readonly string[]
  /** Ends after so many entries. */
  readonly limit: number
  readonly hashes: boolean
}

/** What crosses to the reader, with the directories that were passed over since the page before. */
export interface KnownColumns {
  readonly columns: EntryColumns
  readonly hashes: readonly (ContentHash | undefined)[] | undefined
  readonly stale: readonly { readonly path: RelPath; readonly why: StaleWhy }[]
  /** Directories that rules left out of the index: what is in them only the disk tells. */
  readonly filtered: readonly RelPath[]
  readonly byWatcher: boolean
}

interface Frame {
  readonly dir: RelPath
  readonly id: number
  /** Its listing holds. Else only the directories in it are gone into: their own times tell of their own names. */
  readonly fresh: boolean
  rows: TreeRow[]
  next: number
  /** Nothing comes after what is in `rows`. */
  last: boolean
}

/** Rows read at once: one stretch of the database, and what is held of a huge directory. */
const ROWS = 500

export const knowing = defineTasks(import.meta.url, {
  /** What the index holds of a tree, in tree order; of each directory only after a look at it said that it still holds. */
  async known(input: KnownInput, ctx: LinkContext): Promise<void> {
    const { path, rules } = input
    const top = withReader(input.databaseFile, sql => treeRow(sql, input.entry))
    // A single file is looked at sooner than it is asked about.
    if (top === undefined || top.kind !== KIND.DIRECTORY) return
    const reader = treeReader({ path })
    try {
      await new KnownWalk(reader, input, rules, sink<KnownColumns>(ctx)).run(top)
    } finally {
      reader.close()
    }
  }
})

class KnownWalk {
  readonly #reader: TreeReader
  readonly #input: KnownInput
  readonly #rules: FreshnessRules
  readonly #out: Sink<KnownColumns>
  readonly #stack: Frame[] = []
  #columns = new ColumnsBuilder(PAGE_ENTRIES)
  #hashes: (ContentHash | undefined)[] = []
  #stale: { path: RelPath; why: StaleWhy }[] = []
  #filtered: RelPath[] = []
  #byWatcher = false
  #told = 0

  constructor(reader: TreeReader, input: KnownInput, rules: FreshnessRules, out: Sink<KnownColumns>) {
    this.#reader = reader
    this.#input = input
    this.#rules = rules
    this.#out = out
  }

  async run(top: TreeRow): Promise<void> {
    const { databaseFile, limit } = this.#input
    let going = true
    while (going) {
      // One look at the database a page: it is never held while the reader takes its time.
      going = withReader(databaseFile, sql => {
        if (this.#told === 0 && this.#stack.length === 0) this.#add('' as RelPath, top, sql)
        while (this.#stack.length > 0 && this.#told < limit) {
          if (this.#columns.count >= PAGE_ENTRIES || this.#stale.length >= PAGE_ENTRIES) return true
          this.#step(sql)
        }
        return false
      })
      await this.#flush()
    }
  }

  #step(sql: Sql): void {
    const frame = this.#stack.at(-1)!
    if (frame.next >= frame.rows.length && !frame.last) {
      frame.rows = childrenAfter(sql, frame.id, frame.rows.at(-1)?.nameBytes, {
        limit: ROWS,
        hashes: this.#input.hashes
      })
      frame.next = 0
      frame.last = frame.rows.length < ROWS
    }
    const row = frame.rows[frame.next++]
    if (row !== undefined) {
      if (frame.fresh || row.kind === KIND.DIRECTORY)
        this.#add(joinRel(frame.dir, textFromBytes(row.nameBytes)), row, sql)
    } else {
      this.#stack.pop()
      this.#reader.forget(frame.dir)
    }
  }

  /** What is unknown to the index, or ours, is left to the disk. */
  #add(path: RelPath, row: TreeRow, sql: Sql): void {
    if ((row.flags & UNKNOWN_FLAGS) !== 0) return
    if (row.kind !== KIND.DIRECTORY) {
      this.#tell(path, row)
      return
    }
    if (this.#input.ours.includes(resolveRel(this.#input.path, path))) return
    if ((row.flags & FLAG.NOT_ENTERED) !== 0) {
      this.#filtered.push(path)
      return
    }
    const verdict = this.#judge(path, row, sql)
    if (verdict.fresh) {
      this.#byWatcher ||= verdict.by === 'watcher'
      this.#tell(path, row)
    } else {
      this.#stale.push({ path, why: verdict.why })
      if (!isSameDirectory(verdict.why)) return
    }
    this.#stack.push({ dir: path, id: row.id, fresh: verdict.fresh, rows: [], next: 0, last: false })
  }

  #judge(path: RelPath, row: TreeRow, sql: Sql): DirectoryVerdict {
    let now: EntryStat | undefined
    try {
      now = this.#reader.look(path)
    } catch (err) {
      if (isFatal(err)) throw err
      return { fresh: false, why: 'unreadable' }
    }
    return judgeDirectory(scanRecord(sql, row.id), now, this.#rules)
  }

  #tell(path: RelPath, row: TreeRow): void {
    this.#columns.addIndexed(path, row.kind, row.sizeBytes, row.mode, row)
    if (this.#input.hashes) this.#hashes.push(row.hash)
    this.#told++
  }

  async #flush(): Promise<void> {
    if (this.#columns.count === 0 && this.#stale.length === 0 && this.#filtered.length === 0) return
    const columns = this.#columns.finish()
    const page: KnownColumns = {
      columns,
      hashes: this.#input.hashes ? this.#hashes : undefined,
      ...{ stale: this.#stale, filtered: this.#filtered, byWatcher: this.#byWatcher }
    }
    this.#columns = new ColumnsBuilder(PAGE_ENTRIES)
    this.#hashes = []
    this.#stale = []
    this.#filtered = []
    await this.#out.send(page, buffersOf(columns))
  }
}
