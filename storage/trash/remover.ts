import { type AbsPath, errorCode, type Problem, textFromBytes, toError } from '../base/index.js'
import type { Files } from '../files/index.js'
import type { Bins } from './bins.js'
import { CLAIM_ROWS } from './limits.js'
import { away, placeKey, type TrashRows } from './rows.js'
import type { Emptied, RemoveOptions } from './trash.js'
import type { RowFilter, TrashRow } from './trash.worker.js'

export interface RemoverComponents {
  readonly files: Files
  readonly bins: Bins
  readonly rows: TrashRows
}

interface Sum {
  files: number
  bytes: number
}

/** See `Trash.remove`. */
export async function removeItems(
  components: RemoverComponents,
  filter: RowFilter,
  { signal, onProgress, limit = Number.POSITIVE_INFINITY }: RemoveOptions = {}
): Promise<Emptied> {
  const sum = { items: 0, files: 0, bytes: 0 }
  const problems: Problem[] = []
  /** Kept, since it could not be removed: still in the way of the list. */
  let passed = 0
  for (;;) {
    signal?.throwIfAborted()
    const page = { limit: CLAIM_ROWS, offset: passed, oldestFirst: true, signal }
    const { rows } = await components.rows.read(filter, page)
    if (rows.length === 0) return { ...sum, problems }
    const bins = await binsOf(components, rows)
    for (const row of rows) {
      if (sum.items >= limit) return { ...sum, problems }
      signal?.throwIfAborted()
      const removed = await removeItem(
        { ...components, bin: bins.get(placeKey(row)) },
        row,
        problems,
        ({ files, bytes }) => onProgress?.({ items: sum.items, files: sum.files + files, bytes: sum.bytes + bytes })
      )
      if (removed === 'taken') continue
      if (removed === 'stays') {
        passed++
        continue
      }
      sum.items++
      sum.files += removed.files
      sum.bytes += removed.bytes
      onProgress?.(sum)
    }
  }
}

/** Where the bins of a page are: asked once for all that lies in one, since that is a look at its disk. */
async function binsOf(
  { bins }: RemoverComponents,
  rows: readonly TrashRow[]
): Promise<Map<string, AbsPath | undefined>> {
  const found = new Map<string, AbsPath | undefined>()
  for (const row of rows) if (!found.has(placeKey(row))) found.set(placeKey(row), await bins.pathOf(row))
  return found
}

/** @returns what went, that it stays, or that somebody else had taken it by then */
async function removeItem(
  { files, rows, bin }: Pick<RemoverComponents, 'files' | 'rows'> & { bin: AbsPath | undefined },
  row: TrashRow,
  problems: Problem[],
  onProgress: (soFar: Sum) => void
): Promise<Sum | 'stays' | 'taken'> {
  if (bin === undefined) {
    problems.push(away(row))
    return 'stays'
  }
  const sum = { files: 0, bytes: 0 }
  try {
    if ((await rows.claim([row], 'going')).length === 0) return 'taken'
    for (;;) {
      const stretch = await files.trash.remove(bin, row)
      sum.files += stretch.files
      sum.bytes += stretch.bytes
      onProgress(sum)
      problems.push(...stretch.problems)
      if (!stretch.done) continue
      // What is left of it counts as gone and is tried again at the next start.
      if (stretch.problems.length === 0) await rows.forget([row])
      return sum
    }
  } catch (err) {
    await rows.release([row], 'going')
    problems.push({ path: textFromBytes(row.path), code: errorCode(err), message: toError(err).message })
    return 'stays'
  } finally {
    rows.done([row])
  }
}
