import { type AbsPath, type ContentHash, defineTasks } from '../../storage/base/index.js'
import { ENTRY_KINDS, findByPath, pathTextOf, rowsWithContent, sumsOf, treeRow } from '../../storage/entries/index.js'
import { withReader } from '../../storage/sql/index.js'
import type { IndexedCopy, IndexPlace } from './places.js'

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
  }
})
