import type { Sql } from '../sql/index.js'
import type { Target } from './metadata.js'

/** A tag or a label as lists show it. */
export interface MarkFacts {
  /** Of a label the whole path: `Projects/Web`. */
  readonly name: string
  readonly color: string | null
  /** Files and folders that bear it (or a label below it), also those that are away. */
  readonly count: number
}

/** What can be done with tags, and likewise with labels: writes of a library's database, and the list of them. */
export interface MarkTasks {
  /** Puts it on files; made when there is none. */
  add(
    sql: Sql,
    input: { host: number; nowMs: number; targets: readonly Target[]; name: string; color?: string | undefined }
  ): void
  /** @returns how many bore it */
  remove(sql: Sql, input: { host: number; targets: readonly Target[]; name: string }): number
  /** The mark itself, from everything that bears it. */
  drop(sql: Sql, input: { name: string }): void
  /** Another name, another colour (null: none), or both. */
  change(
    sql: Sql,
    input: { name: string; to?: string | undefined; color?: string | null | undefined; nowMs: number }
  ): void
  list(input: { databaseFile: string }): readonly MarkFacts[]
}
