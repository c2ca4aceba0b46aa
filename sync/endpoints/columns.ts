import type { Problem, RelPath } from '../../storage/base/index.js'
import {
  type EntryStat,
  putStat,
  type StatColumns,
  statBuffers,
  statColumns,
  statIn
} from '../../storage/files/index.js'
import type { TreeEntry, UnknownReason } from './entry.js'

/** A page of entries as columns: what crosses between threads (see `StatColumns`). */
export interface EntryColumns extends StatColumns {
  readonly count: number
  /** Joined by NUL, which no path holds. */
  readonly paths: string
  /** What few entries have. */
  readonly extras: readonly EntryExtras[]
}

interface EntryExtras {
  readonly index: number
  readonly target?: string | undefined
  readonly unknown?: UnknownReason | undefined
  readonly problem?: Problem | undefined
}

export function toColumns(entries: readonly TreeEntry[]): EntryColumns {
  const columns = new ColumnsBuilder(entries.length)
  for (const entry of entries) columns.add(entry)
  return columns.finish()
}

/** Fills columns entry by entry, without an object for each. */
export class ColumnsBuilder {
  readonly #paths: string[] = []
  readonly #stats: StatColumns
  readonly #extras: EntryExtras[] = []

  /** @param room - entries at most */
  constructor(room: number) {
    this.#stats = statColumns(room)
  }

  get count(): number {
    return this.#paths.length
  }

  add({ path, stat, target, unknown, problem }: TreeEntry): void {
    const index = this.#paths.push(path) - 1
    putStat(this.#stats, index, stat)
    if (target !== undefined || unknown !== undefined) this.#extras.push({ index, target, unknown, problem })
  }

  /** What an index keeps of an entry: no links, no owner. */
  addIndexed(path: string, kind: number, sizeBytes: number, mode: number, ids: StatIds): void {
    const index = this.#paths.push(path) - 1
    const { mtimeNs, ctimeNs, birthNs, device, inode } = ids
    const nobody = { mount: 0n, links: 0, uid: 0 }
    putStat(this.#stats, index, {
      ...{ kind: 'other', sizeBytes, mode, mtimeNs, ctimeNs, birthNs, device, inode },
      ...nobody
    })
    this.#stats.kinds[index] = kind
  }

  finish(): EntryColumns {
    return { ...this.#stats, count: this.count, paths: this.#paths.join('\0'), extras: this.#extras }
  }
}

export type StatIds = Pick<EntryStat, 'mtimeNs' | 'ctimeNs' | 'birthNs' | 'device' | 'inode'>

export function fromColumns(columns: EntryColumns): TreeEntry[] {
  const { count, paths, extras } = columns
  const names = paths.split('\0') as RelPath[]
  const entries: TreeEntry[] = []
  for (let i = 0; i < count; i++) entries.push({ path: names[i]!, stat: statIn(columns, i) })
  for (const { index, target, unknown, problem } of extras) {
    entries[index] = {
      ...entries[index]!,
      ...(target !== undefined && { target }),
      ...(unknown !== undefined && { unknown }),
      ...(problem !== undefined && { problem })
    }
  }
  return entries
}

/** The buffers that change hands. */
export const buffersOf: (columns: EntryColumns) => ArrayBuffer[] = statBuffers
