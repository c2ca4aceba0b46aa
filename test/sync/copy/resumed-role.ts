/**
 * A process that copies one large file, or goes on with the copy, for resumed.spec.ts: `FOLDER VERIFY DIE_AT`. Prints how many
 * bytes went through it; dies by SIGKILL once that many did.
 */
import { writeSync } from 'node:fs'
import { type AbsPath, type WorkerPool, workerPool } from '../../../storage/base/index.js'
import type { CopyOutput } from '../../../sync/copy/index.js'
import { openCopies } from './fixture.js'

const [folder, verify, dieAt] = process.argv.slice(2)
let through = 0

/** Counts what the tasks tell of bytes on their way. */
function counted(pool: WorkerPool): WorkerPool {
  return {
    size: pool.size,
    bulkWidth: pool.bulkWidth,
    close: () => pool.close(),
    whenAtRest: (task, options) => pool.whenAtRest(task, options),
    link: (task, input, options) => pool.link(task, input, options),
    run: (task, input, options) => pool.run(task, input, { ...options, onEmit: heard(options?.onEmit) })
  }
}

const heard =
  (tell: ((value: never) => void) | undefined) =>
  (value: unknown): void => {
    if (typeof value === 'number') through += value
    if (through >= Number(dieAt)) {
      writeSync(1, `${JSON.stringify({ through })}\n`)
      process.kill(process.pid, 'SIGKILL')
    }
    tell?.(value as never)
  }

const kit = await openCopies({ dir: folder as AbsPath, pool: counted(workerPool(2)), checkpointBytes: 8 << 20 })
let [job] = kit.jobs.list({}).map(({ id }) => id)
job ??= await kit.copies.begin({
  ...{ operation: 'copy', into: false, overwrite: 'skip', verify: verify === 'true', keepTimes: true, include: [] },
  ...{ exclude: [], prepare: 'auto', keep: true, owner: false, xattrs: false },
  ...{ sources: [kit.at('from')], destination: kit.at('to') }
})
const { error } = await kit.jobs.outcome(job)
const { resumedBytes, copiedBytes } = kit.jobs.info(job).output as unknown as CopyOutput
await kit.clean()
writeSync(1, `${JSON.stringify({ through, resumedBytes, copiedBytes, error })}\n`)
