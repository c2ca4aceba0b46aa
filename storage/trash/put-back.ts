import { type AbsPath, displayPath, errorCode, type Problem, toError } from '../base/index.js'
import type { PutResult, TakeBack, TakeBackResult, TrashFiles, TrashItem } from '../files/index.js'
import type { ThrownAway } from './trash.js'

/**
 * What no row could be written of (the disk of the database is full) goes back to its name: no list would show it until the next
 * start. What cannot lies in the bin, told with its place, and gets its row then.
 */
export async function putBack(
  files: Pick<TrashFiles, 'takeBack'>,
  { bin, batch, cause }: { bin: AbsPath; batch: string; cause: unknown },
  items: readonly TrashItem[],
  results: readonly PutResult[]
): Promise<ThrownAway[]> {
  const moved = results.flatMap((r, i) => (r.done ? [{ i, n: r.n }] : []))
  const wanted = moved.map(({ i, n }): TakeBack => ({ batch, n, to: items[i]!.at }))
  const back: readonly TakeBackResult[] = await files.takeBack(bin, wanted).catch(() => [])
  const { code, message } = { code: errorCode(cause), message: toError(cause).message }
  const told = results.map((r, i): Problem => (r.done ? { path: displayPath(items[i]!.at), code, message } : r.problem))
  for (const [k, { i, n }] of moved.entries()) {
    const now = back[k]
    const at = now?.done === true ? now.path : `${bin}/${batch}/${n}`
    if (at !== items[i]!.at) told[i] = { ...told[i]!, message: `${message}; it is at ${displayPath(at)}` }
  }
  return told.map(problem => ({ done: false, problem }))
}
