/** Of which paths a plan needs the versions, and what the ends said of them: in a file of its own beside the snapshot. */
import { defineTasks, parentOf, pathBytes, type RelPath, ROOT, textFromBytes } from '../../storage/base/index.js'
import { removeFile } from '../../storage/files/index.js'
import { openSqlite, type Sql, withReader } from '../../storage/sql/index.js'
import type { SeenThing } from '../endpoints/index.js'
import {
  type ArchiveEntry,
  ENDS,
  type End,
  isPresent,
  type Present,
  sameContent,
  type Version
} from '../reconcile/index.js'
import { Ignored } from './ignored.js'
import { keysToPlan, optionsBasis } from './partial.js'
import { keyPath, pathKey } from './path-key.js'
import type { PlanInput } from './plan.worker.js'
import { PLAN_CACHE_KIB, withPlan } from './plan-file.js'
import { SyncRows } from './rows.js'
import { endNumber, signed } from './seen.js'

/** Paths whose versions somebody else changed are listed like those that changed. */
export interface AskedInput extends Omit<PlanInput, 'planFile'> {
  readonly vectorsFile: string
}

export interface AskedPage {
  readonly vectorsFile: string
  readonly end: End
  /** What is gone there, or what is there. */
  readonly gone: boolean
  readonly after: RelPath | undefined
  readonly limit: number
}

/** What both ends said, as a plan needs it. */
export interface ToldVectors {
  /** Of what lies there, or of its deletion. */
  of(end: End, path: RelPath): Version | undefined
  readonly listed: readonly Uint8Array[]
}

const KINDS = ['file', 'directory', 'symlink', 'gone'] as const
const TABLES = `
  CREATE TABLE listed (path BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE asked (
    at INTEGER NOT NULL, path BLOB NOT NULL, kind INTEGER NOT NULL, content BLOB NOT NULL, mode INTEGER NOT NULL,
    mtime INTEGER NOT NULL, inode INTEGER NOT NULL, birth INTEGER NOT NULL, agreed INTEGER NOT NULL, version TEXT,
    PRIMARY KEY (at, path)
  ) STRICT, WITHOUT ROWID;`

export const asking = defineTasks(import.meta.url, {
  async begin({ vectorsFile }: { vectorsFile: string }): Promise<void> {
    for (const left of ['', '-journal']) await removeFile(`${vectorsFile}${left}`)
    withPlan(vectorsFile, sql => sql.exec(TABLES))
  },

  list({ vectorsFile, paths }: { vectorsFile: string; paths: readonly RelPath[] }): void {
    withPlan(vectorsFile, sql => {
      const insert = sql.prepare('INSERT OR IGNORE INTO listed VALUES (?)')
      for (const path of paths) insert.run([pathKey(path)])
    })
  },

  /** @returns false: the rows of renamed directories must come under their names first */
  ask(input: AskedInput): boolean {
    const { instanceFile, snapshotFile, vectorsFile } = input
    return withReader(instanceFile, archive =>
      withReader(snapshotFile, snapshot => withPlan(vectorsFile, sql => writeAsked(sql, archive, snapshot, input)))
    )
  },

  page({ vectorsFile, end, gone, after, limit }: AskedPage): SeenThing[] {
    return withPlan(vectorsFile, sql =>
      sql
        .prepare<Record<string, never>>(
          `SELECT path, kind, content, mode, mtime, inode, birth, agreed FROM asked
           WHERE at = ? AND path > ? AND (kind = 3) = ? ORDER BY path LIMIT ?`,
          { bigint: true }
        )
        .all([endNumber(end), after === undefined ? new Uint8Array(0) : pathKey(after), gone ? 1 : 0, limit])
        .map(raw => ({
          ...{ path: keyPath(raw.path!), kind: KINDS[Number(raw.kind)]!, content: textFromBytes(raw.content!) },
          ...{ mode: Number(raw.mode), mtimeNs: raw.mtime! as bigint },
          ...{ inode: BigInt.asUintN(64, raw.inode!), birthNs: raw.birth! as bigint },
          agreed: raw.agreed === 1n
        }))
    )
  },

  told(input: {
    vectorsFile: string
    end: End
    paths: readonly RelPath[]
    versions: readonly (Version | undefined)[]
  }): void {
    const { vectorsFile, end, paths, versions } = input
    withPlan(vectorsFile, sql => {
      const set = sql.prepare('UPDATE asked SET version = ? WHERE at = ? AND path = ?')
      for (const [i, path] of paths.entries()) {
        const version = versions[i]
        set.run([version === undefined ? null : JSON.stringify(version), endNumber(end), pathKey(path)])
      }
    })
  }
})

