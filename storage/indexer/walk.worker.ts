import { defineTasks, type RelPath } from '../base/index.js'
import { closeReaders, type Sql, withReader } from '../sql/index.js'
import type { Batch, DirectoryStat } from './batch.js'
import type { Part } from './listing.js'
import type { RuleScope } from './rules.js'
import { Walk } from './walk.js'

/** Something to look at. */
export interface WalkItem {
  /** A directory to be listed; some names of one; a stretch of names of a huge one. */
  readonly kind: 'directory' | 'names' | 'part'
  /** Of the directory: entry id, or a negative number standing for one the writer will know. */
  readonly id: number
  readonly rel: RelPath
  /** Rules left the directory out (it is entered all the same). */
  readonly excluded: boolean
  /** Everything below is entered, not only what is new. */
  readonly all: boolean
  /** Levels that may still be entered below it. */
  readonly depth: number
  readonly names?: readonly string[]
  readonly part?: Part
  /** Of the last part: when the listing began, and the directory's stat before it. */
  readonly listed?: { readonly at: number; readonly self: DirectoryStat }
}

/** Directories entered below a listed one: none; those new to the index; all. */
export type Recurse = 'none' | 'new' | 'all'

export interface SliceInput {
  readonly databaseFile: string
  readonly root: string
  readonly rootDevice: bigint
  /** Inodes of this file system do not last (FAT, network): files are told by their names alone. */
  readonly nameless: boolean
  /** The system tells real birth times. */
  readonly births: boolean
  /** A stack: the last is looked at first. */
  readonly items: readonly WalkItem[]
  /** Numbers for directories without an id are taken downwards from here, at most REFS_A_SLICE. */
  readonly firstRef: number
  readonly recurse: Recurse
  /** Every row is compared, whatever the digests say. */
  readonly force: boolean
  readonly scopes: readonly RuleScope[]
  /** Absolute paths that are ours (data directories, open libraries): never entered. */
  readonly ours: readonly string[]
}

export interface SliceOutput {
  readonly batch: Batch
  readonly transfer: readonly ArrayBuffer[]
  /** What is left of the stack. */
  readonly rest: readonly WalkItem[]
  readonly seen: {
    readonly entries: number
    readonly directories: number
    readonly same: number
    readonly bytes: number
  }
  /** Directories that were gone or were none when they were to be listed: their parents need another look. */
  readonly lost: readonly RelPath[]
}

export const walking = defineTasks(import.meta.url, {
  /** Looks at a few thousand entries and comes back, so that a thread is never held for long. */
  slice(input: SliceInput): SliceOutput {
    return withReader(input.databaseFile, (sql: Sql) => new Walk(sql, input).run())
  },

  /** Lets go of this thread's connections to a database that is to be closed. */
  letGo({ file }: { file: string }): void {
    closeReaders(file)
  }
})
