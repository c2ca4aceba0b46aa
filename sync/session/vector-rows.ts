/** Rows of `vectors.db`: the versions of the entries of one folder. Runs in its writer thread. */
import { type RelPath, SpacedriveError } from '../../storage/base/index.js'
import type { Sql, SqlValue } from '../../storage/sql/index.js'
import type { SeenThing } from '../endpoints/index.js'
import type { Version } from '../reconcile/index.js'
import { keyPath, pathKey } from './path-key.js'
import type { Rename } from './renames.js'
import { signed } from './seen.js'
import { VectorRenames } from './vector-renames.js'

/** What lies at a path, or lay there, and what it has seen. */
export interface VectorRow extends Omit<SeenThing, 'kind' | 'agreed'> {
  readonly kind: 'file' | 'directory' | 'symlink'
  /** When it was seen to be gone, in milliseconds. */
  readonly gone: number | undefined
  readonly version: Version
  /** Of what is gone: what it had seen before. */
  readonly was: Version | undefined
  readonly seq: number
}

export interface IntendedRow {
  readonly kind: SeenThing['kind']
  readonly content: string
  readonly version: Version
}

/** Folders of other devices, in each life of their databases, and syncs: no device may fill the disk with them. */
export const MAX_NAMES = 100_000
const KINDS = ['file', 'directory', 'symlink', 'gone'] as const
const COLUMNS = 'path, kind, content, mode, mtime, inode, birth, gone, vector, was, seq'

export class VectorRows {
  readonly #sql: Sql
  readonly #folder: number
  readonly #by: number
  readonly #names = new Map<string, number>()
  readonly #numbers = new Map<number, string>()
  readonly #nowMs: number
  readonly #renames: VectorRenames
  #seq: number

  /** @param by - the sync that makes the changes */
  constructor(sql: Sql, folder: number, by: string, nowMs: number) {
    this.#sql = sql
    this.#folder = folder
    this.#nowMs = nowMs
    this.#by = this.#number(by)
    this.#renames = new VectorRenames(sql, folder)
    this.#seq = sql.prepare<{ seq: number }>('SELECT seq FROM folders WHERE id = ?').get([folder])!.seq
  }

  /** The number of a change: no other one of this folder ever bears it, whatever was lost in between. */
  next(): number {
    this.#seq = Math.max(this.#seq + 1, this.#nowMs)
    return this.#seq
  }

