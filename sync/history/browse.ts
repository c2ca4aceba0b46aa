/** What is kept: moments of the whole folder, versions of a path, and whether all of it is whole. */
import { type AbortOptions, type ContentHash, type RelPath, ROOT } from '../../storage/base/index.js'
import { type Endpoint, MAX_LOOKS } from '../endpoints/index.js'
import type { End } from '../reconcile/index.js'
import { writableEnds } from '../session/index.js'
import { LARGE_SHARE, mergedLines, stretchEnd, type VersionLine } from '../versions/index.js'
import type { HistoryInit } from './history.js'
import { type EndsOfSync, keptElsewhere } from './kept-at.js'
import { type Reachable, reachable } from './moment.js'
import { type EndStore, type Unheard, withStores, withStoresHere } from './stores.js'

/** A moment that can be gone back to: after a run, or where a thinned stretch of the clock ends. */
export interface Moment {
  readonly atMs: number
  /** Of a moment after a run. */
  readonly run: string | undefined
  readonly changes: number
}

export interface PathVersionAt {
  /** It was that until then. */
  readonly line: VersionLine
  readonly end: End
}

export interface Kept {
  readonly end: End
  readonly contents: number
  readonly bytes: number
  /** Of its volume, 0 to 1. */
  readonly share: number
  /** More than is seemly: said, never thinned for that. */
  readonly large: boolean
}

export interface KeptProblem {
  readonly end: End
  readonly hash: ContentHash
  readonly code: 'VERSION_DAMAGED' | 'VERSION_MISSING'
  /** One that had it. */
  readonly path: RelPath
}

export interface Verified {
  readonly contents: number
  readonly bytes: number
  /** The first of them. */
  readonly problems: readonly KeptProblem[]
  readonly problemCount: number
}

const MAX_PROBLEMS = 1_000

/** Of ends that runs write to. What was restored at a one-way source is no state of the sync. */
const holders = (sync: EndsOfSync, stores: readonly EndStore[]): readonly EndStore[] =>
  stores.filter(({ end }) => writableEnds(sync.mode).includes(end))

export interface Moments {
  readonly moments: readonly Moment[]
  readonly more: boolean
  readonly reach: Reachable | undefined
  readonly unheard: Unheard | undefined
}

/** Newest first. */
export async function momentsOf(
  init: HistoryInit,
  sync: EndsOfSync,
  limit: number,
  options: AbortOptions
): Promise<Moments> {
  return withStores(init, sync, options, async ({ stores: all, unheard }) => {
    const logs = holders(sync, all).map(({ log }) => log)
    const reach = await reachable(logs, options)
    const moments: { atMs: number; run: string | undefined; changes: number }[] = []
    for await (const { line } of mergedLines(logs, options)) {
      if (reach === undefined || line.atMs < reach.sinceMs) break
      const thinned = line.atMs < reach.thinnedMs
      const atMs = thinned ? stretchEnd(line.atMs, init.clock.nowMs()) : line.atMs
      const last = moments.at(-1)
      const same = last !== undefined && (thinned ? last.atMs === atMs : last.run === line.run)
      if (same) last.changes++
      else if (moments.length === limit) return { moments, more: true, reach, unheard }
      else moments.push({ atMs, run: thinned ? undefined : line.run, changes: 1 })
    }
    return { moments, more: false, reach, unheard }
  })
}

/** Newest first: what `path` and what is below it was, under whatever names. */
export async function versionsOf(
  init: HistoryInit,
  sync: EndsOfSync,
  path: RelPath,
  limit: number,
  options: AbortOptions
): Promise<{
  readonly versions: readonly PathVersionAt[]
  readonly more: boolean
  readonly unheard: Unheard | undefined
}> {
  return withStores(init, sync, options, async ({ stores, unheard }) => {
    const versions: PathVersionAt[] = []
    for (const { log, end } of stores) {
      let n = 0
      for await (const line of log.versionsOf(path, options)) {
        if (line.why === 'directory-time') continue
        versions.push({ line, end })
        if (++n > limit) break
      }
    }
    versions.sort((a, b) => b.line.atMs - a.line.atMs)
    return { versions: versions.slice(0, limit), more: versions.length > limit, unheard }
  })
}

export async function usageOf(init: HistoryInit, sync: EndsOfSync, options: AbortOptions): Promise<readonly Kept[]> {
  return withStoresHere(init, sync, options, async stores => {
    const found: Kept[] = []
    for (const { end, root, contents } of stores) {
      let [n, bytes] = [0, 0]
      if (contents !== undefined)
        for await (const { entries } of contents.walk(ROOT, options))
          for (const { stat } of entries)
            if (stat.kind === 'file') {
              n++
              bytes += stat.sizeBytes
            }
      const { totalBytes } = await root.space(options)
      const share = totalBytes === 0 ? 0 : bytes / totalBytes
      found.push({ end, contents: n, bytes, share, large: share > LARGE_SHARE })
    }
    return found
  })
}

/** Reads everything that is kept and compares it with its hash. */
export async function verifyStores(init: HistoryInit, sync: EndsOfSync, options: AbortOptions): Promise<Verified> {
  const [first, ...more] = writableEnds(sync.mode).filter(end => sync[end].device !== null)
  if (first !== undefined && (more.length > 0 || sync.mode !== 'bidirectional')) throw keptElsewhere(init, sync, first)
  return withStoresHere(init, sync, options, async stores => {
    let [contents, bytes, problemCount] = [0, 0, 0]
    const problems: KeptProblem[] = []
    for (const { end, root, log, contents: kept } of stores) {
      const seen = new Set<ContentHash>()
      const problem = async (hash: ContentHash, code: KeptProblem['code'], path: RelPath): Promise<void> => {
        // Written down before something was done that then was not: what stood there stands there.
        if (code === 'VERSION_MISSING' && (await holds(root, path, hash, options))) return
        problemCount++
        if (problems.length < MAX_PROBLEMS) problems.push({ end, hash, code, path })
      }
      const check = async (some: readonly { hash: ContentHash; path: RelPath }[]): Promise<void> => {
        if (some.length === 0) return
        const paths = some.map(({ hash }) => `${hash.slice(0, 2)}/${hash}` as RelPath)
        if (kept === undefined) {
          for (const { hash, path } of some) await problem(hash, 'VERSION_MISSING', path)
          return
        }
        let i = 0
        for await (const found of kept.hash(paths, options)) {
          const { hash, path } = some[i++]!
          if (found.problem !== undefined)
            await problem(hash, found.problem.code === 'MISSING' ? 'VERSION_MISSING' : 'VERSION_DAMAGED', path)
          else if (found.hash !== hash) await problem(hash, 'VERSION_DAMAGED', path)
          else {
            contents++
            bytes += found.stat.sizeBytes
          }
        }
      }
      let page: { hash: ContentHash; path: RelPath }[] = []
      for await (const { path, was } of log.newestFirst(options)) {
        if (was?.kind !== 'file' || seen.has(was.hash)) continue
        seen.add(was.hash)
        page.push({ hash: was.hash, path })
        if (page.length === MAX_LOOKS) {
          await check(page)
          page = []
        }
      }
      await check(page)
    }
    return { contents, bytes, problems, problemCount }
  })
}

async function holds(root: Endpoint, path: RelPath, hash: ContentHash, options: AbortOptions): Promise<boolean> {
  for await (const found of root.hash([path], options)) if (found.problem === undefined) return found.hash === hash
  return false
}
