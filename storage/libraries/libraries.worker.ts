import { randomBytes, randomUUID } from 'node:crypto'
import { defineTasks, SpacedriveError } from '../base/index.js'
import { beginIndex, dropDeleted, getMeta, setMeta } from '../entries/index.js'
import type { Sql } from '../sql/index.js'

export interface OpenInput {
  readonly library: string
  readonly installation: string
  readonly device: string | null
  readonly deviceName: string
  readonly nowMs: number
  readonly firstSeq: number
  /** The session this device last opened it in; another one in the database: it was put back or copied. */
  readonly session: string | null
  readonly indexId: string | null
  readonly closedSeq: number
  readonly nextSession: string
}

export interface Opened {
  readonly indexId: string
  readonly host: number
  /** Why the index id is new; undefined when it is the one of before. */
  readonly renewed?: string
}

export interface CheckReport {
  readonly ok: boolean
  readonly problems: readonly string[]
}

/** Bytes of an epoch's prefix, of which a uuid takes 58 bits. */
const PREFIX_BYTES = 8
/** Tombstones dropped, and contents looked at, by one write: some 10 ms. */
const DROP_AT_ONCE = 2_000
const LOOKED_AT_ONCE = 4_000
/** Lines a check tells at most. */
const MAX_CHECK_LINES = 100

/** Writes to a library's own database. */
export const libraryTasks = defineTasks(import.meta.url, {
  open(sql: Sql, input: OpenInput): Opened {
    const library = getMeta(sql, 'library')
    if (library !== undefined && library !== input.library) {
      throw new SpacedriveError('LIBRARY_DAMAGED', `the database ${sql.file} belongs to another library`, {
        hint: 'Put its own database.db back, or run: spacedrive library rebuild FOLDER'
      })
    }
    const renewed = whyNew(sql, input)
    const state = beginIndex(sql, input.firstSeq)
    if (renewed !== undefined) newIndex(sql, state.nextId)
    setMeta(sql, 'library', input.library)
    setMeta(sql, 'installation', input.installation)
    setMeta(sql, 'session', input.nextSession)
    sql.exec('UPDATE limbo SET run = 0')
    const { id } = sql
      .prepare<{ id: number }>(
        `INSERT INTO hosts (installation, device, name, seen_at) VALUES (?, ?, ?, ?)
         ON CONFLICT (installation) DO UPDATE SET device = coalesce(excluded.device, device), name = excluded.name,
           seen_at = excluded.seen_at
         RETURNING id`
      )
      .get([input.installation, input.device, input.deviceName, input.nowMs])!
    const opened = { indexId: getMeta(sql, 'index')!, host: id }
    return renewed === undefined ? opened : { ...opened, renewed }
  },

  /** Makes all commits so far outlast a power loss; outside a transaction. */
  checkpoint(sql: Sql): void {
    sql.pragma('wal_checkpoint(PASSIVE)')
  },

  optimize(sql: Sql): void {
    sql.pragma('optimize')
  },

  vacuum(sql: Sql): void {
    sql.exec('VACUUM')
  },

  /** Looks at every page, every reference and the trigram index. */
  check(sql: Sql, { quick }: { quick: boolean }): CheckReport {
    const problems: string[] = []
    const lines = sql
      .prepare<Record<string, string>>(`PRAGMA ${quick ? 'quick_check' : 'integrity_check'}(${MAX_CHECK_LINES})`)
      .all()
      .map(row => Object.values(row)[0]!)
    if (lines.length !== 1 || lines[0] !== 'ok') problems.push(...lines)
    if (!quick && problems.length === 0) {
      for (const row of sql.prepare<{ table: string }>('PRAGMA foreign_key_check').all())
        problems.push(`a row of ${row.table} refers to one that is not there`)
      const loose = sql
        .prepare<{ n: number }>(
          'SELECT count(*) AS n FROM entries e WHERE parent > 0 AND NOT EXISTS (SELECT 1 FROM directories d WHERE d.id = e.parent)'
        )
        .get()!.n
      if (loose > 0) problems.push(`${loose} entries hang on a directory that is not there`)
    }
    return { ok: problems.length === 0, problems: problems.slice(0, MAX_CHECK_LINES) }
  },

  /** A new index id after a check that failed: whoever followed this index compares everything. */
  renewIndex(sql: Sql): string {
    newIndex(sql, Number(getMeta(sql, 'next_id') ?? 1))
    return getMeta(sql, 'index')!
  },

  copyTo(sql: Sql, { file }: { file: string }): void {
    sql.copyTo(file)
  },

  /** Lets go of entries that are gone. @returns how many; 0: there are no more to let go of */
  dropDeleted(sql: Sql, { nowMs }: { nowMs: number }): number {
    return dropDeleted(sql, { nowMs, limit: DROP_AT_ONCE })
  },

  /** Lets go of contents that no entry has. @param after - the id to go on after @returns where to go on; undefined: that was all */
  dropContents(sql: Sql, { after }: { after: number }): number | undefined {
    const last = sql
      .prepare<{ id: number | null; n: number }>(
        'SELECT max(id) AS id, count(*) AS n FROM (SELECT id FROM contents WHERE id > ? ORDER BY id LIMIT ?)'
      )
      .get([after, LOOKED_AT_ONCE])!
    if (last.id === null) return undefined
    sql
      .prepare(
        `DELETE FROM contents WHERE id > ? AND id <= ?
           AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.content = contents.id)
           AND NOT EXISTS (SELECT 1 FROM deleted d WHERE d.content = contents.id)`
      )
      .run([after, last.id])
    return last.n === LOOKED_AT_ONCE ? last.id : undefined
  },

  rename(sql: Sql, { name }: { name: string }): void {
    setMeta(sql, 'name', name)
  }
})

function whyNew(sql: Sql, input: OpenInput): string | undefined {
  const index = getMeta(sql, 'index')
  if (index === undefined) return 'it is new'
  if (getMeta(sql, 'installation') !== input.installation) return 'it was opened on another device'
  if (input.indexId === null) return 'this device does not know it'
  if (index !== input.indexId || getMeta(sql, 'session') !== input.session) return 'another copy of it was put back'
  if (Number(getMeta(sql, 'next_seq') ?? 0) - 1 < input.closedSeq) return 'an older copy of it was put back'
  return undefined
}

function newIndex(sql: Sql, firstId: number): void {
  setMeta(sql, 'index', randomUUID())
  sql.prepare('INSERT OR REPLACE INTO epochs VALUES (?, ?)').run([firstId, randomBytes(PREFIX_BYTES)])
}
