import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AbsPath,
  type EventBus,
  eventBus,
  type JobId,
  type Problem,
  silentLog,
  systemClock,
  systemRandom,
  type WorkerPool
} from '../../../storage/base/index.js'
import { openFiles, ownerTag } from '../../../storage/files/index.js'
import { type JobInfo, type JobManager, jobManager } from '../../../storage/jobs/index.js'
import { openDatabase } from '../../../storage/sql/index.js'
import { type Trash, trash } from '../../../storage/trash/index.js'
import { volumes } from '../../../storage/volumes/index.js'
import { type Copies, type CopyComponents, type CopyInput, type CopyOutput, copies } from '../../../sync/copy/index.js'
import { sharedPool } from '../../shared-pool.js'
import { tempDir } from '../../temp.js'

/** Copies with everything they stand on, in one process, and a folder to work in. */
export interface CopyKit {
  readonly dir: AbsPath
  readonly copies: Copies
  readonly trash: Trash
  readonly jobs: JobManager
  readonly components: CopyComponents
  readonly events: EventBus
  at(...names: string[]): AbsPath
  /** Copies (unless told otherwise) and waits for the end. @throws the job's error */
  copy(sources: string[], destination: string, more?: Partial<CopyInput>): Promise<CopyResult>
  /** @param between - when nothing is open any more, before the folder goes */
  clean(between?: () => void): Promise<void>
}

export interface CopyResult extends CopyOutput {
  readonly job: JobId
  readonly state: string
  readonly problems: readonly Problem[]
  readonly info: JobInfo
}

export interface CopyKitInit {
  /** Somebody else's folder: left as it is. */
  readonly dir?: AbsPath
  readonly pool?: WorkerPool
  readonly checkpointBytes?: number
  readonly indexDestination?: boolean
}

export async function openCopies({
  dir,
  pool = sharedPool(),
  checkpointBytes,
  indexDestination
}: CopyKitInit = {}): Promise<CopyKit> {
  const temp = dir === undefined ? tempDir() : { path: dir, clean() {} }
  const dataDir = join(temp.path, 'data') as AbsPath
  mkdirSync(dataDir, { recursive: true })
  const events = eventBus()
  const parts = { clock: systemClock, random: systemRandom, events, log: silentLog }
  const db = await openDatabase({ file: join(dataDir, 'instance.db'), schema: 'instance' })
  const owner = ownerTag(dataDir)
  const files = openFiles({ pool, owner })
  const disks = volumes({ ...parts, database: db, pool })
  const jobs = jobManager({ ...parts, db })
  const bin = trash({
    ...parts,
    ...{ db, files, volumes: disks, pool, dataDir, owner },
    keepFor: () => ({ days: 30, percent: 10 })
  })
  const components: CopyComponents = {
    ...{ db, files, pool, clock: systemClock, random: systemRandom, trash: bin, volumes: disks },
    index: { placesOf: async () => [] },
    ours: () => [dataDir],
    ...{ checkpointBytes, indexDestination },
    pause: (job, because) => jobs.pause(job, { because })
  }
  const copying = copies(components, jobs)
  await jobs.start()
  const at = (...names: string[]): AbsPath => join(temp.path, ...names) as AbsPath
  return {
    dir: temp.path,
    copies: copying,
    trash: bin,
    ...{ jobs, components, events, at },
    async copy(sources, destination, more = {}) {
      const input: CopyInput = {
        ...{ operation: 'copy', into: false, overwrite: 'skip', verify: false, keepTimes: true, include: [] },
        ...{ exclude: [], prepare: 'auto', keep: true, owner: false, xattrs: false },
        ...{ sources: sources.map(s => at(s)), destination: at(destination) },
        ...more
      }
      await copying.check(input)
      const job = await copying.begin(input)
      const { error } = await jobs.outcome(job)
      const info = jobs.info(job)
      if (error !== undefined) throw Object.assign(new Error(error.message), error)
      const output = info.output as unknown as CopyOutput
      return { ...output, job, state: info.state, problems: info.problemList, info }
    },
    async clean(between) {
      await jobs.stop()
      await files.close()
      await pool.close()
      await db.close()
      between?.()
      temp.clean()
    }
  }
}
