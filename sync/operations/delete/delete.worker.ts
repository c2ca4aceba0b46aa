import {
  type AbsPath,
  defineTasks,
  displayPath,
  errorCode,
  type Problem,
  pathBytes,
  type TaskContext,
  textFromBytes,
  toError
} from '../../../storage/base/index.js'
import type { EntryKind, Expected } from '../../../storage/files/index.js'
import { type Sql, withReader } from '../../../storage/sql/index.js'
import { look, Measuring } from '../look.js'
import { resolveAll, withoutCovered } from '../named-paths.js'
import { withWork } from '../work.js'
import { type Protected, refusalOf } from './protect.js'

const SCHEMA = `
  CREATE TABLE items (
    n INTEGER PRIMARY KEY, at BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    files INTEGER NOT NULL, bytes INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'waiting',
    gone_files INTEGER, gone_bytes INTEGER
  ) STRICT;
  CREATE INDEX items_by_state ON items (state, n);`

/** One thing to delete, as it was seen when it was looked at what is to be done. */
export interface DeleteItem {
  readonly n: number
  readonly at: AbsPath
  readonly expected: Expected
  readonly files: number
  readonly bytes: number
  /** It was begun before: a crash may have come after its end. */
  readonly begun: boolean
}

/** One that is over with. */
export interface Handled {
  readonly n: number
  /** What went; left out for one that stays. */
  readonly gone?: { readonly files: number; readonly bytes: number } | undefined
}

export interface PlanInput {
  readonly file: AbsPath
  /** Absolute, as typed. */
  readonly paths: readonly string[]
  readonly protect: Protected
}

export interface PlanOutput {
  readonly items: number
  readonly files: number
  readonly bytes: number
  /** What must not go: nothing is begun. */
  readonly refused: readonly Problem[]
  readonly refusedCount: number
  /** What is not there: the rest goes. */
  readonly problems: readonly Problem[]
  readonly problemCount: number
}

/** In the list: it does not count. */
const NO_CTIME = 0n
/** Told of one plan; the rest is counted. */
const MAX_TOLD = 100

