import { type AbsPath, type ContentHash, defineTasks, textFromBytes } from '../../../storage/base/index.js'
import { hashFromBytes, hashToBytes, WHOLE_BYTES } from '../../../storage/content/index.js'
import type { Expected } from '../../../storage/files/index.js'
import { type Sql, withReader } from '../../../storage/sql/index.js'
import { FILES_SCHEMA } from '../collect.worker.js'
import { shrink, withWork } from '../work.js'
import { type KeepRule, keepersOf } from './keep.js'

/** A file of the list, to be read. */
export interface ToRead {
  readonly id: number
  readonly path: AbsPath
  readonly size: number
}

/** What reading one gave; `out`: it changed, or could not be read. */
export interface ReadOutcome {
  readonly id: number
  readonly cas?: Uint8Array | undefined
  readonly hash?: ContentHash | undefined
  readonly mtimeNs?: bigint | undefined
  readonly ctimeNs?: bigint | undefined
  readonly out?: boolean | undefined
  /** Why it is out: an error code. */
  readonly code?: string | undefined
}

export interface GroupTotals {
  readonly groups: number
  /** In groups, hard links counted once. */
  readonly files: number
  /** What would be free if one of each group stayed. */
  readonly wasteBytes: number
  /** Further names of files in groups: they take no space. */
  readonly hardLinks: number
}

export interface DuplicateFile {
  readonly path: AbsPath
  readonly mtimeNs: bigint
  /** Other names of the same file: no duplicates, they take no space. */
  readonly hardLinks: readonly AbsPath[]
}

export interface DuplicateGroup {
  readonly hash: ContentHash
  readonly sizeBytes: number
  readonly wasteBytes: number
  readonly files: readonly DuplicateFile[]
}

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
const PATH = '(SELECT path FROM dirs WHERE id = f.dir) AS dir, f.name'

