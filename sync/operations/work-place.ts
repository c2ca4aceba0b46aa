import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type AbsPath, type Clock, isUuid, SpacedriveError, type Startable } from '../../storage/base/index.js'
import { ensurePrivateDir, removeFile } from '../../storage/files/index.js'
import type { JobManager } from '../../storage/jobs/index.js'

/** Jobs in these states still need their list; a failed one may be taken up again. */
const NEEDED: ReadonlySet<string> = new Set(['queued', 'running', 'paused', 'failed'])
const ENDED: ReadonlySet<string> = new Set(['completed', 'completed-with-problems'])
/** Results of a job that has ended can be asked for so long. */
const RESULTS_MS = 7 * 24 * 60 * 60 * 1000
const ENDS = ['', '-wal', '-shm', '-journal'] as const

/**
 * The lists that jobs work through: what grows with a tree belongs in a table, one SQLite file a job, made when it is looked at
 * what is to be done and removed when the job has ended.
 */
export class WorkPlace implements Startable {
  readonly #dir: AbsPath
  readonly #jobs: Pick<JobManager, 'list'>
  readonly #clock: Clock
  /** Lists of which no job knows yet. */
  readonly #fresh = new Set<string>()

  constructor(dataDir: AbsPath, jobs: Pick<JobManager, 'list'>, clock: Clock) {
    this.#dir = join(dataDir, 'work') as AbsPath
    this.#jobs = jobs
    this.#clock = clock
  }

  /** Takes away what nobody needs any more, and what a crash left. */
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

  has(id: string): boolean {
    return existsSync(this.fileOf(id))
  }

  /** The file of a list that was made. @throws {SpacedriveError} NOT_FOUND */
  readFile(id: string): AbsPath {
    if (this.has(id)) return this.fileOf(id)
    throw new SpacedriveError('NOT_FOUND', 'that result is no longer kept', { hint: 'Look again.' })
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
    return this.#jobs
      .list({ serial: WorkPlace.serialOf(id) })
      .some(j => NEEDED.has(j.state) || (ENDED.has(j.state) && this.#clock.nowMs() - (j.endedAt ?? 0) < RESULTS_MS))
  }
}
