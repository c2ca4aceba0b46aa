import { lstatSync, readdirSync } from 'node:fs'
import {
  type AbsPath,
  defineTasks,
  displayPath,
  errorCode,
  fsPath,
  hasCode,
  type Problem,
  pathBytes,
  type TaskContext,
  textFromBytes,
  toError
} from '../../storage/base/index.js'
import { FLAG, findByPath, KIND, rowByName } from '../../storage/entries/index.js'
import { AREA_NAME, isTempName, MARKER_NAME } from '../../storage/files/index.js'
import { openSqlite, type Sql, withReader } from '../../storage/sql/index.js'
import { withWork } from './work.js'

/**
 * The list of files that duplicates and validation work on. known: the hash in an index, with known_state: 1 its stat is that
 * of the disk and vouches, 2 the file was changed since, 3 the stat was too near the hashing to vouch. twin: another row of the
 * same inode, which stands for both. state: 0 to be looked at; for duplicates 1 out of it (changed, unreadable, or nothing like
 * it); for validation what came out, see there.
 */
export const FILES_SCHEMA = `
  CREATE TABLE dirs (id INTEGER PRIMARY KEY, path BLOB NOT NULL) STRICT;
  CREATE TABLE files (
    id INTEGER PRIMARY KEY, dir INTEGER NOT NULL, name BLOB NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL, device INTEGER NOT NULL, links INTEGER NOT NULL,
    library TEXT, entry INTEGER, known BLOB, known_state INTEGER NOT NULL DEFAULT 0,
    twin INTEGER, cas BLOB, hash BLOB, state INTEGER NOT NULL DEFAULT 0
  ) STRICT;`

export interface CollectInput {
  readonly file: AbsPath
  /** Real paths, none within another. */
  readonly roots: readonly AbsPath[]
  /** Smaller files are left out. */
  readonly minBytes: number
  /** Our own places: not entered. */
  readonly ours: readonly AbsPath[]
}

export interface Collected {
  readonly files: number
  readonly bytes: number
  readonly problems: readonly Problem[]
  readonly problemCount: number
}

/** A library whose hashes may be used. */
export interface IndexSource {
  readonly id: string
  readonly databaseFile: string
  readonly host: number
}

export interface FromIndexInput {
  readonly file: AbsPath
  readonly libraries: readonly IndexSource[]
}

/** Rows of one transaction: some milliseconds. */
const ROWS_AT_ONCE = 5_000
const MAX_TOLD = 200

export const collecting = defineTasks(import.meta.url, {
  /** Walks and writes the list anew. Emits how much was found so far; links are not followed, mounts not entered. */
  async collect(input: CollectInput, ctx: TaskContext): Promise<Collected> {
    withWork(input.file, FILES_SCHEMA, sql => {
      sql.exec('DELETE FROM files')
      sql.exec('DELETE FROM dirs')
    })
    const sql = openSqlite(input.file, { synchronous: 'NORMAL' })
    try {
      return await new Collector(sql, input, ctx).run()
    } finally {
      sql.close()
    }
  },

  /** Looks each file of the list up in the indexes. @returns how many were known there */
  async fromIndex({ file, libraries }: FromIndexInput, ctx: TaskContext): Promise<number> {
    let known = 0
    for (const library of libraries) {
      let after = 0
      for (;;) {
        ctx.signal.throwIfAborted()
        const next = withWork(file, FILES_SCHEMA, work => lookUp(work, library, after))
        known += next.known
        if (next.last === undefined) break
        after = next.last
        await new Promise(resolve => setImmediate(resolve))
      }
    }
    return known
  }
})

class Collector {
  readonly #sql: Sql
  readonly #input: CollectInput
  readonly #ctx: TaskContext
  readonly #sum = { files: 0, bytes: 0 }
  readonly #problems: Problem[] = []
  #problemCount = 0
  #dirs = 0
  #rows: (number | bigint | Uint8Array)[][] = []

  constructor(sql: Sql, input: CollectInput, ctx: TaskContext) {
    this.#sql = sql
    this.#input = input
    this.#ctx = ctx
  }

  async run(): Promise<Collected> {
    for (const root of this.#input.roots) await this.#root(root)
    this.#flush()
    const { files, bytes } = this.#sum
    return { files, bytes, problems: this.#problems, problemCount: this.#problemCount }
  }

  async #root(root: AbsPath): Promise<void> {
    const stat = this.#try(root, () => lstatSync(fsPath(root), { bigint: true }))
    if (stat === undefined) return
    if (!stat.isDirectory()) {
      const at = root.lastIndexOf('/')
      if (stat.isFile()) this.#add(this.#dir(root.slice(0, at) || '/'), root.slice(at + 1), stat)
      return
    }
    const waiting: string[] = [root]
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      await this.#directory(path, stat.dev, waiting)
    }
  }

