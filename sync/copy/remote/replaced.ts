import type { AbortOptions, JobId, Problem, RelPath } from '../../../storage/base/index.js'
import { type EntryStat, type Expected, MAX_TRASH_BATCH } from '../../../storage/files/index.js'
import type { Endpoint, EndpointStage, TrashedItem } from '../../endpoints/index.js'

/**
 * One file that is about to be replaced, written down before. Old and new exchange their names in one step, the old goes aside
 * in the next: cut in between, it lies where the new was staged.
 */
export interface Replacing {
  /** The name at the destination. */
  readonly path: RelPath
  readonly staged: RelPath
  readonly aside: RelPath
  /** The old one, without its ctime: our own renames change that. */
  readonly old: Expected
}

export const oldOf = ({ kind, sizeBytes, mtimeNs, inode, birthNs }: EntryStat): Expected => ({
  ...{ kind, sizeBytes, mtimeNs },
  ...(inode !== 0n && { inode }),
  ...(birthNs !== 0n && { birthNs })
})

export interface KeepInit {
  readonly destination: Endpoint
  readonly stage: EndpointStage
  readonly operation: 'copy' | 'move'
  readonly job: JobId
  /** What is replaced goes to the trash of its device; else it goes with the staging place. */
  readonly keep: boolean
  problem(problem: Problem): void
}

/** @returns false when some of it could not be kept: it stays staged, and was told */
export async function throwAwayOld(
  init: KeepInit,
  list: readonly { path: RelPath; at: RelPath; expected: Expected }[],
  options: AbortOptions
): Promise<boolean> {
  return init.keep ? (await put(init, list, options, () => false)).length === 0 : true
}

/**
 * After a try that was cut short: the old of each replacement that had begun goes to the trash, from wherever it lies.
 * @returns false when some of it could not be kept
 */
export async function keepOld(init: KeepInit, list: readonly Replacing[], options: AbortOptions): Promise<boolean> {
  if (!init.keep || list.length === 0) return true
  // Not aside: in the trash already, still under its name, or where the new had lain.
  const absent = (code: string): boolean => code === 'MISSING' || code === 'CHANGED'
  const missing: Replacing[] = []
  const aside = list.map(r => ({ path: r.path, at: r.aside, expected: r.old }))
  const left = await put(init, aside, options, (code, i) => {
    if (absent(code)) missing.push(list[i]!)
    return absent(code)
  })
  const staged = missing.map(r => ({ path: r.path, at: r.staged, expected: r.old }))
  left.push(...(await put(init, staged, options, absent)))
  return left.length === 0
}

async function put(
  { destination, stage, operation, job, problem }: KeepInit,
  list: readonly { path: RelPath; at: RelPath; expected: Expected }[],
  options: AbortOptions,
  fine: (code: string, index: number) => boolean
): Promise<Problem[]> {
  const left: Problem[] = []
  for (let from = 0; from < list.length; from += MAX_TRASH_BATCH) {
    const some = list.slice(from, from + MAX_TRASH_BATCH)
    const items = some.map(
      ({ path, at, expected }): TrashedItem => ({ path, expected, from: { staging: stage.id, path: at } })
    )
    const outcomes = await destination.trash(items, { command: `file.${operation}`, job, ...options })
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.done || fine(outcome.problem.code, from + i)) continue
      left.push(outcome.problem)
      problem(outcome.problem)
    }
  }
  return left
}
