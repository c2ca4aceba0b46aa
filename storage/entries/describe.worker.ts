import { defineTasks, type LocationId } from '../base/index.js'
import { type Sql, withReader } from '../sql/index.js'
import type { Entry } from './entry.js'
import { findByPath, rowById } from './lookup.js'
import { findMetadata, type Said, saidOf, type Target } from './metadata.js'
import { entryOf } from './row.js'
import { entryUuid } from './uuid.js'

/** What a library knows of one path. */
export interface Described {
  readonly entry: (Entry & { readonly uuid: string }) | null
  readonly said: Said
  /** Of its content, when it is known. */
  readonly content: {
    readonly mime: string | null
    readonly cas: string | null
    readonly copies: number
    readonly media: unknown
  } | null
  /** Below a directory. */
  readonly below: {
    readonly files: number
    readonly dirs: number
    readonly bytes: number
    readonly scannedAt: number
    readonly complete: boolean
  } | null
  readonly problem: { readonly code: string; readonly message: string } | null
  readonly location: { readonly id: LocationId; readonly name: string } | null
}

export const describing = defineTasks(import.meta.url, {
  describe({ databaseFile, host, target }: { databaseFile: string; host: number; target: Target }): Described {
    return withReader(databaseFile, sql => describe(sql, host, target))
  }
})

function describe(sql: Sql, host: number, target: Target): Described {
  const { path } = target
  const said = saidOf(sql, findMetadata(sql, host, path, target))
  const id = findByPath(sql, host, path)
  const row = id === undefined ? undefined : rowById(sql, id)
  if (id === undefined || row === undefined)
    return { entry: null, said, content: null, below: null, problem: null, location: null }
  const content =
    row.content === null
      ? undefined
      : sql
          .prepare<{
            hash: Uint8Array
            cas: Uint8Array | null
            mime: string | null
            media: string | null
            copies: number
          }>(
            `SELECT c.hash, c.cas, m.name AS mime, c.media,
               (SELECT count(*) FROM entries e WHERE e.content = c.id) AS copies
             FROM contents c LEFT JOIN mime_types m ON m.id = c.mime WHERE c.id = ?`
          )
          .get([row.content])
  const below = sql
    .prepare<{ files: number; dirs: number; bytes: number; scanned_at: number; complete: number }>(
      'SELECT files, dirs, bytes, scanned_at, complete FROM directories WHERE id = ?'
    )
    .get([id])
  const problem = sql
    .prepare<{ code: string; message: string }>('SELECT code, message FROM problems WHERE entry = ?')
    .get([id])
  return {
    entry: { ...entryOf(row, content?.hash ?? null), uuid: entryUuid(sql, id) },
    said,
    content:
      content === undefined
        ? null
        : {
            mime: content.mime,
            cas: content.cas === null ? null : Buffer.from(content.cas).toString('hex'),
            copies: content.copies,
            media: content.media === null ? null : JSON.parse(content.media)
          },
    below:
      below === undefined
        ? null
        : {
            files: below.files,
            dirs: below.dirs,
            bytes: below.bytes,
            scannedAt: below.scanned_at,
            complete: below.complete === 1
          },
    problem: problem ?? null,
    location: locationOf(sql, id)
  }
}

/** The innermost location around an entry. */
function locationOf(sql: Sql, id: number): Described['location'] {
  const parent = sql.prepare<{ parent: number }>('SELECT parent FROM entries WHERE id = ?')
  const location = sql.prepare<{ id: LocationId; name: string }>(
    'SELECT uuid AS id, name FROM locations WHERE entry = ?'
  )
  for (let at = id; at > 0; at = parent.get([at])?.parent ?? 0) {
    const found = location.get([at])
    if (found !== undefined) return found
  }
  return null
}
