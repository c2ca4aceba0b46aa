import { type AbsPath, type ContentHash, defineTasks, pathBytes } from '../../storage/base/index.js'
import { hashFromBytes } from '../../storage/content/index.js'
import {
  ENTRY_KINDS,
  FLAG,
  findByPath,
  KIND,
  pathTextOf,
  rowByName,
  rowsWithContent,
  sumsOf,
  treeRow
} from '../../storage/entries/index.js'
import { withReader } from '../../storage/sql/index.js'
import type { IndexedCopy, IndexPlace, RecordedFile } from './places.js'

export const placing = defineTasks(import.meta.url, {
  find({
    databaseFile,
    host,
    path
  }: {
    databaseFile: string
    host: number
    path: AbsPath
  }): Pick<IndexPlace, 'entry' | 'kind' | 'sums'> | undefined {
    return withReader(databaseFile, sql => {
      const entry = findByPath(sql, host, path)
      const row = entry === undefined ? undefined : treeRow(sql, entry)
      const sums = entry === undefined ? undefined : sumsOf(sql, entry)
      return row === undefined || sums === undefined
        ? undefined
        : { entry: row.id, kind: ENTRY_KINDS[row.kind] ?? 'other', sums }
    })
  },

  copies({
    databaseFile,
    host,
    hash,
    limit
  }: {
    databaseFile: string
    host: number
    hash: ContentHash
    limit: number
  }): Omit<IndexedCopy, 'library'>[] {
    return withReader(databaseFile, sql =>
      rowsWithContent(sql, hash, limit).flatMap(({ id, sizeBytes, mtimeNs, hash: vouched }) => {
        const path = pathTextOf(sql, id, host)
        return path === undefined ? [] : [{ path, sizeBytes, mtimeNs, vouched: vouched !== undefined }]
      })
    )
  },

  /** Of each path what is recorded of the file there, in their order. */
  recorded({
    databaseFile,
    host,
    paths
  }: {
    databaseFile: string
    host: number
    paths: readonly AbsPath[]
  }): (RecordedFile | undefined)[] {
    return withReader(databaseFile, sql => {
      const hashOf = sql.prepare<{ hash: Uint8Array }>('SELECT hash FROM contents WHERE id = ?')
      const folders = new Map<AbsPath, number | undefined>()
      return paths.map(path => {
        const at = path.lastIndexOf('/')
        const folder = (path.slice(0, at) || '/') as AbsPath
        if (!folders.has(folder)) folders.set(folder, findByPath(sql, host, folder))
        const parent = folders.get(folder)
        const row = parent === undefined ? undefined : rowByName(sql, parent, pathBytes(path.slice(at + 1)))
        if (row === undefined || row.kind !== KIND.FILE || row.content === null) return undefined
        const hash = hashOf.get([row.content])?.hash
        if (hash === undefined) return undefined
        const { mtimeNs, ctimeNs, inode, flags } = row
        const vouches = (flags & (FLAG.STALE | FLAG.RACY)) === 0
        return { hash: hashFromBytes(hash), sizeBytes: row.size, mtimeNs, ctimeNs, inode, vouches }
      })
    })
  }
})
