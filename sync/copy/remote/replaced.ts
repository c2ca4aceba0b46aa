import type { AbortOptions, ContentHash, JobId, Problem, RelPath } from '../../../storage/base/index.js'
import { type EntryStat, type Expected, MAX_TRASH_BATCH } from '../../../storage/files/index.js'
import { type Endpoint, type EndpointStage, MAX_LOOKS, type TrashedItem } from '../../endpoints/index.js'

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
  /** The new content, where it is a file: by this it is told from anything else that lies there. */
  readonly content?: { readonly sizeBytes: number; readonly hash: ContentHash } | undefined
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
 * After a try that was cut short, and for what came between a look and an exchange: whatever lies where the old or the new of a
 * replacement was, and is not the new, goes to the trash under the name that it was to get.
 * @returns false when some of it could not be kept: then nothing that is staged may be removed
 */
export async function keepOld(init: KeepInit, list: readonly Replacing[], options: AbortOptions): Promise<boolean> {
  if (!init.keep || list.length === 0) return true
  // Not aside: in the trash already, still under its name, or where the new had lain.
  const missing: Replacing[] = []
  const aside = list.map(r => ({ path: r.path, at: r.aside, expected: r.old }))
  const left = await put(init, aside, options, (code, i) => {
    if (code === 'MISSING') missing.push(list[i]!)
    return code === 'MISSING'
  })
  const strange: Replacing[] = []
  const staged = missing.map(r => ({ path: r.path, at: r.staged, expected: r.old }))
  const kept = await put(init, staged, options, (code, i) => {
    if (code === 'CHANGED') strange.push(missing[i]!)
    return code === 'MISSING' || code === 'CHANGED'
  })
  return left.length + kept.length === 0 && (await keepStrange(init, strange, options))
}

/** Neither the old lies there nor, by its hash, the new: somebody wrote it at the name in the moment of the exchange. */
async function keepStrange(init: KeepInit, list: readonly Replacing[], options: AbortOptions): Promise<boolean> {
  const files = list.flatMap(r => (r.content === undefined ? [] : [{ r, file: { path: r.staged, ...r.content } }]))
  let clean = true
  for (let at = 0; at < files.length; at += MAX_LOOKS) {
    const some = files.slice(at, at + MAX_LOOKS)
    const states = await init.stage.verify(
      some.map(f => f.file),
      options
    )
    const others = some.filter((_, i) => states[i] !== 'whole').map(f => f.r)
    for (const { path, staged } of others) {
      // As a file, or else as a link: of what it is nothing is known.
      const as = (kind: 'file' | 'symlink') => [{ path, at: staged, expected: { kind } }]
      const gone = (code: string): boolean => code === 'MISSING'
      let link = false
      const left = await put(init, as('file'), options, code => {
        link = code === 'CHANGED'
        return link || gone(code)
      })
      if (link) left.push(...(await put(init, as('symlink'), options, gone)))
      if (left.length > 0) clean = false
    }
  }
  return clean
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
