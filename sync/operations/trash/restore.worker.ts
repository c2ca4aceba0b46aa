import {
  type AbsPath,
  defineTasks,
  displayPath,
  type Problem,
  pathBytes,
  textFromBytes
} from '../../../storage/base/index.js'
import { type Sql, withReader } from '../../../storage/sql/index.js'
import type { TrashEntry } from '../../../storage/trash/index.js'
import { withWork } from '../work.js'
import { findAgain, lastOf, Places, type RestoreRow } from './restore-places.js'

/**
 * What is to come back. wanted: its old place (or the same name in the folder that was named); at: where it comes, free when it
 * was looked at, later where it came; turn: folders before what lay in them. state: found, refused (code and message say why),
 * waiting, begun, back, stayed.
 */
const SCHEMA = `
  CREATE TABLE items (
    id INTEGER PRIMARY KEY, origin BLOB NOT NULL, wanted BLOB NOT NULL, lies BLOB, kind TEXT NOT NULL, files INTEGER NOT NULL,
    bytes INTEGER NOT NULL, turn INTEGER, device INTEGER, inode INTEGER, at BLOB, code TEXT, message TEXT,
    state TEXT NOT NULL DEFAULT 'found'
  ) STRICT;
  CREATE INDEX items_by_state ON items (state, turn);
  CREATE INDEX items_by_at ON items (at);
  CREATE TABLE made (path BLOB PRIMARY KEY) STRICT;`

/** One thing that comes back. */
export interface RestoreItem {
  readonly id: number
  /** Where it was. */
  readonly origin: AbsPath
  /** Where it comes, or came. */
  readonly at: AbsPath
  readonly kind: string
  readonly files: number
  readonly bytes: number
  /** It was begun before: a crash may have come after its end. */
  readonly begun: boolean
}

export interface RestoreSums {
  readonly items: number
  readonly files: number
  readonly bytes: number
}

export interface RestoreHandled {
  readonly id: number
  /** Where it came; left out for one that stays in the trash. */
  readonly at?: AbsPath | undefined
}

export const restoring = defineTasks(import.meta.url, {
  /** Writes down what is to come back. @param to - into this folder instead of the old places */
  add({ file, entries, to }: { file: AbsPath; entries: readonly TrashEntry[]; to: AbsPath | null }): void {
    withWork(file, SCHEMA, sql => {
      const insert = sql.prepare(
        `INSERT INTO items (id, origin, wanted, lies, kind, files, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO NOTHING`
      )
      for (const { id, path, back, lies, kind, files, bytes } of entries) {
        const wanted = to === null ? back : `${to === '/' ? '' : to}/${lastOf(back)}`
        const at = lies === null ? null : pathBytes(lies)
        insert.run([id, pathBytes(path), pathBytes(wanted), at, kind, files, bytes])
      }
    })
  },

  /** Decides where each comes, and what cannot. @returns how much comes, and the first of what does not */
  layOut({ file, limit }: { file: AbsPath; limit: number }): RestoreSums & { problems: Problem[]; refused: number } {
    return withWork(file, SCHEMA, sql => {
      const places = new Places(sql)
      const rowOf = sql.prepare<RestoreRow>('SELECT id, wanted, lies, kind FROM items WHERE id = ?', { bigint: true })
      // Folders before what lay in them; of what had one place the newest gets it.
      const ids = sql.prepare<{ id: number }>('SELECT id FROM items ORDER BY wanted, id DESC').all([])
      const goes = sql.prepare(
        "UPDATE items SET state = 'waiting', turn = ?, at = ?, device = ?, inode = ? WHERE id = ?"
      )
      const stays = sql.prepare("UPDATE items SET state = 'refused', turn = ?, code = ?, message = ? WHERE id = ?")
      for (const [turn, { id }] of ids.entries()) {
        const found = places.find(rowOf.get([id])!)
        if ('code' in found) stays.run([turn, found.code, found.message, id])
        else goes.run([turn, pathBytes(found.at), found.device, found.inode, id])
      }
      const refused = sql.prepare<{ n: number }>("SELECT count(*) AS n FROM items WHERE state = 'refused'").get([])!.n
      return { ...sums(sql, "state = 'waiting'"), problems: problems(sql, limit), refused }
    })
  },

  /** The first of what comes, in the order in which it does. */
  list({ file, limit }: { file: AbsPath; limit: number }): RestoreItem[] {
    return withReader(file, sql => read(sql, "state <> 'refused' ORDER BY turn LIMIT ?", [limit]))
  },

  problems: ({ file, limit }: { file: AbsPath; limit: number }): Problem[] =>
    withReader(file, sql => problems(sql, limit)),

  totals: ({ file }: { file: AbsPath }): RestoreSums => withReader(file, sql => sums(sql, "state <> 'refused'")),

  /** What came so far. */
  back: ({ file }: { file: AbsPath }): RestoreSums => withReader(file, sql => sums(sql, "state = 'back'")),

  /** The next ones, marked as begun; those that were begun before come first. */
  take({ file, limit }: { file: AbsPath; limit: number }): RestoreItem[] {
    return withWork(file, SCHEMA, sql => {
      const items = read(sql, "state IN ('begun', 'waiting') ORDER BY state, turn LIMIT ?", [limit])
      const begin = sql.prepare("UPDATE items SET state = 'begun' WHERE id = ?")
      for (const { id } of items) begin.run([id])
      return items
    })
  },

  /** Of what was begun right before the program ended and is not in the trash any more: where it is now. */
  cameBack({ file, ids }: { file: AbsPath; ids: readonly number[] }): RestoreHandled[] {
    return withReader(file, sql => {
      const rowOf = sql.prepare<RestoreRow>('SELECT * FROM items WHERE id = ?', { bigint: true })
      return ids.map(id => ({ id, at: findAgain(rowOf.get([id])!) }))
    })
  },

  /** These are over with. */
  done({ file, handled }: { file: AbsPath; handled: readonly RestoreHandled[] }): void {
    withWork(file, SCHEMA, sql => {
      const back = sql.prepare("UPDATE items SET state = 'back', at = ? WHERE id = ?")
      const stayed = sql.prepare("UPDATE items SET state = 'stayed' WHERE id = ?")
      for (const { id, at } of handled) {
        if (at === undefined) stayed.run([id])
        else back.run([pathBytes(at), id])
      }
    })
  }
})

function read(sql: Sql, where: string, params: readonly number[]): RestoreItem[] {
  return sql
    .prepare<RestoreRow>(`SELECT id, origin, at, kind, files, bytes, state FROM items WHERE ${where}`, { bigint: true })
    .all(params)
    .map(r => ({
      id: Number(r.id),
      origin: textFromBytes(r.origin) as AbsPath,
      at: textFromBytes(r.at) as AbsPath,
      kind: r.kind,
      files: Number(r.files),
      bytes: Number(r.bytes),
      begun: r.state === 'begun'
    }))
}

function problems(sql: Sql, limit: number): Problem[] {
  return sql
    .prepare<{ wanted: Uint8Array; code: string; message: string }>(
      "SELECT wanted, code, message FROM items WHERE state = 'refused' ORDER BY turn LIMIT ?"
    )
    .all([limit])
    .map(({ wanted, code, message }) => ({ path: displayPath(textFromBytes(wanted)), code, message }))
}

function sums(sql: Sql, where: string): RestoreSums {
  return sql
    .prepare<RestoreSums>(
      `SELECT count(*) AS items, coalesce(sum(files), 0) AS files, coalesce(sum(bytes), 0) AS bytes FROM items WHERE ${where}`
    )
    .get([])!
}
