import { type AbortOptions, displayPath, isWithin, type Problem, type RelPath } from '../../../storage/base/index.js'
import type { MovedAway } from '../../copy/index.js'
import type { Endpoint } from '../../endpoints/index.js'

/** Removes one thing of another device for good, from the inside out; what cannot go stays, with the folders around it, and is told. */
export async function removeTree(
  endpoint: Endpoint,
  away: MovedAway,
  top: RelPath,
  { signal, problem, gone }: AbortOptions & { problem(p: Problem): void; gone(files: number, bytes: number): void }
): Promise<void> {
  const open: RelPath[] = []
  const leave = async (path: RelPath | undefined): Promise<void> => {
    for (let dir = open.at(-1); dir !== undefined; dir = open.at(-1)) {
      if (path !== undefined && isWithin(path, dir)) return
      open.pop()
      await away.folder(dir, { ...(signal && { signal }) })
    }
  }
  for await (const { entries } of endpoint.walk(top, { signal })) {
    const files = []
    const left: RelPath[] = []
    for (const { path, stat, unknown, problem: why } of entries) {
      if (unknown !== undefined) {
        const shown = displayPath(path)
        problem(
          why ?? { path: shown, code: 'UNKNOWN_ENTRY', message: `${shown} cannot be removed from another device` }
        )
      } else if (stat.kind !== 'directory') files.push({ path, stat })
      else left.push(path)
    }
    const removed = await away.files(files, { ...(signal && { signal }) })
    const went = files.filter((_, i) => removed[i])
    gone(
      went.length,
      went.reduce((sum, f) => sum + f.stat.sizeBytes, 0)
    )
    // Folders are left in tree order: whatever of them came with this page is empty by now.
    for (const path of left) {
      await leave(path)
      open.push(path)
    }
  }
  await leave(undefined)
}
