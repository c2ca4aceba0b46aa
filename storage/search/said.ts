import { type AbsPath, SpacedriveError, textFromBytes } from '../base/index.js'
import { findByPath, labelsBelow, pathOf, type Said, saidOf } from '../entries/index.js'
import type { Sql } from '../sql/index.js'
import type { SearchFilters } from './search.js'

/** What people said, as a search asks for it: by which entries are told from others, and what is told of each. */
export interface SaidOfEntries {
  /** Entries that bear all that the filters name; undefined when they name nothing of the kind. */
  marked(filters: SearchFilters): ReadonlySet<number> | undefined
  /** Entries that people hid. */
  hidden(): ReadonlySet<number>
  of(entry: number): Said
}

/** A row of `metadata` that hangs on no entry of its library. */
export interface Waiting {
  readonly id: number
  readonly path: AbsPath
  readonly inode: bigint | null
  readonly birthNs: bigint | null
}

/** In the database that holds the entries as well. */
export class SaidHere implements SaidOfEntries {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  marked(filters: SearchFilters): ReadonlySet<number> | undefined {
    if (!asksForSaid(filters)) return undefined
    const { where, values } = bearing(this.#sql, filters)
    const rows = this.#sql
      .prepare<{ entry: number }>(`SELECT m.entry FROM metadata m WHERE m.entry IS NOT NULL ${where}`)
      .all(values)
    return new Set(rows.map(r => r.entry))
  }

  hidden(): ReadonlySet<number> {
    const rows = this.#sql
      .prepare<{ entry: number }>('SELECT entry FROM metadata WHERE hidden = 1 AND entry IS NOT NULL')
      .all()
    return new Set(rows.map(r => r.entry))
  }

  of(entry: number): Said {
    const row = this.#sql.prepare<{ id: number }>('SELECT id FROM metadata WHERE entry = ?').get([entry])
    return saidOf(this.#sql, row?.id)
  }
}

/** In the library of a person, of entries that the instance's own library holds: by path, or by inode where one moved. */
export class SaidElsewhere implements SaidOfEntries {
  readonly #entries: Sql
  readonly #people: Sql
  readonly #host: { readonly entries: number; readonly people: number }

  constructor(entries: Sql, people: Sql, host: { entries: number; people: number }) {
    this.#entries = entries
    this.#people = people
    this.#host = host
  }

  marked(filters: SearchFilters): ReadonlySet<number> | undefined {
    if (!asksForSaid(filters)) return undefined
    const found = waiting(this.#people, this.#host.people, filters).map(w => this.entryOf(w))
    return new Set(found.filter(e => e !== undefined))
  }

  hidden(): ReadonlySet<number> {
    const found = hiddenPaths(this.#people, this.#host.people).map(path =>
      findByPath(this.#entries, this.#host.entries, path)
    )
    return new Set(found.filter(e => e !== undefined))
  }

  of(entry: number): Said {
    const path = pathOf(this.#entries, entry, this.#host.entries)
    const at = this.#people.prepare<{ id: number }>(
      'SELECT id FROM metadata INDEXED BY metadata_by_path WHERE host = ? AND path = ? AND entry IS NULL'
    )
    const row = path === undefined ? undefined : (at.get([this.#host.people, path]) ?? this.#byInode(entry))
    return saidOf(this.#people, row?.id)
  }

  /** The entry that something was said of; undefined: it is held by neither library. */
  entryOf({ path, inode, birthNs }: Waiting): number | undefined {
    const there = findByPath(this.#entries, this.#host.entries, path)
    if (there !== undefined || inode === null || birthNs === null || birthNs === 0n) return there
    return this.#entries
      .prepare<{ id: number }>('SELECT id FROM entries WHERE inode = ? AND birth_ns = ?')
      .get([inode, birthNs])?.id
  }

  #byInode(entry: number): { id: number } | undefined {
    const row = this.#entries
      .prepare<{ inode: bigint; birth_ns: bigint }>('SELECT inode, birth_ns FROM entries WHERE id = ?', {
        bigint: true
      })
      .get([entry])
    if (row === undefined || row.birth_ns === 0n) return undefined
    return this.#people
      .prepare<{ id: number }>(
        `SELECT id FROM metadata INDEXED BY metadata_by_inode
         WHERE entry IS NULL AND host = ? AND inode = ? AND birth_ns = ?`
      )
      .get([this.#host.people, row.inode, row.birth_ns])
  }
}

export function asksForSaid({ tags = [], labels = [], favorite, hidden }: SearchFilters): boolean {
  return tags.length > 0 || labels.length > 0 || favorite === true || hidden === true
}

/** Files and folders that people hid and that no entry of this library stands for. */
export function hiddenPaths(people: Sql, host: number): AbsPath[] {
  return people
    .prepare<{ path: Uint8Array }>('SELECT path FROM metadata WHERE hidden = 1 AND entry IS NULL AND host = ?')
    .all([host])
    .map(r => textFromBytes(r.path) as AbsPath)
}

/** Whether what people hid is to be left out. */
export const leavesOutHidden = ({ hidden, excluded }: SearchFilters): boolean => hidden !== true && excluded !== true

/** What was said of files that no entry of this library stands for, as far as the filters name it. */
export function waiting(people: Sql, host: number, filters: SearchFilters): Waiting[] {
  const { where, values } = bearing(people, filters)
  return people
    .prepare<{ id: bigint; path: Uint8Array; inode: bigint | null; birth_ns: bigint | null }>(
      `SELECT m.id, m.path, m.inode, m.birth_ns FROM metadata m WHERE m.entry IS NULL AND m.host = ? ${where}
       ORDER BY m.id DESC LIMIT ${MAX_WAITING}`,
      { bigint: true }
    )
    .all([host, ...values])
    .map(r => ({
      id: Number(r.id),
      path: textFromBytes(r.path) as AbsPath,
      inode: r.inode,
      birthNs: r.birth_ns
    }))
}

/** The newest, whose names are looked through: a fifth of a second. */
const MAX_WAITING = 100_000

/** The condition on `metadata m` that the filters make. @throws BAD_INPUT for a tag or label that nobody made */
function bearing(
  sql: Sql,
  { tags = [], labels = [], favorite, hidden }: SearchFilters
): { where: string; values: number[] } {
  const tagIds = tags.map(name => {
    const tag = sql.prepare<{ id: number }>('SELECT id FROM tags WHERE name = ?').get([name])
    if (tag !== undefined) return tag.id
    throw new SpacedriveError('BAD_INPUT', `there is no tag ${name}`, { hint: 'spacedrive tag list shows them.' })
  })
  const labelIds = labels.map(label => labelsBelow(sql, label))
  const parts = [
    ...(favorite === true ? ['AND m.favorite = 1'] : []),
    ...(hidden === true ? ['AND m.hidden = 1'] : []),
    ...tagIds.map(() => 'AND EXISTS (SELECT 1 FROM metadata_tags t WHERE t.metadata = m.id AND t.tag = ?)'),
    ...labelIds.map(
      ids =>
        `AND EXISTS (SELECT 1 FROM metadata_labels l WHERE l.metadata = m.id AND l.label IN (${ids.map(() => '?')}))`
    )
  ]
  return { where: parts.join(' '), values: [...tagIds, ...labelIds.flat()] }
}
