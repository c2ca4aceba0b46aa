import { type AbsPath, defineTasks, displayPath, textFromBytes } from '../../../storage/base/index.js'
import { hashFromBytes } from '../../../storage/content/index.js'
import { type Sql, withReader } from '../../../storage/sql/index.js'
import { FILES_SCHEMA } from '../collect.worker.js'
import type { ReadOutcome, ToRead } from '../duplicates/groups.worker.js'
import { withWork } from '../work.js'

/** `files.state` of a list that is validated. */
const STATE = { waiting: 0, whole: 1, corrupt: 2, changed: 3, unreadable: 4, unrecorded: 5 } as const

export interface ValidationCounts {
  /** Read, and the same as recorded. */
  readonly whole: number
  /** Other bytes than recorded, though size and times are the same. */
  readonly corrupt: number
  /** Edited since they were hashed: their old hash says nothing. */
  readonly changed: number
  readonly unreadable: number
  /** No hash of them is recorded. */
  readonly unrecorded: number
}

/** A finding, for the index that knows the file. */
export interface Finding {
  readonly library: string
  readonly entry: number
  readonly path: AbsPath
  readonly hash: Uint8Array
  readonly message: string
}

export interface Judged {
  readonly corrupt: readonly Finding[]
  readonly whole: readonly { readonly library: string; readonly entry: number }[]
}

export const validating = defineTasks(import.meta.url, {
  /** Sorts out what cannot be compared. @returns what is to be read */
  begin({ file }: { file: AbsPath }): { files: number; bytes: number } {
    return withWork(file, FILES_SCHEMA, sql => {
      sql.exec(`
        UPDATE files SET state = ${STATE.unrecorded} WHERE state = 0 AND known IS NULL;
        UPDATE files SET state = ${STATE.changed} WHERE state = 0 AND known_state = 2;`)
      return left(sql)
    })
  },

  left: ({ file }: { file: AbsPath }): { files: number; bytes: number } => withReader(file, left),

  take({ file, after, limit }: { file: AbsPath; after: number; limit: number }): ToRead[] {
    return withReader(file, sql =>
      sql
        .prepare<{ id: number; size: number; dir: Uint8Array; name: Uint8Array }>(
          `SELECT f.id, f.size, (SELECT path FROM dirs WHERE id = f.dir) AS dir, f.name FROM files f
           WHERE f.state = 0 AND f.id > ? ORDER BY f.id LIMIT ?`
        )
        .all([after, limit])
        .map(({ id, size, dir, name }) => ({ id, size, path: join(dir, name) }))
    )
  },

  /** Judges what was read by what is recorded. */
  judge({ file, outcomes }: { file: AbsPath; outcomes: readonly ReadOutcome[] }): Judged {
    return withWork(file, FILES_SCHEMA, sql => {
      const rowOf = sql.prepare<Row>(
        `SELECT f.library, f.entry, f.known, f.known_state, f.mtime_ns, f.ctime_ns, d.path AS dir, f.name
         FROM files f JOIN dirs d ON d.id = f.dir WHERE f.id = ?`,
        { bigint: true }
      )
      const save = sql.prepare('UPDATE files SET state = ? WHERE id = ?')
      const corrupt: Finding[] = []
      const whole: { library: string; entry: number }[] = []
      for (const outcome of outcomes) {
        const row = rowOf.get([outcome.id])!
        const state = verdict(row, outcome)
        save.run([state, outcome.id])
        const at = { library: row.library, entry: Number(row.entry) }
        if (state === STATE.whole) whole.push(at)
        if (state === STATE.corrupt) corrupt.push({ ...at, ...finding(row, outcome) })
      }
      return { corrupt, whole }
    })
  },

  counts({ file }: { file: AbsPath }): ValidationCounts {
    return withReader(file, sql => {
      const rows = sql
        .prepare<{ state: number; n: number }>('SELECT state, count(*) AS n FROM files GROUP BY state')
        .all([])
      const of = (state: number): number => rows.find(r => r.state === state)?.n ?? 0
      return {
        whole: of(STATE.whole),
        corrupt: of(STATE.corrupt),
        changed: of(STATE.changed),
        unreadable: of(STATE.unreadable),
        unrecorded: of(STATE.unrecorded)
      }
    })
  }
})

interface Row {
  readonly library: string
  readonly entry: bigint
  readonly known: Uint8Array
  readonly known_state: bigint
  readonly mtime_ns: bigint
  readonly ctime_ns: bigint
  readonly dir: Uint8Array
  readonly name: Uint8Array
}

/** What changed meanwhile or is gone was edited; what the system does not give is unreadable. */
const EDITED: ReadonlySet<string> = new Set(['CHANGED', 'CHANGED_WHILE_READING', 'ENOENT', 'ENOTDIR', 'NOT_A_FILE'])

function verdict(row: Row, { hash, mtimeNs, ctimeNs, out, code }: ReadOutcome): number {
  if (out || hash === undefined) return EDITED.has(code ?? '') ? STATE.changed : STATE.unreadable
  if (hash === hashFromBytes(row.known)) return STATE.whole
  // Its times say that it was written to since the list was made, or cannot vouch for what was hashed: an edit may hide there.
  const same = mtimeNs === row.mtime_ns && ctimeNs === row.ctime_ns
  return same && row.known_state === 1n ? STATE.corrupt : STATE.changed
}

function finding(row: Row, { hash }: ReadOutcome): Pick<Finding, 'path' | 'hash' | 'message'> {
  const path = join(row.dir, row.name)
  const message = `${displayPath(path)} holds other bytes than were recorded, though its size and times are the same: expected ${hashFromBytes(row.known).slice(0, 16)}..., got ${hash!.slice(0, 16)}...`
  return { path, hash: row.known, message }
}

function left(sql: Sql): { files: number; bytes: number } {
  return sql
    .prepare<{ files: number; bytes: number }>(
      'SELECT count(*) AS files, coalesce(sum(size), 0) AS bytes FROM files WHERE state = 0'
    )
    .get([])!
}

const join = (dir: Uint8Array, name: Uint8Array): AbsPath => {
  const parent = textFromBytes(dir)
  return `${parent === '/' ? '' : parent}/${textFromBytes(name)}` as AbsPath
}
