import type { AbsPath, WorkerPool } from '../../storage/base/index.js'
import type { PhaseContext } from '../../storage/jobs/index.js'
import type { ToRead } from './duplicates/groups.worker.js'
import type { ReadResult } from './duplicates/reading.worker.js'

/** Files read by one task: enough to be worth a message, few enough that a pause is heard soon. */
const READ_FILES = 64
const READ_BYTES = 64 * 1024 * 1024
/** Files taken from the list at once. */
const TAKE = 2_000

export interface ReadAllInit {
  readonly pool: WorkerPool
  readonly file: AbsPath
  /** The next ones of the list, in order of their ids. */
  readonly take: (input: { file: AbsPath; after: number; limit: number }) => ToRead[]
  /** Reads some in a worker. */
  readonly read: (files: readonly ToRead[]) => Promise<ReadResult>
  /** Writes down what came out, so that it is not read again. */
  readonly store: (result: ReadResult) => Promise<void>
}

/** Reads everything on a list, several threads at once, and stores what came out as it comes; a checkpoint after each stretch. */
export async function readAll<S>(ctx: PhaseContext<S>, { pool, file, take, read, store }: ReadAllInit): Promise<void> {
  for (let after = 0; ; ) {
    ctx.checkInterrupt()
    const files = await pool.run(take, { file, after, limit: TAKE }, { signal: ctx.signal })
    if (files.length === 0) return
    after = files.at(-1)!.id
    const parts = inParts(files)
    let next = 0
    const worker = async (): Promise<void> => {
      for (let part = parts[next++]; part !== undefined; part = parts[next++]) await store(await read(part))
    }
    const workers = await Promise.allSettled(Array.from({ length: pool.bulkWidth }, worker))
    ctx.checkInterrupt()
    for (const w of workers) if (w.status === 'rejected') throw w.reason
    await ctx.checkpoint()
  }
}

/** What one task reads. */
function inParts(files: readonly ToRead[]): ToRead[][] {
  const parts: ToRead[][] = []
  let part: ToRead[] = []
  let bytes = 0
  for (const file of files) {
    if (part.length > 0 && (part.length >= READ_FILES || bytes + file.size > READ_BYTES)) {
      parts.push(part)
      part = []
      bytes = 0
    }
    part.push(file)
    bytes += file.size
  }
  if (part.length > 0) parts.push(part)
  return parts
}