export const deleting = defineTasks(import.meta.url, {
  /** Looks at what is to go and writes the list. Emits how much was found so far. */
  async plan({ file, paths, protect }: PlanInput, ctx: TaskContext): Promise<PlanOutput> {
    const refused: Problem[] = []
    const problems: Problem[] = []
    const found = withoutCovered(resolveAll(paths, (path, err) => problems.push(problemAt(path, err))))
    const measuring = new Measuring(ctx)
    const rows: (DeleteItem & { kind: EntryKind })[] = []
    for (const at of found) {
      const refusal = refusalOf(at, protect)
      if (refusal !== undefined) {
        refused.push(refusal)
        continue
      }
      try {
        const stat = look(at)
        const { files, bytes } =
          stat.kind === 'directory' ? await measuring.below(at) : await measuring.one(stat.sizeBytes)
        const { kind, sizeBytes, mtimeNs, inode, links } = stat
        // Of a file with several names it changes with each that goes.
        const ctimeNs = links === 1 || kind === 'directory' ? stat.ctimeNs : undefined
        const expected = { kind, sizeBytes, mtimeNs, ctimeNs, inode }
        rows.push({ n: rows.length, at, expected, kind: stat.kind, files, bytes, begun: false })
      } catch (err) {
        ctx.signal.throwIfAborted()
        problems.push(problemAt(at, err))
      }
    }
    withWork(file, SCHEMA, sql => insert(sql, rows))
    return {
      items: rows.length,
      ...measuring.sum,
      refused: refused.slice(0, MAX_TOLD),
      refusedCount: refused.length,
      problems: problems.slice(0, MAX_TOLD),
      problemCount: problems.length
    }
  },

  /** Files and bytes below one directory. */
  measure: ({ path }: { path: AbsPath }, ctx: TaskContext): Promise<{ files: number; bytes: number }> =>
    new Measuring(ctx).below(path),

  /** The next ones, marked as begun; those that were begun before come first. */
  take({ file, limit }: { file: AbsPath; limit: number }): DeleteItem[] {
    return withWork(file, SCHEMA, sql => {
      const items = read(sql, "state IN ('begun', 'waiting') ORDER BY state, n LIMIT ?", [limit])
      const begin = sql.prepare("UPDATE items SET state = 'begun' WHERE n = ?")
      for (const { n } of items) begin.run([n])
      return items
    })
  },

  /** These are over with; of those that went, with how much. In the list, not in the job's state alone: one commit each. */
  done({ file, handled }: { file: AbsPath; handled: readonly Handled[] }): void {
    withWork(file, SCHEMA, sql => {
      const done = sql.prepare("UPDATE items SET state = 'done', gone_files = ?, gone_bytes = ? WHERE n = ?")
      for (const { n, gone } of handled) done.run([gone?.files ?? null, gone?.bytes ?? null, n])
    })
  },

  /** What went so far. */
  gone({ file }: { file: AbsPath }): { items: number; files: number; bytes: number } {
    return withReader(
      file,
      sql =>
        sql
          .prepare<{ items: number; files: number; bytes: number }>(
            `SELECT count(gone_files) AS items, coalesce(sum(gone_files), 0) AS files,
               coalesce(sum(gone_bytes), 0) AS bytes FROM items`
          )
          .get([])!
    )
  },

  /** The list, for a preview. */
  list({ file, limit }: { file: AbsPath; limit: number }): DeleteItem[] {
    return withReader(file, sql => read(sql, '1 ORDER BY n LIMIT ?', [limit]))
  },

  /** What all of it comes to. */
  totals({ file }: { file: AbsPath }): { files: number; bytes: number } {
    return withReader(
      file,
      sql =>
        sql
          .prepare<{ files: number; bytes: number }>(
            'SELECT coalesce(sum(files), 0) AS files, coalesce(sum(bytes), 0) AS bytes FROM items'
          )
          .get([])!
    )
  }
})

/** Of a path that was named. */
function problemAt(path: string, err: unknown): Problem {
  const code = errorCode(err)
  const why = code === 'ENOENT' || code === 'ENOTDIR' ? 'it is not there' : toError(err).message.replace(/,? '.*$/s, '')
  return {
    path: displayPath(path),
    code: code === 'ENOENT' || code === 'ENOTDIR' ? 'MISSING' : code,
    message: `could not delete ${displayPath(path)}: ${why}`
  }
}

function insert(sql: Sql, rows: readonly (DeleteItem & { kind: EntryKind })[]): void {
  const statement = sql.prepare(
    `INSERT INTO items (n, at, kind, size, mtime_ns, ctime_ns, inode, files, bytes)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
  )
  for (const { n, at, kind, expected: e, files, bytes } of rows) {
    statement.run([n, pathBytes(at), kind, e.sizeBytes!, e.mtimeNs!, e.ctimeNs ?? NO_CTIME, e.inode!, files, bytes])
  }
}

function read(sql: Sql, where: string, params: readonly number[]): DeleteItem[] {
  const columns = 'n, at, kind, size, mtime_ns, ctime_ns, inode, files, bytes, state'
  return sql
    .prepare<Record<string, bigint> & { at: Uint8Array; kind: EntryKind; state: string }>(
      `SELECT ${columns} FROM items WHERE ${where}`,
      { bigint: true }
    )
    .all(params)
    .map(r => ({
      n: Number(r.n),
      at: textFromBytes(r.at) as AbsPath,
      expected: {
        kind: r.kind,
        sizeBytes: Number(r.size),
        mtimeNs: r.mtime_ns!,
        ctimeNs: r.ctime_ns === NO_CTIME ? undefined : r.ctime_ns!,
        inode: r.inode!
      },
      files: Number(r.files),
      bytes: Number(r.bytes),
      begun: r.state === 'begun'
    }))
}
