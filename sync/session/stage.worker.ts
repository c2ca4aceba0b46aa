/** Content from one folder of this device into the staging place of another, within one thread: nothing of it crosses between threads. */
import {
  type ContentHash,
  defineTasks,
  errorCode,
  type Problem,
  type RelPath,
  type TaskContext,
  toError
} from '../../storage/base/index.js'
import { isRacy } from '../../storage/content/index.js'
import { type CopiedFile, type Copier, type CopierInit, copierHere, isFatal } from '../../storage/files/index.js'
import { type ContentColumns, type ContentEntry, contentBuffersOf, toContentColumns } from '../endpoints/index.js'
import { type FileWanted, fromWantedColumns, type SeenThen, type WantedColumns } from './wanted-columns.js'

export interface StageInput extends CopierInit {
  readonly wanted: WantedColumns
  /** The two lie in one file system in which files can share their blocks. */
  readonly reflink: boolean
  /** Step of the times of the file system that it comes from. */
  readonly clockStepMs: number
}

/** Bits of a file of the list that could not be staged; undefined: it is another content by now. */
export interface StageFailure {
  readonly index: number
  readonly problem: Omit<Problem, 'path'> | undefined
}

export interface StagedFiles {
  readonly failures: readonly StageFailure[]
  /** Files whose hash was learnt, where they came from, in the order of the list. */
  readonly learnt: ContentColumns
  readonly transfer: readonly ArrayBuffer[]
}

/** Below this a file is read and written in one piece: sharing blocks would gain nothing. */
const REFLINK_FROM_BYTES = 256 * 1024
/** Files between two turns of the thread's event loop: some milliseconds. */
const FILES_PER_TURN = 32
/** Bytes between two words of what was written. */
const TELL_BYTES = 1024 * 1024

export const staging = defineTasks(import.meta.url, {
  /** Emits bytes of content as they are written. */
  async stage({ wanted, reflink, clockStepMs, ...init }: StageInput, ctx: TaskContext): Promise<StagedFiles> {
    const copier = copierHere(init)
    const stager = new Stager(copier, { reflink, clockStepMs }, ctx)
    const failures: StageFailure[] = []
    let written = 0
    // A message for each small file would cost more than copying it.
    const tell = (): void => {
      if (written > 0) ctx.emit(written)
      written = 0
    }
    try {
      for (const [index, file] of fromWantedColumns(wanted).entries()) {
        if (index % FILES_PER_TURN === FILES_PER_TURN - 1) await giveWay(ctx)
        const failure = await stager.stage(file)
        if (failure !== 'staged') failures.push({ index, problem: failure })
        else written += file.sizeBytes
        if (written >= TELL_BYTES) tell()
      }
      tell()
      const learnt = toContentColumns(stager.learnt)
      return { failures, learnt, transfer: contentBuffersOf(learnt) }
    } finally {
      copier.close()
    }
  }
})

/** Files of one task. */
class Stager {
  readonly learnt: ContentEntry[] = []
  readonly #copier: Copier
  readonly #how: Pick<StageInput, 'reflink' | 'clockStepMs'>
  readonly #ctx: TaskContext

  constructor(copier: Copier, how: Pick<StageInput, 'reflink' | 'clockStepMs'>, ctx: TaskContext) {
    this.#copier = copier
    this.#how = how
    this.#ctx = ctx
  }

  async stage(file: FileWanted): Promise<'staged' | StageFailure['problem']> {
    let problem: StageFailure['problem']
    for (const path of file.from) {
      try {
        if (await this.#isStaged(path, file)) return 'staged'
        problem = undefined
      } catch (err) {
        this.#ctx.signal.throwIfAborted()
        if (isFatal(err)) throw err
        const code = errorCode(err)
        problem = OTHERWISE.has(code) ? undefined : { code, message: toError(err).message }
      }
    }
    return problem
  }

  /** @returns whether what was copied is what was wanted */
  async #isStaged(path: RelPath, { staged, hash, seen, sizeBytes, mode, mtimeNs }: FileWanted): Promise<boolean> {
    const startedMs = Date.now()
    const copied = await this.#copier.stageFile(path, staged, {
      strategy: this.#how.reflink && sizeBytes >= REFLINK_FROM_BYTES ? 'reflink' : 'stream',
      mode,
      mtimeNs,
      owner: false,
      xattrs: false,
      between: async () => giveWay(this.#ctx)
    })
    // What is on the disk counts where no byte of it came by here.
    const made = (copied.hash ?? (await this.#copier.hash('staged', staged, this.#ctx.signal))) as ContentHash
    if (hash !== undefined) return made === hash
    if (seen === undefined || !isAsSeen(copied, sizeBytes, seen)) return false
    const stat = copied.after
    const racy = isRacy({ ...stat, startedMs }, this.#how.clockStepMs)
    this.learnt.push({ path, stat, hash: made, racy })
    return true
  }
}

/** No hash tells that it is what was planned: so nothing of its stat may be otherwise, when it was opened and after it was read. */
function isAsSeen({ stat, after }: CopiedFile, sizeBytes: number, seen: SeenThen): boolean {
  return [stat, after].every(
    now =>
      now.sizeBytes === sizeBytes &&
      now.mtimeNs === seen.mtimeNs &&
      now.ctimeNs === seen.ctimeNs &&
      now.inode === seen.inode &&
      now.birthNs === seen.birthNs
  )
}

/** The source is not what the plan saw. */
const OTHERWISE = new Set(['CHANGED', 'MISSING', 'LINK_IN_PATH', 'NOT_A_FILE'])

async function giveWay({ signal }: TaskContext): Promise<void> {
  await new Promise(resolve => setImmediate(resolve))
  signal.throwIfAborted()
}
