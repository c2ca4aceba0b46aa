import { type ContentHash, defineTasks, type RelPath } from '../../storage/base/index.js'
import { findBelow, KIND, treeRow } from '../../storage/entries/index.js'
import { withReader } from '../../storage/sql/index.js'

/** What a look told of a file: all that must be so in the index for its hash to count. */
export interface StatKey {
  readonly path: RelPath
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly inode: bigint
  readonly birthNs: bigint
}

export const hashesOf = defineTasks(import.meta.url, {
  /** The hashes that the index has of these files, as they are now: neither stale nor racy, and with the same stat. */
  known({
    databaseFile,
    entry,
    files
  }: {
    databaseFile: string
    entry: number
    files: readonly StatKey[]
  }): (ContentHash | undefined)[] {
    return withReader(databaseFile, sql =>
      files.map(file => {
        const id = findBelow(sql, entry, file.path)
        const row = id === undefined ? undefined : treeRow(sql, id)
        if (row === undefined || row.kind !== KIND.FILE || row.hash === undefined) return undefined
        const same =
          row.sizeBytes === file.sizeBytes &&
          row.mtimeNs === file.mtimeNs &&
          row.ctimeNs === file.ctimeNs &&
          BigInt.asIntN(64, row.inode) === BigInt.asIntN(64, file.inode) &&
          row.birthNs === file.birthNs
        return same ? row.hash : undefined
      })
    )
  }
})
