import {
  type AbortOptions,
  type Clock,
  hasCode,
  linkSignals,
  type RelPath,
  ROOT,
  SpacedriveError,
  type WorkerPool
} from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import {
  buffersOf,
  type ContentEntry,
  contentBuffersOf,
  type Endpoint,
  type HashedFile,
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
/** Of these, asked for at another device before the first is answered: each is a round trip, and so short a piece of work there. */
const FAR_BATCHES = 3
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

/** What was asked for in one, and its first answer. */
interface HashBatch {
  readonly first: Promise<IteratorResult<HashedFile>>
  readonly files: AsyncIterator<HashedFile>
}

interface Found {
  readonly hashed: ContentEntry[]
  readonly unread: UnreadFile[]
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
    const over = new AbortController()
    const linked = linkSignals(signal, over.signal)
    const ahead = endpoint.local === undefined ? FAR_BATCHES : 1
    const next = (after: RelPath | undefined): Promise<RelPath[]> => {
      const asked = snapshot.maintain(snapshotting.unhashed, { at, after, limit: HASH_BATCH })
      asked.catch(() => {}) // awaited when its turn comes, unless something else went wrong
      return asked
    }
    const begun: HashBatch[] = []
    let following = next(undefined)
    let writing: Promise<unknown> = Promise.resolve()
    try {
      for (;;) {
        while (begun.length < ahead) {
          const paths = await following
          if (paths.length === 0) break
          following = next(paths.at(-1))
          begun.push(this.#beginHash(paths, linked.signal))
        }
        const batch = begun.shift()
        if (batch === undefined) break
        const found = await this.#found(batch)
        await writing
        writing = this.#writeHashed(found) // while the next ones are read
        writing.catch(() => {})
        this.#tell(0)
      }
      await writing
    } finally {
      over.abort(new SpacedriveError('STOPPED', 'nothing more is hashed'))
      linked.clear()
    }
  }

  /** Asked for at once; its answers wait until it is their turn. */
  #beginHash(paths: readonly RelPath[], signal: AbortSignal): HashBatch {
    const onBytes = (bytes: number): void => {
      this.#progress.hashedBytes += bytes
      this.#tell(0)
    }
    const files = this.#init.endpoint.hash(paths, { signal, onBytes })[Symbol.asyncIterator]()
    const first = files.next()
    first.catch(() => {})
    return { first, files }
  }

  async #found({ first, files }: HashBatch): Promise<Found> {
    const found: Found = { hashed: [], unread: [] }
    for (let each = await first; each.done !== true; each = await files.next()) {
      const { value } = each
      if (value.problem !== undefined) found.unread.push({ path: value.path, problem: value.problem })
      else found.hashed.push(value)
      this.#progress.hashedFiles++
    }
    return found
  }

  async #writeHashed({ hashed, unread }: Found): Promise<void> {
    const { at, snapshot } = this.#init
    const rows = toContentColumns(hashed)
    await Promise.all([
      snapshot.write(snapshotting.hashed, { at, rows }, { transfer: contentBuffersOf(rows) }),
      unread.length === 0 ? undefined : snapshot.write(snapshotting.unread, { at, files: unread })
    ])
  }

  #tell(entries: number): void {
    this.#progress.entries += entries
    this.#init.onProgress?.({ ...this.#progress })
  }
}
