import type { AbsPath, WorkerPool } from '../../storage/base/index.js'
import type { Phase } from '../../storage/jobs/index.js'
import { collecting } from './collect.worker.js'

/** The phase that walks and makes the list. Begun anew after a pause or a crash: a walk is short against what follows. */
export function collectionPhase<S>({
  pool,
  file,
  roots,
  minBytes,
  ours
}: {
  pool: WorkerPool
  file: AbsPath
  roots: readonly string[]
  minBytes: number
  ours: () => readonly AbsPath[]
}): Phase<S> {
  return {
    name: 'Collection',
    recovery: 'restart-phase',
    async execute(ctx) {
      const found = await pool.run(
        collecting.collect,
        { file, roots: roots as AbsPath[], minBytes, ours: ours() },
        {
          signal: ctx.signal,
          onEmit: (sum: never) => {
            const { files, bytes } = sum as { files: number; bytes: number }
            ctx.progress({ doneFiles: files, doneBytes: bytes })
          }
        }
      )
      ctx.progress({ doneFiles: found.files, doneBytes: found.bytes })
      for (const p of found.problems) ctx.problem(p)
      if (found.problemCount > found.problems.length) {
        ctx.logError(`${found.problemCount} places could not be looked at; the first are told`)
      }
      ctx.log(`${found.files} files found`)
    }
  }
}