  /** Writes down which numbers were given. */
  end(): void {
    this.#sql
      .prepare('UPDATE folders SET seq = ?, used_at = ? WHERE id = ?')
      .run([this.#seq, this.#nowMs, this.#folder])
  }

  find(path: RelPath): VectorRow | undefined {
    this.#renames.settleFor(path)
    const raw = this.#raw('folder = ? AND path = ?').get([this.#folder, pathKey(path)])
    return raw && this.#row(raw as never)
  }

  /** A thing that went away after `round` began, by what proves that it is the same. */
  buried(inode: bigint, birthNs: bigint, round: number): VectorRow | undefined {
    if (birthNs === 0n) return undefined
    const raw = this.#sql
      .prepare<never>(
        // Left to itself the search goes through all that was written since, for each thing that is new.
        `SELECT ${COLUMNS} FROM entries INDEXED BY entries_gone
         WHERE folder = ? AND inode = ? AND birth = ? AND gone IS NOT NULL AND seq > ?`,
        { raw: true, bigint: true }
      )
      .get([this.#folder, signed(inode), birthNs, round])
    return raw && this.#row(raw as never)
  }

  put(row: Omit<VectorRow, 'seq' | 'gone' | 'was'>, seq: number): void {
    this.#write(row, seq, null, null)
  }

  /** It is gone, or stays so. */
  bury(row: Omit<VectorRow, 'seq' | 'gone' | 'was'>, was: Version, seq: number): void {
    this.#write(row, seq, this.#nowMs, this.#text(was))
  }

  drop(path: RelPath): void {
    this.#renames.settleFor(path)
    this.#sql.prepare('DELETE FROM entries WHERE folder = ? AND path = ?').run([this.#folder, pathKey(path)])
  }

  /** What is there goes along with its directories; all at once, for names may swap. */
  move(moves: readonly Rename[]): void {
    this.#renames.move(moves)
  }

  intended(path: RelPath): IntendedRow | undefined {
    const row = this.#sql
      .prepare<{ kind: number; content: string; vector: string }>(
        'SELECT kind, content, vector FROM intended WHERE folder = ? AND path = ?'
      )
      .get([this.#folder, pathKey(path)])
    return row && { kind: KINDS[row.kind]!, content: row.content, version: this.#version(row.vector) }
  }

  intend(path: RelPath, { kind, content, version }: IntendedRow): void {
    this.#sql
      .prepare('INSERT OR REPLACE INTO intended VALUES (?, ?, ?, ?, ?)')
      .run([this.#folder, pathKey(path), KINDS.indexOf(kind), content, this.#text(version)])
  }

  isDone(path: RelPath): void {
    this.#sql.prepare('DELETE FROM intended WHERE folder = ? AND path = ?').run([this.#folder, pathKey(path)])
  }

  noteMoved(path: RelPath, to: RelPath): void {
    this.#sql.prepare('INSERT OR REPLACE INTO moved VALUES (?, ?, ?)').run([this.#folder, pathKey(path), pathKey(to)])
  }

  movedTo(path: RelPath): RelPath | undefined {
    const row = this.#sql
      .prepare<{ to_path: Uint8Array }>('SELECT to_path FROM moved WHERE folder = ? AND path = ?')
      .get([this.#folder, pathKey(path)])
    return row && keyPath(row.to_path)
  }

  #raw(where: string) {
    return this.#sql.prepare<never>(`SELECT ${COLUMNS} FROM entries WHERE ${where}`, { raw: true, bigint: true })
  }

  #row(raw: readonly SqlValue[]): VectorRow {
    return {
      path: keyPath(raw[0] as Uint8Array),
      kind: KINDS[Number(raw[1])] as VectorRow['kind'],
      ...{ content: raw[2] as string, mode: Number(raw[3]), mtimeNs: raw[4] as bigint },
      ...{ inode: BigInt.asUintN(64, raw[5] as bigint), birthNs: raw[6] as bigint },
      gone: raw[7] === null ? undefined : Number(raw[7]),
      version: this.#version(raw[8] as string),
      was: raw[9] === null ? undefined : this.#version(raw[9] as string),
      seq: Number(raw[10])
    }
  }

  #write(row: Omit<VectorRow, 'seq' | 'gone' | 'was'>, seq: number, gone: number | null, was: string | null): void {
    this.#renames.settleFor(row.path)
    this.#sql
      .prepare('INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run([
        ...[this.#folder, pathKey(row.path), KINDS.indexOf(row.kind), row.content, row.mode, row.mtimeNs],
        ...[signed(row.inode), row.birthNs, gone, this.#text(row.version), was, seq, this.#by]
      ])
  }

  /** `1 1790000000000 4 17`: the number of a name, its counter, and so on. */
  #text(version: Version): string {
    return Object.entries(version)
      .flatMap(([name, n]) => [this.#number(name), n])
      .join(' ')
  }

  #version(text: string): Version {
    if (text === '') return {}
    const numbers = text.split(' ').map(Number)
    const entries: [string, number][] = []
    for (let i = 0; i < numbers.length; i += 2) entries.push([this.#name(numbers[i]!), numbers[i + 1]!])
    return Object.fromEntries(entries)
  }

  #number(name: string): number {
    let number = this.#names.get(name)
    if (number === undefined) {
      const [highest, count] = ['max(id)', 'count(*)'].map(
        what => () => this.#sql.prepare<{ n: number }>(`SELECT ${what} AS n FROM names`).get()!.n
      )
      // They are counted only where names that went may have left room.
      if (highest!() >= MAX_NAMES && count!() >= MAX_NAMES)
        throw new SpacedriveError('TOO_MANY', 'versions of too many folders and syncs are known here')
      this.#sql.prepare('INSERT INTO names (name) VALUES (?) ON CONFLICT DO NOTHING').run([name])
      number = this.#sql.prepare<{ id: number }>('SELECT id FROM names WHERE name = ?').get([name])!.id
      this.#names.set(name, number)
    }
    return number
  }

  #name(number: number): string {
    let name = this.#numbers.get(number)
    if (name === undefined) {
      name = this.#sql.prepare<{ name: string }>('SELECT name FROM names WHERE id = ?').get([number])!.name
      this.#numbers.set(number, name)
    }
    return name
  }
}

/** The device behind a name under which changes are counted. */
export const deviceOfReplica = (replica: string): string | undefined => replica.split('.')[0] || undefined
