/**
 * Content of a first sync into an empty end, staged while its plan is made: what will be wanted there is known before the plan is.
 * Nothing gets a name by it. An operation takes what was staged for it where that is the very file with the very settings that
 * were planned; what none takes is dropped with the staging place. Large files are left to their batch.
 */
import type { AbortOptions, ContentHash, RelPath, WorkerPool } from '../../storage/base/index.js'
import { HASH_BYTES, hashFromBytes } from '../../storage/content/index.js'
import { MAX_BATCH_BYTES, MAX_PLACED_STEPS } from '../../storage/files/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Endpoint } from '../endpoints/index.js'
import { CARRIED_BITS, type Leaf, type Operation, unreadContent } from '../reconcile/index.js'
import { Ignored, type IgnoreRules } from './ignored.js'
import type { Planned } from './rows.js'
import type { SeenRow } from './seen.js'
import type { Opened } from './session.js'
import { openStages } from './session-end.js'
import { snapshotting } from './snapshot.worker.js'
import type { Learnt, Wanted } from './stage-content.js'
import { BYTES_A_TASK, FILES_A_TASK, stageHere } from './stage-here.js'

export interface EarlyInit extends AbortOptions {
  readonly source: Endpoint
  readonly destination: Pick<Endpoint, 'ensureSpace'>
  readonly opened: Opened
  readonly snapshot: Database
  readonly pool: WorkerPool
  /** What is left out by them is not wanted. */
  readonly ignore: readonly IgnoreRules[]
}

/** What lies staged of a batch already. */
export interface StagedEarly {
  /** Under which name in the stage, and what was read, by operation. */
  readonly files: ReadonlyMap<number, { readonly staged: RelPath; readonly hash: ContentHash }>
  /** To be written down: nothing of it was before. */
  readonly learnt: readonly Learnt[]
}

/** Rows of one task: learnt with the first operation that takes something of them. */
interface Rows {
  learnt: Learnt | undefined
  readonly hashes: Uint8Array
}

interface EarlyFile {
  readonly wanted: Wanted
  readonly rows: Rows
  /** Which of the rows. */
  readonly index: number
}

/** More than these are seldom staged by the time that there is a plan; a crash makes them be copied again. */
const MAX_EARLY_FILES = 4 * MAX_PLACED_STEPS
const MAX_EARLY_BYTES = MAX_BATCH_BYTES

export class EarlyContent {
  readonly #init: EarlyInit
  readonly #ignored: Ignored
  readonly #files = new Map<RelPath, EarlyFile>()
  readonly #working: Promise<void>
  #count = 0
  #bytes = 0
  #over = false

  /** Begins with it, in all threads that bulk work has but the one that plans. */
  constructor(init: EarlyInit) {
    this.#init = init
    this.#ignored = new Ignored(init.ignore)
    // What is wrong here is met again by the batch that wants it, and told there.
    this.#working = this.#work().catch(() => {})
  }

  /** The plan was made, or could not be: nothing is at work any more when this resolves. */
  async end(): Promise<void> {
    this.#over = true
    await this.#working
  }

  take(batch: readonly Operation[]): StagedEarly {
    const files = new Map<number, { staged: RelPath; hash: ContentHash }>()
    const learnt: Learnt[] = []
    for (const op of batch) {
      if (op.kind !== 'create' || op.end !== 'destination' || op.from.later !== undefined) continue
      const found = this.#files.get(op.from.path)
      if (found === undefined || !isFor(found.wanted, op)) continue
      const { wanted, rows, index } = found
      const hash = hashFromBytes(rows.hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES))
      files.set(op.id, { staged: wanted.staged, hash })
      // Of the others in it, too: it is what they held when they were as they were seen.
      if (rows.learnt !== undefined) learnt.push(rows.learnt)
      rows.learnt = undefined
    }
    return { files, learnt }
  }

  async #work(): Promise<void> {
    const { snapshot, pool } = this.#init
    const lanes = Math.max(1, pool.bulkWidth - 1)
    const page = (after?: RelPath): Promise<SeenRow[]> =>
      snapshot.maintain(snapshotting.unreadRows, { at: 'source', after, limit: lanes * FILES_A_TASK })
    for (let rows = await page(); rows.length > 0; ) {
      const next = page(rows.at(-1)!.path)
      next.catch(() => {}) // awaited below
      for (const some of this.#wantedOf(rows, lanes * BYTES_A_TASK)) {
        await this.#stage(some, lanes)
        // Looked at after the first ones: those are no wasted work, however soon there is a plan.
        if (this.#over || this.#count >= MAX_EARLY_FILES || this.#bytes >= MAX_EARLY_BYTES) return
      }
      if (this.#over) return
      rows = await next
    }
  }

  async #stage(wanted: readonly Wanted[], lanes: number): Promise<void> {
    const { source, destination, opened, pool, signal } = this.#init
    const options: AbortOptions = { ...(signal && { signal }) }
    const bytes = wanted.reduce((sum, w) => sum + sizeOf(w), 0)
    this.#bytes += bytes
    await destination.ensureSpace(bytes, options)
    await openStages(opened, options)
    const { root, staging } = opened.destination!.here!
    const init = { pool, from: source, root, staging: await staging(options), lanes }
    const { learnt } = await stageHere(init, wanted, options)
    const byId = new Map(wanted.map(w => [w.id, w]))
    for (const { ids, rows } of learnt) {
      // Handed over when they are written down.
      const of: Rows = { learnt: { ids: [], rows }, hashes: rows.hashes.slice() }
      for (const [index, id] of ids.entries()) {
        const w = byId.get(id)!
        this.#files.set(w.path, { wanted: w, rows: of, index })
      }
    }
  }

  /** In portions: who plans waits for the one under way. */
  #wantedOf(rows: readonly SeenRow[], portionBytes: number): Wanted[][] {
    const portions: Wanted[][] = []
    let bytes = Number.POSITIVE_INFINITY
    for (const { path, sizeBytes, mtimeNs, ctimeNs, birthNs, inode, mode } of rows) {
      if (sizeBytes > BYTES_A_TASK || (!this.#ignored.none && this.#ignored.ignores(path))) continue
      if (bytes + sizeBytes > portionBytes) {
        portions.push([])
        bytes = 0
      }
      bytes += sizeBytes
      const id = this.#count++
      const stat = { kind: 'file' as const, sizeBytes, mtimeNs, ctimeNs, birthNs, inode }
      const content = { kind: 'file', hash: unreadContent(inode, ctimeNs), sizeBytes, mtimeNs, mode, stat, at: path }
      portions.at(-1)!.push({
        ...{ id, content: content as Planned & Leaf, mode: mode & CARRIED_BITS, mtimeNs },
        ...{ from: [path], staged: `new/early-${id}` as RelPath, path }
      })
    }
    return portions
  }
}

const sizeOf = ({ content }: Wanted): number => (content.kind === 'file' ? content.sizeBytes : 0)

/** The file that was planned, unread still, with the same settings. */
function isFor({ content, mode, mtimeNs }: Wanted, op: Extract<Operation, { kind: 'create' }>): boolean {
  if (content.kind !== 'file' || op.content.kind !== 'file' || content.hash !== op.content.hash) return false
  const [then, now] = [(content as Planned).stat, (op.content as Planned).stat]
  const same = then.sizeBytes === now.sizeBytes && then.mtimeNs === now.mtimeNs && then.birthNs === now.birthNs
  return same && mode === op.mode && mtimeNs === op.mtimeNs
}
