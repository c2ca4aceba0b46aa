import { type AbsPath, type ContentHash, defineTasks, textFromBytes } from '../../../storage/base/index.js'
import { hashFromBytes, hashToBytes, WHOLE_BYTES } from '../../../storage/content/index.js'
import { type Sql, withReader } from '../../../storage/sql/index.js'
import { FILES_SCHEMA } from '../collect.worker.js'
import { shrink, withWork } from '../work.js'

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
  }
})

interface GroupRow {
  readonly size: number
  readonly hash: Uint8Array
  readonly count: number
}

export interface Named {
  readonly dir: Uint8Array
  readonly name: Uint8Array
}

export const pathOf = ({ dir, name }: Named): AbsPath => {
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

export function membersOf(sql: Sql, hash: Uint8Array): { id: number; path: AbsPath; mtimeNs: bigint }[] {
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
