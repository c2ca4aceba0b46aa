import {
  type AbsPath,
  defineTasks,
  displayPath,
  errorCode,
  type Problem,
  SpacedriveError,
  type TaskContext,
  toError
} from '../../../storage/base/index.js'
import {
  type ContentStat,
  hashSource,
  PIECE_BYTES,
  sameContentStat,
  sampleCas
} from '../../../storage/content/index.js'
import type { Expected } from '../../../storage/files/index.js'
import { type OpenFile, withFile } from '../read-file.js'
import type { ReadOutcome, ToRead } from './groups.worker.js'
import type { Victim } from './victims.worker.js'

export interface ReadResult {
  readonly outcomes: readonly ReadOutcome[]
  readonly problems: readonly Problem[]
}

export const reading = defineTasks(import.meta.url, {
  /** The sampled ids of large files: six stretches of each are read. */
  async sample({ files }: { files: readonly ToRead[] }, ctx: TaskContext): Promise<ReadResult> {
    return readEach(files, ctx, async (file, { id, size }) => {
      const before = file.stat()
      ensureSize(file, before, size)
      const cas = sampleCas(size, null, (into, position) => file.read(into, position))
      ensureSame(file, before)
      return { id, cas }
    })
  },

  /** BLAKE3 of whole files. Emits bytes read. */
  async hash({ files }: { files: readonly ToRead[] }, ctx: TaskContext): Promise<ReadResult> {
    return readEach(files, ctx, async (file, { id, size }) => {
      ensureSize(file, file.stat(), size)
      let told = 0
      const source = {
        stat: () => file.stat(),
        read(into: Uint8Array, position: number): number {
          const n = file.read(into, position)
          told += n
          if (told >= TELL_BYTES) {
            ctx.emit(told)
            told = 0
          }
          return n
        }
      }
      const { hash, mtimeNs, ctimeNs } = await hashSource(source, displayPath(file.path), { signal: ctx.signal })
      ctx.emit(told)
      return { id, hash, mtimeNs, ctimeNs }
    })
  },

  /** Compares files byte by byte with those that stay for them, right before they go. */
  async compare({ victims }: { victims: readonly Victim[] }, ctx: TaskContext): Promise<Compared[]> {
    const results: Compared[] = []
    for (const victim of victims) {
      ctx.signal.throwIfAborted()
      try {
        results.push(await ensureEqual(victim, ctx))
      } catch (err) {
        ctx.signal.throwIfAborted()
        results.push({ problem: problemOf(victim.path, err) })
      }
    }
    return results
  },

  /** Whether each is still what it was. */
  async stillThere({ files }: { files: readonly { path: AbsPath; stat: ContentStat }[] }): Promise<boolean[]> {
    return Promise.all(
      files.map(({ path, stat }) => withFile(path, file => sameContentStat(stat, file.stat())).catch(() => false))
    )
  }
})

/** Equal, with what was seen of both, or why not. */
export type Compared = Equal | { readonly problem: Problem }

export interface Equal {
  readonly stat: ContentStat
  readonly keeper: ContentStat
  readonly problem?: undefined
}

/** Between two tellings of how far a large file is. */
const TELL_BYTES = 32 * 1024 * 1024

async function readEach(
  files: readonly ToRead[],
  ctx: TaskContext,
  read: (file: OpenFile, what: ToRead) => Promise<ReadOutcome>
): Promise<ReadResult> {
  const outcomes: ReadOutcome[] = []
  const problems: Problem[] = []
  for (const what of files) {
    ctx.signal.throwIfAborted()
    try {
      outcomes.push(await withFile(what.path, file => read(file, what)))
    } catch (err) {
      ctx.signal.throwIfAborted()
      outcomes.push({ id: what.id, out: true, code: errorCode(err) })
      // What was deleted meanwhile is no duplicate, and no problem.
      if (errorCode(err) !== 'ENOENT') problems.push(problemOf(what.path, err))
    }
  }
  return { outcomes, problems }
}

async function ensureEqual({ path, expected, keeper, keeperExpected }: Victim, ctx: TaskContext): Promise<Compared> {
  return withFile(keeper, kept =>
    withFile(path, async file => {
      const [a, b] = [kept.stat(), file.stat()]
      if (!isAs(keeperExpected, a)) throw changed(keeper)
      if (!isAs(expected, b)) throw changed(path)
      if (a.inode === b.inode && a.device === b.device) {
        throw new SpacedriveError('SAME_FILE', `${displayPath(path)} is the file itself that stays`)
      }
      const [left, right] = [Buffer.allocUnsafe(PIECE_BYTES), Buffer.allocUnsafe(PIECE_BYTES)]
      for (let at = 0; at < b.sizeBytes; at += PIECE_BYTES) {
        const n = kept.read(left, at)
        if (file.read(right, at) !== n || !left.subarray(0, n).equals(right.subarray(0, n))) {
          throw new SpacedriveError(
            'DIFFERENT',
            `${displayPath(path)} is not the same as ${displayPath(keeper)}, though their hashes were`
          )
        }
        await new Promise(resolve => setImmediate(resolve)) // the message that says "abort" can only arrive then
        ctx.signal.throwIfAborted()
      }
      if (!sameContentStat(a, kept.stat())) throw changed(keeper)
      if (!sameContentStat(b, file.stat())) throw changed(path)
      return { stat: b, keeper: a }
    })
  )
}

function isAs(expected: Expected, at: ContentStat): boolean {
  return at.sizeBytes === expected.sizeBytes && at.mtimeNs === expected.mtimeNs && at.inode === expected.inode
}

function ensureSize(file: OpenFile, { sizeBytes }: ContentStat, size: number): void {
  if (sizeBytes !== size) throw changed(file.path)
}

function ensureSame(file: OpenFile, before: ContentStat): void {
  if (!sameContentStat(before, file.stat())) throw changed(file.path)
}

const changed = (path: string): SpacedriveError =>
  new SpacedriveError('CHANGED', `${displayPath(path)} was changed meanwhile`)

const problemOf = (path: string, err: unknown): Problem => ({
  path: displayPath(path),
  code: errorCode(err),
  message: toError(err).message
})
