import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type AbortOptions, type AbsPath, type LibraryId, SpacedriveError, type WorkerPool } from '../base/index.js'
import type { Generation } from '../entries/index.js'
import type { Database } from '../sql/index.js'
import { BACKUPS, DATABASE_FILE, stamped } from './folder.js'
import { type CheckReport, libraryTasks } from './libraries.worker.js'
import type { Library, LibraryStatistics } from './library.js'
import { libraryReads } from './reads.worker.js'

/** Numbers reserved at a time. No write comes near half of it, so that one check before each write is enough. */
export const SEQ_BLOCK = 2 ** 28

export interface OpenLibraryInit {
  id: LibraryId
  name: string
  path: AbsPath
  kind: 'portable' | 'own'
  database: Database
  host: number
  indexId: string
  /** The last number reserved. */
  reservedSeq: number
  pool: WorkerPool
  nowMs(): number
  /** Makes a reservation durable in the instance database. */
  reserve(upto: number): Promise<void>
  reindexed(indexId: string): Promise<void>
}

export class OpenLibrary implements Library {
  readonly id: LibraryId
  readonly name: string
  readonly path: AbsPath
  readonly kind: 'portable' | 'own'
  readonly database: Database
  readonly host: number
  readonly #init: OpenLibraryInit
  #indexId: string
  #reserved: number
  #reserving: Promise<void> | undefined

  constructor(init: OpenLibraryInit) {
    this.#init = init
    this.id = init.id
    this.name = init.name
    this.path = init.path
    this.kind = init.kind
    this.database = init.database
    this.host = init.host
    this.#indexId = init.indexId
    this.#reserved = init.reservedSeq
  }

  async generation({ durable = false } = {}): Promise<Generation> {
    const generation = { index: this.#indexId, seq: this.lastSeq() }
    if (durable) await this.database.maintain(libraryTasks.checkpoint, undefined)
    return generation
  }

  lastSeq(): number {
    return (
      Number(this.database.get<{ value: string }>("SELECT value FROM meta WHERE name = 'next_seq'")?.value ?? 1) - 1
    )
  }

  async reserveSeq(): Promise<number> {
    if (this.#reserved - this.lastSeq() < SEQ_BLOCK / 2) {
      this.#reserving ??= this.#reserveMore().finally(() => {
        this.#reserving = undefined
      })
      await this.#reserving
    }
    return this.#reserved
  }

  async #reserveMore(): Promise<void> {
    const upto = this.#reserved + SEQ_BLOCK
    await this.#init.reserve(upto)
    this.#reserved = upto
  }

  async statistics(): Promise<LibraryStatistics> {
    const counted = await this.#init.pool.run(libraryReads.statistics, { file: this.database.file })
    let databaseBytes = 0
    for (const suffix of ['', '-wal'])
      databaseBytes += statSync(this.database.file + suffix, { throwIfNoEntry: false })?.size ?? 0
    return { ...counted, databaseBytes }
  }

  async check({ quick = false } = {}): Promise<CheckReport> {
    const report = await this.database.maintain(libraryTasks.check, { quick })
    if (!report.ok) {
      this.#indexId = await this.database.write(libraryTasks.renewIndex, undefined)
      await this.#init.reindexed(this.#indexId)
    }
    return report
  }

  async backup(): Promise<AbsPath> {
    const dir = join(this.path, BACKUPS)
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    const file = join(dir, stamped(DATABASE_FILE, this.#init.nowMs())) as AbsPath
    if (existsSync(file)) throw new SpacedriveError('EXISTS', `could not back up to ${file}: it exists`)
    await this.database.maintain(libraryTasks.copyTo, { file })
    return file
  }

  async maintain({ vacuum = false, signal }: AbortOptions & { vacuum?: boolean } = {}): Promise<void> {
    let dropped: number
    do {
      signal?.throwIfAborted()
      dropped = await this.database.write(libraryTasks.dropDeleted, { nowMs: this.#init.nowMs() })
    } while (dropped > 0)
    for (let after: number | undefined = 0; after !== undefined; ) {
      signal?.throwIfAborted()
      after = await this.database.write(libraryTasks.dropContents, { after })
    }
    await this.database.maintain(libraryTasks.optimize, undefined)
    if (vacuum) await this.database.maintain(libraryTasks.vacuum, undefined)
  }
}
