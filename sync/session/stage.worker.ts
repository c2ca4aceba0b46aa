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
import { type Copier, type CopierInit, copierHere, isFatal } from '../../storage/files/index.js'

/** A file that an end is to get. */
export interface FileWanted {
  readonly hash: ContentHash
  readonly sizeBytes: number
  readonly mode: number
  readonly mtimeNs: bigint
  /** Where it lies: the first of these that has this content. */
  readonly from: readonly RelPath[]
  readonly staged: RelPath
}

export interface StageInput extends CopierInit {
  readonly files: readonly FileWanted[]
  /** The two lie in one file system in which files can share their blocks. */
  readonly reflink: boolean
}

/** Bits of a file of the list that could not be staged; undefined: it is another content by now. */
export interface StageFailure {
  readonly index: number
  readonly problem: Omit<Problem, 'path'> | undefined
}

/** Below this a file is read and written in one piece: sharing blocks would gain nothing. */
const REFLINK_FROM_BYTES = 256 * 1024
/** Files between two turns of the thread's event loop: some milliseconds. */
const FILES_PER_TURN = 32
/** Bytes between two words of what was written. */
const TELL_BYTES = 1024 * 1024

export const staging = defineTasks(import.meta.url, {
  /** Emits bytes of content as they are written. */
  async stage({ files, reflink, ...init }: StageInput, ctx: TaskContext): Promise<StageFailure[]> {
    const copier = copierHere(init)
    const failures: StageFailure[] = []
    let written = 0
    // A message for each small file would cost more than copying it.
    const tell = (): void => {
      if (written > 0) ctx.emit(written)
      written = 0
    }
    try {
      for (const [index, file] of files.entries()) {
        if (index % FILES_PER_TURN === FILES_PER_TURN - 1) await giveWay(ctx)
        const failure = await stageOne(copier, file, reflink, ctx)
        if (failure !== 'staged') failures.push({ index, problem: failure })
        else written += file.sizeBytes
        if (written >= TELL_BYTES) tell()
      }
      tell()
      return failures
    } finally {
      copier.close()
    }
  }
})

async function stageOne(
  copier: Copier,
  { from, staged, hash, sizeBytes, mode, mtimeNs }: FileWanted,
  reflink: boolean,
  ctx: TaskContext
): Promise<'staged' | StageFailure['problem']> {
  const between = async (): Promise<void> => giveWay(ctx)
  const strategy = reflink && sizeBytes >= REFLINK_FROM_BYTES ? 'reflink' : 'stream'
  let problem: StageFailure['problem']
  for (const path of from) {
    try {
      const copied = await copier.stageFile(path, staged, {
        strategy,
        mode,
        mtimeNs,
        owner: false,
        xattrs: false,
        between
      })
      // What is on the disk counts where no byte of it came by here.
      if ((copied.hash ?? (await copier.hash('staged', staged, ctx.signal))) === hash) return 'staged'
      problem = undefined
    } catch (err) {
      ctx.signal.throwIfAborted()
      if (isFatal(err)) throw err
      const code = errorCode(err)
      problem = OTHERWISE.has(code) ? undefined : { code, message: toError(err).message }
    }
  }
  return problem
}

/** The source is not what the plan saw. */
const OTHERWISE = new Set(['CHANGED', 'MISSING', 'LINK_IN_PATH', 'NOT_A_FILE'])

async function giveWay({ signal }: TaskContext): Promise<void> {
  await new Promise(resolve => setImmediate(resolve))
  signal.throwIfAborted()
}