export function toldVectors(sql: Sql): ToldVectors {
  const find = sql.prepare<{ version: string | null }>('SELECT version FROM asked WHERE at = ? AND path = ?')
  return {
    of(end, path) {
      const text = find.get([endNumber(end), pathKey(path)])?.version
      return text == null ? undefined : (JSON.parse(text) as Version)
    },
    listed: listedKeys(sql)
  }
}

/** Reads what was told while `fn` runs; without a file there is nothing. */
export function withTold<T>(
  vectorsFile: string | undefined,
  fn: (told: ToldVectors | undefined) => T extends PromiseLike<unknown> ? never : T
): T {
  if (vectorsFile === undefined) return fn(undefined)
  const sql = openSqlite(vectorsFile, { scratch: true, cacheKiB: PLAN_CACHE_KIB })
  try {
    // Without it each of millions of lookups would lock the file, and look for changes in it, for itself.
    sql.exec('BEGIN')
    return fn(toldVectors(sql))
  } finally {
    sql.close()
  }
}

const listedKeys = (sql: Sql): Uint8Array[] =>
  sql
    .prepare<{ path: Uint8Array }>('SELECT path FROM listed ORDER BY path')
    .all()
    .map(row => row.path)

function writeAsked(sql: Sql, archive: Sql, snapshot: Sql, input: AskedInput): boolean {
  const { sync, proves, ignore } = input
  const only = keysToPlan({ archive, snapshot, input, basis: optionsBasis(input) })
  if (only === 'settle') return false
  const listed = listedKeys(sql)
  const told = { of: () => undefined, listed }
  const ignored = (): Ignored => new Ignored(ignore)
  const rows = new SyncRows({ archive, snapshot, sync, proves, only, told, ignored, keeps: false })
  const insert = sql.prepare('INSERT OR REPLACE INTO asked VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)')
  const absence = new Absence(rows)
  for (const row of rows.changed())
    for (const end of ENDS) {
      const entry = row[end]
      const key = pathKey(row.path)
      if (isPresent(entry)) insert.run([endNumber(end), key, ...columnsOf(entry), isAgreed(entry, row.base)])
      else if (entry === undefined && absence.isProven(end, row.path))
        insert.run([endNumber(end), key, 3, NOTHING, 0, 0, 0, 0, 0])
    }
  return true
}

const NOTHING = new Uint8Array(0)
const isAgreed = (entry: Present, base: ArchiveEntry | undefined): 0 | 1 =>
  base !== undefined && sameContent(entry, base) ? 1 : 0

function columnsOf(entry: Present) {
  const content = entry.kind === 'file' ? entry.hash : entry.kind === 'symlink' ? entry.target : ''
  const { inode, birthNs } = entry.identity ?? { inode: 0n, birthNs: 0n }
  return [
    ...[KINDS.indexOf(entry.kind), pathBytes(content), entry.mode & 0o7777, entry.mtimeNs],
    ...[signed(inode), birthNs]
  ]
}

/** What was not seen is gone only where its directory was looked into: unknown is never absent. */
class Absence {
  readonly #rows: SyncRows
  readonly #last = {
    source: { parent: undefined as RelPath | undefined, proven: true },
    destination: { parent: undefined as RelPath | undefined, proven: true }
  }

  constructor(rows: SyncRows) {
    this.#rows = rows
  }

  isProven(end: End, path: RelPath): boolean {
    const last = this.#last[end]
    const parent = parentOf(path)
    if (last.parent !== parent) Object.assign(last, { parent, proven: this.#isKnown(end, path) })
    return last.proven
  }

  #isKnown(end: End, path: RelPath): boolean {
    for (let at = parentOf(path); at !== ROOT; at = parentOf(at)) {
      const there = this.#rows.find(at)?.[end]
      if (there !== undefined) return there.kind === 'directory' || there.kind === 'file' || there.kind === 'symlink'
    }
    return true
  }
}
