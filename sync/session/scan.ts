import {
  type AbortOptions,
  type Clock,
  hasCode,
  type RelPath,
  ROOT,
  type WorkerPool
} from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import {
  buffersOf,
  type ContentEntry,
  contentBuffersOf,
  type Endpoint,
  MAX_LOOKS,
  pulled,
  toContentColumns
} from '../endpoints/index.js'
import type { End } from '../reconcile/index.js'
import { follow } from './follow.js'
import type { Hint, LookedHint } from './hints.js'
import { isShown, scanning, type WalkBeside, type WalkedPage } from './scan.worker.js'
import { snapshotting, type UnreadFile } from './snapshot.worker.js'

/** Paths handed to an end at once for hashing; its answers come as they are ready. */
const HASH_BATCH = 500
/** More hints than this and a walk of everything is not much dearer. */
export const MAX_HINTS = 4_096

export interface ScanProgress {
  readonly entries: number
  /** Hashed so far, of files whose content no stat vouched for. */
  readonly hashedFiles: number
  readonly hashedBytes: number
}

export interface Scanned extends ScanProgress {
  /** Folders that were renamed, found by their inode and not looked into: to be hinted at again once the plan is done. */
  readonly later: readonly RelPath[]
}

export interface ScanInit extends AbortOptions {
  readonly at: End
  readonly endpoint: Endpoint
  /** Of schema `snapshot`. */
  readonly snapshot: Database
  readonly pool: WorkerPool
  /** Looks only there. Left out, or where the snapshot is not known to hold for the rest: everywhere. */
  readonly hints?: readonly Hint[] | undefined
  /** What another device told before is not gone by. */
  readonly anew?: boolean | undefined
  /** Another device tells everything again now and then. Left out: it does not. */
  readonly clock?: Pick<Clock, 'nowMs'> | undefined
  /** Nobody asks for content: what no stat vouches for is not noticed. */
  readonly statsOnly?: boolean | undefined
  onProgress?(progress: ScanProgress): void
}

/**
 * Brings the snapshot of one end up to date: walks all of it, or looks at the paths that were hinted at, and hashes what no stat
 * vouches for. What was not met is gone, except below a directory that could not be listed: that one is unknown, with all there is
 * in it.
 * @throws what the endpoint throws; what was met until then is in the snapshot, and no plan may be made of it
 */
export async function scanEnd(init: ScanInit): Promise<Scanned> {
  const scan = new Scan(init)
  await scan.look()
  await scan.hash()
  return scan.scanned
}

/** A scan in its two steps, for who wants to decide between them whether content is to be read at all. */
export class Scan {
  readonly #init: ScanInit
  readonly #progress = { entries: 0, hashedFiles: 0, hashedBytes: 0 }
  #later: readonly RelPath[] = []

  constructor(init: ScanInit) {
    this.#init = init
  }

  get scanned(): Scanned {
    return { ...this.#progress, later: this.#later }
  }

  /** All but content. */
  async look(): Promise<void> {
    const { snapshot, hints } = this.#init
    await snapshot.write(snapshotting.settleRenames, undefined)
    const some =
      hints !== undefined &&
      hints.length <= MAX_HINTS &&
      !hints.some(h => h.path === ROOT && h.subtree) &&
      (await snapshot.maintain(snapshotting.isCompared, undefined))
    if (some && hints.length === 0) return
    const onEntries = (entries: number): void => this.#tell(entries)
    if (this.#init.endpoint.sync !== undefined)
      this.#later = await follow({ ...this.#init, hints: some ? hints : undefined, onEntries })
    else if (some) this.#later = await this.#lookAt(hints)
    else await this.#walk(ROOT)
  }

  async #lookAt(hints: readonly Hint[]): Promise<readonly RelPath[]> {
    const { at, snapshot, statsOnly } = this.#init
    // The root's own time and mode are nobody's business.
    const looked = await this.#look(hints.filter(h => h.path !== ROOT))
    const before = await snapshot.maintain(snapshotting.movedFrom, { at, hints: looked })
    const also = await this.#look(before.map(path => ({ path, subtree: false })))
    const { walk, later } = await snapshot.write(snapshotting.hinted, { at, statsOnly, hints: [...looked, ...also] })
    for (const path of walk) await this.#walkAgain(path)
    return later
  }

  async #look(hints: readonly Hint[]): Promise<LookedHint[]> {
    const { endpoint, signal } = this.#init
    const looked: LookedHint[] = []
    for (let i = 0; i < hints.length; i += MAX_LOOKS) {
      const some = hints.slice(i, i + MAX_LOOKS)
      const looks = await endpoint.look(
        some.map(h => h.path),
        { signal }
      )
      looks.forEach(({ entry, problem }, n) => {
        // A link or a file where its directory was: it is gone with it.
        const failed = problem !== undefined && problem.code !== 'LINK_IN_PATH'
        if (entry === undefined || isShown(entry)) looked.push({ ...some[n]!, entry, failed })
      })
    }
    this.#tell(looked.length)
    return looked
  }

