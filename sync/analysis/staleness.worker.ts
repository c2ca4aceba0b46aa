import {
  type AbsPath,
  defineTasks,
  joinRel,
  type RelPath,
  ROOT,
  resolveRel,
  type TaskContext
} from '../../storage/base/index.js'
import { directoriesBelow, FLAG, type ScanRecord, scanRecord, treeRow } from '../../storage/entries/index.js'
import { type EntryStat, isFatal, type TreeReader, treeReader } from '../../storage/files/index.js'
import { type Sql, withReader } from '../../storage/sql/index.js'
import { type DirectoryVerdict, type FreshnessRules, isSameDirectory, judgeDirectory } from './freshness.js'
import { MAX_REPORTED } from './limits.js'
import type { StaleSubtree } from './staleness.js'

export interface StalenessInput {
  readonly databaseFile: string
  readonly entry: number
  readonly path: AbsPath
  readonly rules: FreshnessRules
  readonly ours: readonly string[]
}

export interface Checked {
  readonly directories: number
  readonly staleDirectories: number
  readonly stale: readonly StaleSubtree[]
  readonly fresh: readonly RelPath[]
  readonly truncated: boolean
  readonly byWatcher: boolean
}

interface Frame {
  readonly path: RelPath
  readonly below: { id: number; name: string; flags: number; record: ScanRecord }[]
  /** Subtrees in it that are fresh through and through, in order; the whole of it is one when nothing in it is stale. */
  readonly fresh: RelPath[]
  /** There are more than are named. */
  more: boolean
  holds: boolean
}

/** Directories looked at in one look at the database: some 20 ms. */
const SLICE = 1_000

export const checking = defineTasks(import.meta.url, {
  /** Looks at every directory that the index has of a tree: one lstat each, no listing. */
  async check(input: StalenessInput, ctx: TaskContext): Promise<Checked> {
    const reader = treeReader({ path: input.path })
    try {
      const check = new StalenessCheck(reader, input)
      while (!withReader(input.databaseFile, sql => check.slice(sql))) {
        await new Promise(resolve => setImmediate(resolve))
        ctx.signal.throwIfAborted()
      }
      return check.result()
    } finally {
      reader.close()
    }
  }
})

class StalenessCheck {
  readonly #reader: TreeReader
  readonly #input: StalenessInput
  readonly #stack: Frame[] = []
  readonly #stale: StaleSubtree[] = []
  readonly #fresh: RelPath[] = []
  #begun = false
  #directories = 0
  #staleDirectories = 0
  #truncated = false
  #byWatcher = false

  constructor(reader: TreeReader, input: StalenessInput) {
    this.#reader = reader
    this.#input = input
  }

  result(): Checked {
    const { stale, fresh } = { stale: this.#stale, fresh: this.#fresh }
    const [directories, staleDirectories] = [this.#directories, this.#staleDirectories]
    return { directories, staleDirectories, stale, fresh, truncated: this.#truncated, byWatcher: this.#byWatcher }
  }

  /** @returns true when all of it was looked at */
  slice(sql: Sql): boolean {
    if (!this.#begun) {
      this.#begun = true
      const top = treeRow(sql, this.#input.entry)
      const record = scanRecord(sql, this.#input.entry)
      this.#enter(sql, ROOT, this.#input.entry, top?.flags ?? 0, record, undefined)
    }
    const until = this.#directories + SLICE
    while (this.#stack.length > 0 && this.#directories < until) {
      const frame = this.#stack.at(-1)!
      const next = frame.below.pop()
      if (next !== undefined) {
        this.#enter(sql, joinRel(frame.path, next.name), next.id, next.flags, next.record, frame)
      } else {
        this.#stack.pop()
        this.#reader.forget(frame.path)
        this.#ended(frame, this.#stack.at(-1))
      }
    }
    return this.#stack.length === 0
  }

  /** Whatever is below a stale directory is judged by itself: its own times tell of its own names. */
  #enter(
    sql: Sql,
    path: RelPath,
    id: number,
    flags: number,
    record: ScanRecord | undefined,
    around: Frame | undefined
  ): void {
    if (this.#input.ours.includes(resolveRel(this.#input.path, path))) return
    this.#directories++
    const notEntered = (flags & FLAG.NOT_ENTERED) !== 0
    const verdict: DirectoryVerdict = notEntered ? { fresh: false, why: 'never-listed' } : this.#judge(path, record)
    if (verdict.fresh) this.#byWatcher ||= verdict.by === 'watcher'
    else {
      this.#staleDirectories++
      if (around !== undefined) around.holds = false
      if (this.#stale.length < MAX_REPORTED) this.#stale.push({ path, why: verdict.why })
      else this.#truncated = true
      if (notEntered || !isSameDirectory(verdict.why)) return
    }
    const below = directoriesBelow(sql, id).reverse()
    this.#stack.push({ path, below, fresh: [], more: false, holds: verdict.fresh })
  }

  #ended({ path, fresh, holds, more }: Frame, around: Frame | undefined): void {
    const whole = holds ? [path] : fresh
    const unnamed = !holds && more
    if (around === undefined) {
      this.#fresh.push(...whole)
      this.#truncated ||= unnamed
      return
    }
    if (!holds) around.holds = false
    const room = MAX_REPORTED - around.fresh.length
    around.fresh.push(...whole.slice(0, room))
    around.more ||= unnamed || whole.length > room
  }

  #judge(path: RelPath, record: ScanRecord | undefined): DirectoryVerdict {
    let now: EntryStat | undefined
    try {
      now = this.#reader.look(path)
    } catch (err) {
      if (isFatal(err)) throw err
      return { fresh: false, why: 'unreadable' }
    }
    return judgeDirectory(record, now, this.#input.rules)
  }
}
