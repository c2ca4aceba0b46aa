import { type LocationId, textFromBytes } from '../base/index.js'
import { CONTENT_KINDS, ENTRY_KINDS, type EntryKind, entryUuid, KIND } from '../entries/index.js'
import type { Sql, Statement } from '../sql/index.js'
import type { Row } from './rows.js'
import type { SaidOfEntries } from './said.js'
import type { SearchHit } from './search.js'

interface Directory {
  readonly parent: number
  readonly name: Uint8Array
  /** Bytes of its absolute path. */
  readonly pathBytes: number
}

interface LocationRow {
  readonly uuid: string
  readonly name: string
  readonly entry: number
  readonly host: number
  readonly activity: string
}

/** Puts together what is told of an entry that was found; remembers directories on the way, for they are shared. */
export class Hits {
  readonly #sql: Sql
  readonly #host: number
  readonly #said: SaidOfEntries
  readonly #directories = new Map<number, Directory>()
  readonly #step: Statement<{ parent: number; name: Uint8Array }>
  #locations: Map<number, LocationRow> | undefined

  constructor(sql: Sql, host: number, said: SaidOfEntries) {
    this.#sql = sql
    this.#host = host
    this.#said = said
    this.#step = sql.prepare('SELECT parent, name FROM entries WHERE id = ?')
  }

  pathBytes(row: Row): number {
    return (this.#directory(row.parent)?.pathBytes ?? 0) + 1 + row.name.length
  }

  isBelow(row: Row, root: number): boolean {
    if (row.id === root) return true
    for (let at = row.parent; at > 0; at = this.#directory(at)?.parent ?? 0) if (at === root) return true
    return false
  }

  /** It is one of these entries, or lies below one. */
  isBelowAny(row: Row, entries: ReadonlySet<number>): boolean {
    if (entries.has(row.id)) return true
    for (let at = row.parent; at > 0; at = this.#directory(at)?.parent ?? 0) if (entries.has(at)) return true
    return false
  }

  sizeBelow(directory: number): number {
    return (
      this.#sql.prepare<{ bytes: number }>('SELECT bytes FROM directories WHERE id = ?').get([directory])?.bytes ?? 0
    )
  }

  hit(row: Row): SearchHit {
    const names = [row.name]
    let top = row.parent
    let location: LocationRow | undefined
    for (let at = row.parent; at > 0; ) {
      location ??= this.#locationAt(at)
      const directory = this.#directory(at)
      if (directory === undefined) break
      names.push(directory.name)
      top = directory.parent
      at = directory.parent
    }
    location ??= this.#locationAt(row.id)
    const path = names.reverse().map(textFromBytes).join('/').replace(/^\/\//, '/')
    const hash =
      row.content === null
        ? undefined
        : this.#sql.prepare<{ hash: Uint8Array }>('SELECT hash FROM contents WHERE id = ?').get([row.content])?.hash
    const host = top < 0 ? -top : this.#host
    const { tags, labels, favorite, hidden } = this.#said.of(row.id)
    return {
      id: row.id,
      uuid: entryUuid(this.#sql, row.id),
      path,
      name: textFromBytes(row.name),
      kind: ENTRY_KINDS[row.kind] as EntryKind,
      type: CONTENT_KINDS[row.type] ?? 'unknown',
      sizeBytes: row.kind === KIND.DIRECTORY ? this.sizeBelow(row.id) : row.size,
      modifiedMs: row.mtimeMs,
      hash: hash === undefined ? null : Buffer.from(hash).toString('hex'),
      ...{ tags, labels, favorite, hidden },
      location: location === undefined ? null : { id: location.uuid as LocationId, name: location.name },
      available: host === this.#host && location?.activity !== 'offline',
      device: host === this.#host ? null : this.#hostName(host)
    }
  }

  #hostName(host: number): string {
    return this.#sql.prepare<{ name: string }>('SELECT name FROM hosts WHERE id = ?').get([host])?.name ?? '?'
  }

  #locationAt(entry: number): LocationRow | undefined {
    this.#locations ??= new Map(
      this.#sql
        .prepare<LocationRow>('SELECT uuid, name, entry, host, activity FROM locations WHERE entry IS NOT NULL')
        .all()
        .map(l => [l.entry, l])
    )
    return this.#locations.get(entry)
  }

  #directory(id: number): Directory | undefined {
    const known = this.#directories.get(id)
    if (known !== undefined || id <= 0) return known
    const row = this.#step.get([id])
    if (row === undefined) return undefined
    const above = row.parent > 0 ? this.#directory(row.parent) : undefined
    const directory = { ...row, pathBytes: (above === undefined ? 0 : above.pathBytes + 1) + row.name.length }
    this.#directories.set(id, directory)
    return directory
  }
}
