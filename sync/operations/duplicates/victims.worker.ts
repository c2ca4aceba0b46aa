import { type AbsPath, defineTasks } from '../../../storage/base/index.js'
import type { Expected } from '../../../storage/files/index.js'
import { type Sql, withReader } from '../../../storage/sql/index.js'
import { FILES_SCHEMA } from '../collect.worker.js'
import { withWork } from '../work.js'
import { membersOf, pathOf } from './groups.worker.js'
import { type KeepRule, keepersOf } from './keep.js'

/** One file that is to go, with the one that stays for it. */
export interface Victim {
  readonly n: number
  readonly path: AbsPath
  readonly expected: Expected
  readonly keeper: AbsPath
  readonly keeperExpected: Expected
  readonly bytes: number
  readonly begun: boolean
}

const VICTIMS = `CREATE TABLE IF NOT EXISTS victims (
  n INTEGER PRIMARY KEY, file INTEGER NOT NULL, keeper INTEGER NOT NULL, bytes INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting', gone INTEGER NOT NULL DEFAULT 0
) STRICT`

/** Groups held in memory while it is chosen what goes. */
const GROUPS_AT_ONCE = 1_000
/** What goes, of the groups that were found: chosen by a rule, then worked through. */
export const choosing = defineTasks(import.meta.url, {
  /** Writes the list of what goes by this rule, with all its names. */
  choose({ file, keep }: { file: AbsPath; keep: KeepRule }): { files: number; bytes: number } {
    return withWork(file, FILES_SCHEMA, sql => {
      sql.exec(VICTIMS)
      sql.exec('DELETE FROM victims')
      const insert = sql.prepare('INSERT INTO victims (file, keeper, bytes) VALUES (?, ?, ?)')
      const namesOf = sql.prepare<{ id: number }>('SELECT id FROM files WHERE twin = ?')
      const groups = sql.prepare<{ n: number; hash: Uint8Array; size: number }>(
        'SELECT n, hash, size FROM groups WHERE n > ? ORDER BY n LIMIT ?'
      )
      for (let after = 0; ; ) {
        const some = groups.all([after, GROUPS_AT_ONCE])
        for (const { hash, size } of some) {
          const members = membersOf(sql, hash)
          const keepers = new Set(keepersOf(members, keep).map(m => m.id))
          const [keeper] = keepers
          for (const { id } of members) {
            if (keepers.has(id)) continue
            // The space is free only when all its names are gone: counted with the first.
            insert.run([id, keeper!, size])
            for (const name of namesOf.all([id])) insert.run([name.id, keeper!, 0])
          }
        }
        const last = some.at(-1)
        if (last === undefined) break
        after = last.n
      }
      return victimTotals(sql)
    })
  },

  victimTotals: ({ file }: { file: AbsPath }): { files: number; bytes: number } => withReader(file, victimTotals),

  /** The first of what would go. */
  victims({ file, limit }: { file: AbsPath; limit: number }): Victim[] {
    return withReader(file, sql => victims(sql, '1 ORDER BY v.n LIMIT ?', [limit]))
  },

  /** The next ones, marked as begun; those that were begun before come first. */
  take({ file, limit }: { file: AbsPath; limit: number }): Victim[] {
    return withWork(file, FILES_SCHEMA, sql => {
      const next = victims(sql, "v.state IN ('begun', 'waiting') ORDER BY v.state, v.n LIMIT ?", [limit])
      const begin = sql.prepare("UPDATE victims SET state = 'begun' WHERE n = ?")
      for (const { n } of next) begin.run([n])
      return next
    })
  },

  /** These are over with; `gone` are those of them that went. */
  done({ file, ns, gone }: { file: AbsPath; ns: readonly number[]; gone: readonly number[] }): void {
    withWork(file, FILES_SCHEMA, sql => {
      const done = sql.prepare("UPDATE victims SET state = 'done' WHERE n = ?")
      for (const n of ns) done.run([n])
      const went = sql.prepare('UPDATE victims SET gone = 1 WHERE n = ?')
      for (const n of gone) went.run([n])
    })
  },

  /** What went so far. */
  gone({ file }: { file: AbsPath }): { files: number; bytes: number } {
    return withReader(
      file,
      sql =>
        sql
          .prepare<{ files: number; bytes: number }>(
            'SELECT count(*) AS files, coalesce(sum(bytes), 0) AS bytes FROM victims WHERE gone = 1'
          )
          .get([])!
    )
  }
})

function victimTotals(sql: Sql): { files: number; bytes: number } {
  return sql
    .prepare<{ files: number; bytes: number }>(
      'SELECT count(*) AS files, coalesce(sum(bytes), 0) AS bytes FROM victims'
    )
    .get([])!
}

function victims(sql: Sql, where: string, params: readonly number[]): Victim[] {
  const fields = (t: string): string =>
    `${t}.size AS ${t}_size, ${t}.inode AS ${t}_inode,
     coalesce((SELECT t.mtime_ns FROM files t WHERE t.id = ${t}.twin), ${t}.mtime_ns) AS ${t}_mtime,
     (SELECT path FROM dirs WHERE id = ${t}.dir) AS ${t}_dir, ${t}.name AS ${t}_name`
  type Row = Record<string, bigint> & { [K in 'f_dir' | 'f_name' | 'k_dir' | 'k_name']: Uint8Array } & { state: string }
  return sql
    .prepare<Row>(
      `SELECT v.n, v.bytes, v.state, ${fields('f')}, ${fields('k')}
       FROM victims v JOIN files f ON f.id = v.file JOIN files k ON k.id = v.keeper WHERE ${where}`,
      { bigint: true }
    )
    .all(params)
    .map(r => ({
      n: Number(r.n),
      path: pathOf({ dir: r.f_dir, name: r.f_name }),
      expected: expectedOf(r.f_size!, r.f_mtime!, r.f_inode!),
      keeper: pathOf({ dir: r.k_dir, name: r.k_name }),
      keeperExpected: expectedOf(r.k_size!, r.k_mtime!, r.k_inode!),
      bytes: Number(r.bytes),
      begun: r.state === 'begun'
    }))
}

/** Not ctime: a chmod, or a second name that went, is no other content, and it is compared anyway. */
const expectedOf = (size: bigint, mtimeNs: bigint, inode: bigint): Expected => ({
  kind: 'file',
  sizeBytes: Number(size),
  mtimeNs,
  inode
})
