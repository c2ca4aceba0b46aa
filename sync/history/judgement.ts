import { type ContentHash, displayPath, isWithin, parentOf, type RelPath, ROOT } from '../../storage/base/index.js'
import { hashBytes, hashFromBytes } from '../../storage/content/index.js'
import type { Sql } from '../../storage/sql/index.js'
import { keyPath, pathKey } from '../session/index.js'
import { parseLine } from '../versions/index.js'
import { movesAtOnce } from './moves-at-once.js'
import { TARGET } from './then-rows.js'

/** A path that stays as it is. */
export interface Left {
  readonly path: RelPath
  readonly why: string
}

interface Row {
  readonly n: number
  readonly run: string
  readonly path: RelPath
  readonly to: RelPath | undefined
  readonly kind: string
  readonly before: ContentHash | undefined
  readonly after: ContentHash | undefined
  readonly doneAtMs: number
}

/** What the runs left at a name, by the name it has now. */
interface Name {
  /** What must be there for it to be taken back. */
  expect: 'nothing' | 'directory' | 'something' | ContentHash
  /** Indexes of the changes that made it so. */
  readonly rows: Set<number>
  /** There was something before the runs. */
  readonly before: boolean
  /** What is there now goes from this name when it is taken back. `moved`: with all below it. */
  leaves: 'no' | 'made' | 'moved'
}

interface Seen {
  kind: number
  hash: Uint8Array | null
  target: Uint8Array | null
  mtimeMs: number
}

/** What can be taken back of what the runs did at an end, and what stands in the way of the rest. */
export class Judgement {
  readonly #sql: Sql
  readonly #rows: readonly Row[]
  #names = new Map<RelPath, Name>()
  readonly #blocked = new Set<number>()
  readonly #why = new Map<RelPath, string>()

  constructor(sql: Sql) {
    this.#sql = sql
    this.#rows = sql
      .prepare<RawRow>('SELECT * FROM undo_rows ORDER BY n')
      .all()
      .map(r => ({
        ...{ n: r.n, run: r.run, path: keyPath(r.path), kind: r.kind, doneAtMs: r.done_at },
        to: r.to_path === null ? undefined : keyPath(r.to_path),
        before: r.before === null ? undefined : hashFromBytes(r.before),
        after: r.after === null ? undefined : hashFromBytes(r.after)
      }))
  }

