/** What a thread hashed, on its way to whoever asked. */
import type { Problem, RelPath } from '../../../storage/base/index.js'
import type { HashedFile } from '../content.js'
import { type ContentColumns, contentBuffersOf, fromContentColumns, toContentColumns } from '../content-columns.js'

export interface HashedPage {
  readonly files: ContentColumns
  /** Those that could not be read, by their places in the whole. */
  readonly problems: readonly { readonly index: number; readonly path: RelPath; readonly problem: Problem }[]
  readonly transfer: readonly ArrayBuffer[]
}

export function hashedPage(results: readonly HashedFile[]): HashedPage {
  const files = toContentColumns(results.filter(r => r.problem === undefined))
  const problems = results.flatMap((r, index) =>
    r.problem === undefined ? [] : [{ index, path: r.path, problem: r.problem }]
  )
  return { files, problems, transfer: contentBuffersOf(files) }
}

/** In the order in which they were asked for. */
export function hashedFiles({ files, problems }: HashedPage): HashedFile[] {
  const results: HashedFile[] = fromContentColumns(files).map(({ path, stat, hash, racy }) => ({
    ...{ path, stat, hash: hash!, racy: racy === true }
  }))
  for (const { index, ...failed } of problems) results.splice(index, 0, failed)
  return results
}