export const grouping = defineTasks(import.meta.url, {
  /** Leaves what may have a duplicate: files of one size, hard links to one inode counted once. */
  bySize({ file }: { file: AbsPath }): { files: number; bytes: number } {
    return withWork(file, FILES_SCHEMA, sql => {
      sql.exec(`
        CREATE INDEX IF NOT EXISTS files_by_size ON files (size);
        UPDATE files SET state = 1 WHERE size IN (SELECT size FROM files GROUP BY size HAVING count(*) = 1);
        CREATE INDEX IF NOT EXISTS files_by_inode ON files (inode, device);
        UPDATE files SET twin = (
          SELECT min(o.id) FROM files o WHERE o.inode = files.inode AND o.device = files.device
        ) WHERE state = 0 AND links > 1;
        UPDATE files SET twin = NULL WHERE twin = id;
        UPDATE files SET state = 1 WHERE state = 0 AND size IN (
          SELECT size FROM files WHERE state = 0 AND twin IS NULL GROUP BY size HAVING count(*) = 1
        );`)
      return sql
        .prepare<{ files: number; bytes: number }>(
          'SELECT count(*) AS files, coalesce(sum(size), 0) AS bytes FROM files WHERE state = 0 AND twin IS NULL'
        )
        .get([])!
    })
  },

  /** Takes over the hashes of the index that its stat vouches for. */
  useKnown({ file }: { file: AbsPath }): number {
    return withWork(
      file,
      FILES_SCHEMA,
      sql =>
        sql.prepare('UPDATE files SET hash = known WHERE state = 0 AND known_state = 1 AND hash IS NULL').run([])
          .changes
    )
  },

  /** Large files of one size of which a sample is wanted; none where every one of that size is hashed already. */
  toSample({ file, after, limit }: { file: AbsPath; after: number; limit: number }): ToRead[] {
    return withReader(file, sql =>
      toRead(
        sql,
        `f.cas IS NULL AND f.size > ${WHOLE_BYTES}
         AND f.size IN (SELECT size FROM files WHERE state = 0 AND twin IS NULL AND hash IS NULL)`,
        after,
        limit
      )
    )
  },

  /** Ends what the samples rule out. @returns what is left to hash */
  bySample({ file }: { file: AbsPath }): { files: number; bytes: number } {
    return withWork(file, FILES_SCHEMA, sql => {
      sql.exec(`
        CREATE INDEX IF NOT EXISTS files_by_cas ON files (size, cas);
        UPDATE files SET state = 1 WHERE state = 0 AND twin IS NULL AND cas IS NOT NULL AND (size, cas) IN (
          SELECT size, cas FROM files WHERE state = 0 AND twin IS NULL AND cas IS NOT NULL
          GROUP BY size, cas HAVING count(*) = 1
        );`)
      return sql
        .prepare<{ files: number; bytes: number }>(
          `SELECT count(*) AS files, coalesce(sum(size), 0) AS bytes FROM files
           WHERE state = 0 AND twin IS NULL AND hash IS NULL`
        )
        .get([])!
    })
  },

  toHash({ file, after, limit }: { file: AbsPath; after: number; limit: number }): ToRead[] {
    return withReader(file, sql => toRead(sql, 'f.hash IS NULL', after, limit))
  },

  /** A list that was just read into knows the times that belong to the content. */
  store({ file, outcomes }: { file: AbsPath; outcomes: readonly ReadOutcome[] }): void {
    withWork(file, FILES_SCHEMA, sql => {
      const save = sql.prepare(
        `UPDATE files SET cas = coalesce(?, cas), hash = coalesce(?, hash), mtime_ns = coalesce(?, mtime_ns),
           ctime_ns = coalesce(?, ctime_ns), state = ? WHERE id = ?`
      )
      for (const { id, cas, hash, mtimeNs, ctimeNs, out } of outcomes) {
        save.run([
          cas ?? null,
          hash === undefined ? null : hashToBytes(hash),
          mtimeNs ?? null,
          ctimeNs ?? null,
          out ? 1 : 0,
          id
        ])
      }
    })
  },

  /** Leaves the groups alone in the list, the most wasteful first. */
  finish({ file }: { file: AbsPath }): GroupTotals {
    const found = withWork(file, FILES_SCHEMA, sql => {
      sql.exec(`
        CREATE TABLE IF NOT EXISTS groups (
          n INTEGER PRIMARY KEY, size INTEGER NOT NULL, hash BLOB NOT NULL UNIQUE, count INTEGER NOT NULL
        ) STRICT;
        DELETE FROM groups;
        INSERT INTO groups (size, hash, count)
          SELECT size, hash, count(*) FROM files WHERE state = 0 AND twin IS NULL AND hash IS NOT NULL
          GROUP BY hash HAVING count(*) > 1 ORDER BY size * (count(*) - 1) DESC, hash;
        DELETE FROM files WHERE twin IS NULL AND (state <> 0 OR hash IS NULL OR hash NOT IN (SELECT hash FROM groups));
        DELETE FROM files WHERE twin IS NOT NULL AND twin NOT IN (SELECT id FROM files WHERE twin IS NULL);
        CREATE INDEX IF NOT EXISTS files_by_hash ON files (hash);
        CREATE INDEX IF NOT EXISTS files_by_twin ON files (twin) WHERE twin IS NOT NULL;`)
      return totals(sql)
    })
    shrink(file)
    return found
  },

  totals: ({ file }: { file: AbsPath }): GroupTotals => withReader(file, totals),

  /** Some groups, the most wasteful first. */
  list({ file, limit, offset }: { file: AbsPath; limit: number; offset: number }): DuplicateGroup[] {
    return withReader(file, sql =>
      sql
        .prepare<GroupRow>('SELECT size, hash, count FROM groups ORDER BY n LIMIT ? OFFSET ?')
        .all([limit, offset])
        .map(({ size, hash, count }) => ({
          hash: hashFromBytes(hash),
          sizeBytes: size,
          wasteBytes: size * (count - 1),
          files: membersOf(sql, hash).map(({ path, mtimeNs, id }) => ({ path, mtimeNs, hardLinks: linksOf(sql, id) }))
        }))
    )
  },

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

interface GroupRow {
  readonly size: number
  readonly hash: Uint8Array
  readonly count: number
}

interface Named {
  readonly dir: Uint8Array
  readonly name: Uint8Array
}

const pathOf = ({ dir, name }: Named): AbsPath => {
  const parent = textFromBytes(dir)
  return `${parent === '/' ? '' : parent}/${textFromBytes(name)}` as AbsPath
}

function toRead(sql: Sql, where: string, after: number, limit: number): ToRead[] {
  return sql
    .prepare<Named & { id: number; size: number }>(
      `SELECT f.id, f.size, ${PATH} FROM files f
       WHERE f.state = 0 AND f.twin IS NULL AND f.id > ? AND ${where} ORDER BY f.id LIMIT ?`
    )
    .all([after, limit])
    .map(row => ({ id: row.id, path: pathOf(row), size: row.size }))
}

function membersOf(sql: Sql, hash: Uint8Array): { id: number; path: AbsPath; mtimeNs: bigint }[] {
  return sql
    .prepare<Named & { id: bigint; mtime_ns: bigint }>(
      `SELECT f.id, f.mtime_ns, ${PATH} FROM files f WHERE f.hash = ? AND f.twin IS NULL ORDER BY f.id`,
      { bigint: true }
    )
    .all([hash])
    .map(row => ({ id: Number(row.id), path: pathOf(row), mtimeNs: row.mtime_ns }))
}

function linksOf(sql: Sql, id: number): AbsPath[] {
  return sql.prepare<Named>(`SELECT ${PATH} FROM files f WHERE f.twin = ? ORDER BY f.id`).all([id]).map(pathOf)
}

function totals(sql: Sql): GroupTotals {
  const { links } = sql
    .prepare<{ links: number }>('SELECT count(*) AS links FROM files WHERE twin IS NOT NULL')
    .get([])!
  const { groups, files, waste } = sql
    .prepare<{ groups: number; files: number; waste: number }>(
      `SELECT count(*) AS groups, coalesce(sum(count), 0) AS files, coalesce(sum(size * (count - 1)), 0) AS waste FROM groups`
    )
    .get([])!
  return { groups, files, wasteBytes: waste, hardLinks: links }
}

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