  run(limit: number): { left: Left[]; leftCount: number; rows: number } {
    const atOnce = movesAtOnce(this.#rows)
    for (const [i, row] of this.#rows.entries()) {
      const moves = atOnce.get(i)
      if (moves === undefined) this.#follow(i, row)
      else if (moves[0] === i) this.#changePlaces(moves)
    }
    const lines = this.#matchLines()
    for (const [path, name] of this.#names) {
      const why = this.#obstacle(path, name)
      if (why !== undefined) this.#block(path, name, this.#isBack(path, name) ? undefined : why)
    }
    do this.#spread()
    while (this.#findHolders() || this.#findHomeless())
    const insert = this.#sql.prepare('INSERT INTO lines (value) VALUES (?)')
    for (const [i, { value }] of lines.list.entries())
      if (lines.rowOf[i] !== undefined && !this.#blocked.has(lines.rowOf[i])) insert.run([value])
    const affect = this.#sql.prepare('INSERT OR IGNORE INTO affected VALUES (?)')
    for (const [path, { rows }] of this.#names) if (!this.#isBlocked(rows)) affect.run([pathKey(path)])
    const left = [...this.#why].map(([path, why]) => ({ path, why }))
    return { left: left.slice(0, limit), leftCount: left.length, rows: this.#rows.length - this.#blocked.size }
  }

  /** Where what was changed is now, and what it must be. */
  #follow(i: number, { path, to, kind, before, after }: Row): void {
    if (kind === 'move') {
      const carried = this.#names.get(path)
      this.#names.delete(path)
      if (before === undefined) this.#renameBelow(path, to!)
      this.#names.set(path, { expect: 'nothing', rows: new Set([i]), before: carried?.before ?? true, leaves: 'no' })
      const there = this.#names.get(to!)
      const rows = new Set([...(there?.rows ?? []), ...(carried?.rows ?? []), i])
      const leaves = carried?.leaves === 'made' ? 'made' : 'moved'
      this.#names.set(to!, { expect: before ?? 'directory', rows, before: there?.before ?? false, leaves })
      return
    }
    const made = kind === 'create' || kind === 'make-directory'
    const name = this.#names.get(path) ?? { expect: 'something', rows: new Set(), before: !made, leaves: 'no' }
    this.#names.set(path, name)
    name.rows.add(i)
    if (made) name.leaves = 'made'
    if (kind === 'make-directory') name.expect = 'directory'
    else if (kind === 'create' || kind === 'replace') name.expect = after ?? 'something'
    else if (kind === 'remove' || kind === 'remove-directory') {
      name.expect = 'nothing'
      name.leaves = 'no'
    }
  }

  /** Names that changed places in one step, with all that is below them: one thing, taken back as a whole or not at all. */
  #changePlaces(at: readonly number[]): void {
    const moves = at.map(i => this.#rows[i]!)
    const left = new Map(moves.map(move => [move.path, move]))
    const old = this.#names
    this.#names = new Map()
    const rows = new Set(at)
    for (const [path, name] of old) {
      const move = moves.find(m => path === m.path || (m.before === undefined && isWithin(path, m.path)))
      this.#names.set(move === undefined ? path : ((move.to! + path.slice(move.path.length)) as RelPath), name)
      if (move?.path === path) for (const i of name.rows) rows.add(i)
    }
    for (const { path, to, before } of moves) {
      const leaves = this.#names.get(to!)?.leaves === 'made' ? 'made' : 'moved'
      const was = old.get(to!)?.before ?? left.has(to!)
      this.#names.set(to!, { expect: before ?? 'directory', rows, before: was, leaves })
      if (moves.some(m => m.to === path)) continue
      this.#names.set(path, { expect: 'nothing', rows, before: old.get(path)?.before ?? true, leaves: 'no' })
    }
  }

  #renameBelow(path: RelPath, to: RelPath): void {
    const names = new Map<RelPath, Name>()
    for (const [at, name] of this.#names)
      names.set(at !== path && isWithin(at, path) ? ((to + at.slice(path.length)) as RelPath) : at, name)
    this.#names = names
  }

  /** The line of each change: without one there is no way back. */
  #matchLines(): { list: readonly { value: string }[]; rowOf: (number | undefined)[] } {
    const list = this.#sql.prepare<{ value: string }>('SELECT value FROM undo_lines ORDER BY n').all()
    const rowOf: (number | undefined)[] = []
    const wanted = new Map<string, number[]>() // the last one first
    for (const [i, row] of this.#rows.entries()) {
      const key = keyOf(row.run, row.path, row.to, SORTS[row.kind] ?? 'was')
      const same = wanted.get(key) ?? []
      wanted.set(key, same)
      same.push(i)
    }
    for (const { value } of list) {
      const line = parseLine(value)
      const sort = line?.was === null ? 'made' : line?.was.kind === 'attributes' ? 'attributes' : 'was'
      rowOf.push(line && wanted.get(keyOf(line.run, line.path, line.to, sort))?.pop())
    }
    const lost = new Set([...wanted.values()].flat())
    for (const [path, name] of this.#names)
      if ([...name.rows].some(i => lost.has(i) && this.#rows[i]!.kind !== 'attributes'))
        this.#block(path, name, 'what was there before is not kept any more')
    return { list, rowOf }
  }

  #obstacle(path: RelPath, { expect, rows }: Name): string | undefined {
    const there = this.#seen(path)
    const since = (): string =>
      this.#sql.prepare('SELECT 1 FROM later WHERE path = ?').get([pathKey(path)]) === undefined
        ? 'it was changed since'
        : 'a later run changed it again'
    if (expect === 'nothing') return there === undefined ? undefined : 'something else has that name now'
    if (there === undefined) return 'it is not there any more'
    if (expect === 'directory') return there.kind === 1 ? undefined : since()
    if (expect !== 'something') return contentOf(there) === expect ? undefined : since()
    const doneAtMs = Math.max(...[...rows].map(i => this.#rows[i]!.doneAtMs))
    return there.kind === 0 && there.mtimeMs > doneAtMs ? since() : undefined
  }

  /** What shares a change with something that stays, stays. */
  #spread(): void {
    for (let changed = true; changed; ) {
      changed = false
      for (const [path, name] of this.#names) {
        if (!this.#isBlocked(name.rows) || [...name.rows].every(i => this.#blocked.has(i))) continue
        this.#block(path, name, 'it belongs to something that stays as it is')
        changed = true
      }
    }
  }

  /** A folder that a run made stays as long as something is in it that came later. */
  #findHolders(): boolean {
    if (![...this.#names.values()].some(n => n.leaves === 'made' && n.expect === 'directory')) return false
    let found = false
    const all = this.#sql.prepare<{ path: Uint8Array }>(`SELECT path FROM seen WHERE at = ${TARGET} ORDER BY path`)
    for (const { path: key } of all.all()) {
      const path = keyPath(key)
      if (this.#goes(path)) continue
      for (let at = parentOf(path); at !== ROOT; at = parentOf(at)) {
        const name = this.#names.get(at)
        if (name === undefined || name.leaves !== 'made' || this.#isBlocked(name.rows)) continue
        this.#block(at, name, `it holds ${displayPath(path)}, which stays`)
        found = true
      }
    }
    return found
  }

  #goes(path: RelPath): boolean {
    const own = this.#names.get(path)
    if (own !== undefined && own.leaves !== 'no' && !this.#isBlocked(own.rows)) return true
    for (let at = parentOf(path); at !== ROOT; at = parentOf(at)) {
      const name = this.#names.get(at)
      if (name?.leaves === 'moved' && !this.#isBlocked(name.rows)) return true
    }
    return false
  }

  /** What comes back needs the folder it was in. */
  #findHomeless(): boolean {
    let found = false
    for (const [path, name] of this.#names) {
      const parent = parentOf(path)
      if (name.expect !== 'nothing' || !name.before || this.#isBlocked(name.rows) || parent === ROOT) continue
      if (this.#comesBack(parent) || this.#seen(parent)?.kind === 1) continue
      this.#block(path, name, `the folder ${displayPath(parent)} it was in is not there any more`)
      found = true
    }
    return found
  }

  /** A folder that the runs took from its name, whatever has that name now. */
  #comesBack(path: RelPath): boolean {
    const name = this.#names.get(path)
    if (name === undefined || !name.before || this.#isBlocked(name.rows)) return false
    if (name.expect === 'nothing') return true
    const first = this.#rows[Math.min(...[...name.rows].filter(i => this.#rows[i]!.path === path))]
    return first?.kind === 'remove-directory' || (first?.kind === 'move' && first.before === undefined)
  }

  /** It is as it was before the runs: taken back by hand, or by an attempt that was cut short before it was written down. */
  #isBack(path: RelPath, { rows }: Name): boolean {
    const first = this.#rows[Math.min(...rows)]!
    const there = this.#seen(path)
    const { kind, before } = first
    if (kind === 'move' && rows.size > 1) return false
    if (kind === 'create' || kind === 'make-directory' || (kind === 'move' && path === first.to))
      return there === undefined
    if (there === undefined) return false
    if (kind === 'remove-directory' || (kind === 'move' && before === undefined)) return there.kind === 1
    return before !== undefined && contentOf(there) === before
  }

  /** @param why - told; undefined: nobody needs to know */
  #block(path: RelPath, { rows }: Name, why: string | undefined): void {
    for (const i of rows) this.#blocked.add(i)
    if (why !== undefined && !this.#why.has(path)) this.#why.set(path, why)
  }

  #isBlocked(rows: ReadonlySet<number>): boolean {
    for (const i of rows) if (this.#blocked.has(i)) return true
    return false
  }

  #seen(path: RelPath): Seen | undefined {
    return this.#sql
      .prepare<Seen>(`SELECT kind, hash, target, mtime / 1000000 mtimeMs FROM seen WHERE at = ${TARGET} AND path = ?`)
      .get([pathKey(path)])
  }
}

interface RawRow {
  n: number
  run: string
  path: Uint8Array
  to_path: Uint8Array | null
  kind: string
  before: Uint8Array | null
  after: Uint8Array | null
  done_at: number
}

type Sort = 'made' | 'attributes' | 'was'

/** What the line of a change says of before it. */
const SORTS: Readonly<Record<string, Sort>> = {
  ...{ create: 'made', 'make-directory': 'made', move: 'made', attributes: 'attributes' }
}

const keyOf = (run: string, path: RelPath, to: RelPath | undefined, sort: Sort): string =>
  `${run}\0${path}\0${to ?? ''}\0${sort}`

function contentOf({ kind, hash, target }: Seen): ContentHash | undefined {
  if (kind === 0) return hash === null ? undefined : hashFromBytes(hash)
  return kind === 2 && target !== null ? hashBytes(target) : undefined
}