  async #directory(path: string, device: bigint, waiting: string[]): Promise<void> {
    const names = this.#try(path, () => readdirSync(fsPath(path), { encoding: 'buffer' }).map(textFromBytes))
    if (names === undefined) return
    let dir: number | undefined
    const below: string[] = []
    for (const name of names.sort()) {
      const at = path === '/' ? `/${name}` : `${path}/${name}`
      const stat = this.#try(at, () => lstatSync(fsPath(at), { bigint: true }))
      if (stat === undefined || isTempName(name)) continue
      if (stat.isDirectory()) {
        if (stat.dev === device && !this.#isOurs(at, name)) below.push(at)
      } else if (stat.isFile() && stat.size >= this.#input.minBytes) {
        dir ??= this.#dir(path)
        this.#add(dir, name, stat)
        if (this.#rows.length >= ROWS_AT_ONCE) {
          this.#flush()
          this.#ctx.emit({ ...this.#sum })
          await new Promise(resolve => setImmediate(resolve)) // the message that says "abort" can only arrive then
          this.#ctx.signal.throwIfAborted()
        }
      }
    }
    for (const at of below.reverse()) waiting.push(at)
  }

  #isOurs(path: string, name: string): boolean {
    if (this.#input.ours.some(own => own === path)) return true
    return name === AREA_NAME && lstatSync(fsPath(`${path}/${MARKER_NAME}`), { throwIfNoEntry: false }) !== undefined
  }

  #dir(path: string): number {
    this.#sql.prepare('INSERT INTO dirs (id, path) VALUES (?, ?)').run([++this.#dirs, pathBytes(path)])
    return this.#dirs
  }

  #add(
    dir: number,
    name: string,
    s: { size: bigint; mtimeNs: bigint; ctimeNs: bigint; ino: bigint; dev: bigint; nlink: bigint }
  ): void {
    this.#rows.push([dir, pathBytes(name), s.size, s.mtimeNs, s.ctimeNs, s.ino, s.dev, s.nlink])
    this.#sum.files++
    this.#sum.bytes += Number(s.size)
  }

  #flush(): void {
    const rows = this.#rows
    this.#rows = []
    this.#sql.transaction(() => {
      const insert = this.#sql.prepare(
        `INSERT INTO files (dir, name, size, mtime_ns, ctime_ns, inode, device, links) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
      )
      for (const row of rows) insert.run(row)
    })
  }

  /** What vanishes meanwhile is no problem. */
  #try<T>(path: string, fn: () => T): T | undefined {
    try {
      return fn()
    } catch (err) {
      if (hasCode(err, 'ENOENT', 'ENOTDIR')) return undefined
      const message = `could not look at ${displayPath(path)}: ${hasCode(err, 'EACCES', 'EPERM') ? 'permission denied' : toError(err).message.replace(/,? '.*$/s, '')}`
      if (this.#problems.length < MAX_TOLD)
        this.#problems.push({ path: displayPath(path), code: errorCode(err), message })
      this.#problemCount++
      return undefined
    }
  }
}

interface Candidate {
  id: bigint
  dir: bigint
  name: Uint8Array
  size: bigint
  mtime_ns: bigint
  ctime_ns: bigint
  inode: bigint
}

/** One stretch of the list. @returns how far it came */
function lookUp(work: Sql, { id: library, databaseFile, host }: IndexSource, after: number) {
  const rows = work
    .prepare<Candidate>(
      `SELECT id, dir, name, size, mtime_ns, ctime_ns, inode FROM files
       WHERE id > ? AND state = 0 AND entry IS NULL ORDER BY id LIMIT ?`,
      { bigint: true }
    )
    .all([after, ROWS_AT_ONCE])
  const pathOf = work.prepare<{ path: Uint8Array }>('SELECT path FROM dirs WHERE id = ?')
  const save = work.prepare('UPDATE files SET library = ?, entry = ?, known = ?, known_state = ? WHERE id = ?')
  const found = withReader(databaseFile, index => {
    const hashOf = index.prepare<{ hash: Uint8Array }>('SELECT hash FROM contents WHERE id = ?')
    let dir = -1n
    let parent: number | undefined
    return rows.flatMap(row => {
      if (row.dir !== dir) {
        dir = row.dir
        parent = findByPath(index, host, textFromBytes(pathOf.get([dir])!.path) as AbsPath)
      }
      const entry = parent === undefined ? undefined : rowByName(index, parent, row.name)
      if (entry === undefined || entry.kind !== KIND.FILE || entry.content === null) return []
      const same =
        BigInt(entry.size) === row.size &&
        entry.mtimeNs === row.mtime_ns &&
        entry.ctimeNs === row.ctime_ns &&
        (entry.inode === 0n || entry.inode === row.inode)
      const state = !same || entry.flags & FLAG.STALE ? 2 : entry.flags & FLAG.RACY ? 3 : 1
      return [{ id: row.id, entry: entry.id, hash: hashOf.get([entry.content])?.hash ?? null, state }]
    })
  })
  for (const { id, entry, hash, state } of found) save.run([library, entry, hash, state, id])
  const last = rows.at(-1)
  return { known: found.length, last: last === undefined ? undefined : Number(last.id) }
}
