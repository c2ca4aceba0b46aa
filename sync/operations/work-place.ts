import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type AbsPath, isUuid, type Startable } from '../../storage/base/index.js'
import { ensurePrivateDir, removeFile } from '../../storage/files/index.js'
import type { JobManager } from '../../storage/jobs/index.js'

/** Jobs in these states still need their list; a failed one may be taken up again. */
const NEEDED = ['queued', 'running', 'paused', 'failed'] as const
const ENDS = ['', '-wal', '-shm', '-journal'] as const

/**
 * The lists that jobs work through: what grows with a tree belongs in a table, one SQLite file a job, made when it is looked at
 * what is to be done and removed when the job has ended.
 */
export class WorkPlace implements Startable {
  readonly #dir: AbsPath
  readonly #jobs: Pick<JobManager, 'list'>
  /** Lists of which no job knows yet. */
  readonly #fresh = new Set<string>()

  constructor(dataDir: AbsPath, jobs: Pick<JobManager, 'list'>) {
    this.#dir = join(dataDir, 'work') as AbsPath
    this.#jobs = jobs
  }

  /** Takes away what a crash left. */
  async start(): Promise<void> {
    await ensurePrivateDir(this.#dir)
    for (const name of await readdir(this.#dir)) {
      const id = name.slice(0, name.indexOf('.'))
      if (isUuid(id) && !this.#fresh.has(id) && !this.#isNeeded(id)) await removeFile(join(this.#dir, name))
    }
  }

  async stop(): Promise<void> {}

  /** @returns the id of a new list; its file is made by who writes it */
  create(): string {
    const id = randomUUID()
    this.#fresh.add(id)
    return id
  }

  fileOf(id: string): AbsPath {
    return join(this.#dir, `${id}.db`) as AbsPath
  }

  /** What a job with this list has as its serial. */
  static serialOf(id: string): string {
    return `work:${id}`
  }

  async drop(id: string): Promise<void> {
    this.#fresh.delete(id)
    for (const end of ENDS) await removeFile(`${this.fileOf(id)}${end}`)
  }

  #isNeeded(id: string): boolean {
    return this.#jobs.list({ serial: WorkPlace.serialOf(id), states: NEEDED, limit: 1 }).length > 0
  }
}