  /** One that is gone meanwhile is gone with all it held. */
  async #walkAgain(path: RelPath): Promise<void> {
    try {
      await this.#walk(path)
    } catch (err) {
      if (!hasCode(err, 'MISSING', 'LINK_IN_PATH')) throw err
      await this.#init.snapshot.write(snapshotting.hinted, { at: this.#init.at, hints: [{ path, subtree: false }] })
    }
  }

  /** A path and everything below it. */
  async #walk(path: RelPath): Promise<void> {
    const { at, endpoint, snapshot, pool, statsOnly, signal } = this.#init
    const root = endpoint.local?.reading()
    if (root === undefined) return this.#walkFar(path)
    let writing: Promise<unknown> = Promise.resolve()
    const input = { root, snapshotFile: snapshot.file, at, path, statsOnly }
    const pages = pulled<WalkBeside, WalkedPage>(pool, scanning.walk, input, { signal })
    for await (const { looked, changed, quiet, gone } of pages) {
      await writing // one page ahead
      const writes: Promise<unknown>[] = []
      if (gone.length > 0) writes.push(snapshot.write(snapshotting.gone, { at, paths: gone }))
      if (changed !== undefined) {
        const transfer = buffersOf(changed)
        writes.push(snapshot.write(snapshotting.changed, { at, changed, quiet }, { transfer }))
      }
      writing = Promise.all(writes)
      writing.catch(() => {}) // awaited with the next page
      this.#tell(looked)
    }
    await writing
  }

  /** The same where no thread of ours reaches the folder. */
  async #walkFar(path: RelPath): Promise<void> {
    const { at, endpoint, snapshot, statsOnly, signal } = this.#init
    let after: RelPath | undefined
    let writing: Promise<unknown> = Promise.resolve()
    for await (const { entries } of endpoint.walk(path, { signal })) {
      const page = entries.filter(isShown)
      await writing
      if (page.length === 0) continue
      writing = snapshot.write(snapshotting.walked, { at, path, after, statsOnly, entries: page })
      writing.catch(() => {})
      after = page.at(-1)!.path
      this.#tell(page.length)
    }
    await writing
    await snapshot.write(snapshotting.walked, { at, path, after, statsOnly, entries: [] })
  }

  /** Content of the files that no stat vouches for. */
  async hash(): Promise<void> {
    const { at, endpoint, snapshot, signal } = this.#init
    const onBytes = (bytes: number): void => {
      this.#progress.hashedBytes += bytes
      this.#tell(0)
    }
    const next = (after: RelPath | undefined): Promise<RelPath[]> =>
      snapshot.maintain(snapshotting.unhashed, { at, after, limit: HASH_BATCH })
    let writing: Promise<unknown> = Promise.resolve()
    let paths = await next(undefined)
    while (paths.length > 0) {
      // Asked for ahead, and written down while the next ones are read.
      const following = next(paths.at(-1))
      following.catch(() => {}) // awaited below, unless something else went wrong
      const found: ContentEntry[] = []
      const files: UnreadFile[] = []
      for await (const file of endpoint.hash(paths, { signal, onBytes })) {
        if (file.problem !== undefined) files.push({ path: file.path, problem: file.problem })
        else found.push(file)
        this.#progress.hashedFiles++
      }
      await writing
      const rows = toContentColumns(found)
      writing = Promise.all([
        snapshot.write(snapshotting.hashed, { at, rows }, { transfer: contentBuffersOf(rows) }),
        files.length === 0 ? undefined : snapshot.write(snapshotting.unread, { at, files })
      ])
      writing.catch(() => {})
      this.#tell(0)
      paths = await following
    }
    await writing
  }

  #tell(entries: number): void {
    this.#progress.entries += entries
    this.#init.onProgress?.({ ...this.#progress })
  }
}
