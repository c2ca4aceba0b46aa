import { type Clock, displayPath, type Problem } from '../base/index.js'
import type { Library } from '../libraries/index.js'
import type { Written } from './apply.worker.js'
import { CandidateGroups } from './candidate-groups.js'
import { contentTasks, type Identified, type NotIdentified } from './content.worker.js'
import { mediaTasks } from './media.worker.js'
import type { IndexerParts } from './parts.js'
import { type Recorded, recording } from './record.worker.js'

/** Files asked for at a time. */
const PAGE = 1_024
/** Results written in one commit, some 10 ms of the writer thread; fewer when the last was so long ago (large files). */
const RECORDED_AT_ONCE = 256
const RECORDED_AFTER_MS = 100
const MEDIA_PAGE = 32

export interface Done {
  readonly files: number
  readonly bytes: number
  readonly totalFiles: number | null
  readonly totalBytes: number | null
}

export interface IdentifyRequest {
  readonly library: Library
  /** Entry below which files are read. */
  readonly root: number
  readonly signal: AbortSignal
  readonly onProgress?: (done: Done) => void
  readonly onProblem?: (problem: Problem) => void
}

/** Reads files: what bytes they hold, what kind they are, what media say of themselves. Through the pool, a few at a time. */
export class Identifier {
  readonly #parts: IndexerParts
  readonly #onWritten: (library: Library, written: Written) => void

  constructor(parts: IndexerParts, onWritten: (library: Library, written: Written) => void) {
    this.#parts = parts
    this.#onWritten = onWritten
  }

  /** Every file below the root whose content is not known, or not for certain. */
  async identifyTree(request: IdentifyRequest & { force: boolean; bypassFilters: boolean }): Promise<void> {
    const { library, root, signal, force, bypassFilters } = request
    const base = { databaseFile: library.database.file, root, host: library.host, force, bypassFilters }
    const total = await this.#parts.pool.run(contentTasks.count, base, { signal })
    const progress = new Progress(request, total)
    const groups = new CandidateGroups(after =>
      this.#parts.pool.run(contentTasks.candidates, { ...base, after, limit: PAGE }, { signal })
    )
    await this.#identify(request, groups, progress)
  }

  /** These entries, if they are files whose content is not known. @returns those to be hashed again, and those to be looked at again */
  async identifyEntries(
    request: IdentifyRequest & { ids: readonly number[] }
  ): Promise<{ racy: number[]; outdated: string[] }> {
    const { library, root, signal, ids } = request
    const input = {
      ...{ databaseFile: library.database.file, root, host: library.host, ids },
      ...{ after: 0, limit: PAGE, force: false, bypassFilters: false }
    }
    const groups = new CandidateGroups(() => this.#parts.pool.run(contentTasks.candidates, input, { signal }))
    return await this.#identify(request, groups, new Progress(request, undefined))
  }

  async #identify(
    request: IdentifyRequest,
    groups: CandidateGroups,
    progress: Progress
  ): Promise<{ racy: number[]; outdated: string[] }> {
    const { pool } = this.#parts
    const recorder = new Recorder(this.#parts.clock, results => this.#record(request, results, progress))
    const worker = async (): Promise<void> => {
      for (let files = await groups.next(); files !== undefined; files = await groups.next())
        await recorder.add(await pool.run(contentTasks.identify, { files }, { signal: request.signal }))
    }
    const ended = await Promise.allSettled(Array.from({ length: pool.bulkWidth }, worker))
    // Also when it was cut short: what has been read need not be read again.
    const again = await recorder.end()
    const failed = ended.find(e => e.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    return again
  }

  async #record(request: IdentifyRequest, results: readonly Result[], progress: Progress): Promise<Recorded> {
    const { library } = request
    const found = results.filter((r): r is Identified => 'hash' in r)
    const failed = results.filter((r): r is NotIdentified => 'code' in r)
    const seqLimit = await library.reserveSeq()
    const written = await library.database.write(recording.contents, {
      ...{ run: 0, host: library.host, nowMs: this.#parts.clock.nowMs(), seqLimit, found, failed }
    })
    this.#onWritten(library, written)
    progress.add(found, failed)
    return written
  }

  /** Facts of pictures, films and sound below the root, once for each content. */
  async readMedia(request: IdentifyRequest): Promise<void> {
    const { library, root, signal } = request
    const { pool, clock } = this.#parts
    const base = { databaseFile: library.database.file, root, host: library.host }
    let files = 0
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page: Awaited<ReturnType<typeof mediaTasks.candidates>> = await pool.run(
        mediaTasks.candidates,
        { ...base, after, limit: MEDIA_PAGE },
        { signal }
      )
      if (page.files.length > 0) {
        const facts = await pool.run(mediaTasks.read, { files: page.files }, { signal })
        await library.database.write(recording.media, { facts, nowMs: clock.nowMs() })
        files += page.files.length
        request.onProgress?.({ files, bytes: 0, totalFiles: null, totalBytes: null })
      }
      after = page.next
    }
  }
}

class Progress {
  #files = 0
  #bytes = 0
  readonly #request: IdentifyRequest
  readonly #total: { files: number; bytes: number } | undefined

  constructor(request: IdentifyRequest, total: { files: number; bytes: number } | undefined) {
    this.#request = request
    this.#total = total
  }

  add(found: readonly Identified[], failed: readonly NotIdentified[]): void {
    this.#files += found.length + failed.length
    for (const file of found) this.#bytes += file.sizeBytes
    const { onProgress, onProblem } = this.#request
    for (const { path, code, message } of failed) onProblem?.({ path: displayPath(path), code, message })
    onProgress?.({
      files: this.#files,
      bytes: this.#bytes,
      totalFiles: this.#total === undefined ? null : Math.max(this.#files, this.#total.files),
      totalBytes: this.#total === undefined ? null : Math.max(this.#bytes, this.#total.bytes)
    })
  }
}

type Result = Identified | NotIdentified

/** Collects what was found and writes it, one write after another, while the threads go on. */
class Recorder {
  readonly #clock: Clock
  readonly #write: (results: readonly Result[]) => Promise<Recorded>
  readonly #again = { racy: [] as number[], outdated: [] as string[] }
  #waiting: Result[] = []
  #writing: Promise<void> = Promise.resolve()
  #flushedMs: number

  constructor(clock: Clock, write: (results: readonly Result[]) => Promise<Recorded>) {
    this.#clock = clock
    this.#write = write
    this.#flushedMs = clock.monotonicMs()
  }

  /** Resolves when there is room for more: whoever hashes is never more than one write ahead. */
  async add(results: readonly Result[]): Promise<void> {
    this.#waiting.push(...results)
    const recent = this.#clock.monotonicMs() - this.#flushedMs < RECORDED_AFTER_MS
    if (this.#waiting.length < RECORDED_AT_ONCE && recent) return
    const before = this.#writing
    this.#flush()
    await before
  }

  async end(): Promise<{ racy: number[]; outdated: string[] }> {
    this.#flush()
    await this.#writing
    return this.#again
  }

  #flush(): void {
    const results = this.#waiting
    this.#waiting = []
    this.#flushedMs = this.#clock.monotonicMs()
    if (results.length === 0) return
    this.#writing = this.#writing.then(async () => {
      const { racy, outdated } = await this.#write(results)
      this.#again.racy.push(...racy)
      this.#again.outdated.push(...outdated)
    })
    this.#writing.catch(() => {}) // told by the next `add` or `end`
  }
}
