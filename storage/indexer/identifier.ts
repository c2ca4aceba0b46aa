import { displayPath, type Problem } from '../base/index.js'
import type { Library } from '../libraries/index.js'
import type { Written } from './apply.worker.js'
import { type Candidate, contentTasks, type Identified, type NotIdentified } from './content.worker.js'
import { mediaTasks } from './media.worker.js'
import type { IndexerParts } from './parts.js'
import { recording } from './record.worker.js'

/** Files asked for at a time, and how many of them, by number and bytes, go to a thread in one message: a tenth of a second or one file. */
const PAGE = 512
const GROUP_FILES = 64
const GROUP_BYTES = 64 * 1024 * 1024
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
    for (let after: number | undefined = 0; after !== undefined; ) {
      const input = { ...base, after, limit: PAGE }
      const page: { files: Candidate[]; next: number | undefined } = await this.#parts.pool.run(
        contentTasks.candidates,
        input,
        { signal }
      )
      await this.#identify(request, page.files, progress)
      after = page.next
    }
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
    const { files } = await this.#parts.pool.run(contentTasks.candidates, input, { signal })
    return await this.#identify(request, files, new Progress(request, undefined))
  }

  async #identify(
    request: IdentifyRequest,
    files: readonly Candidate[],
    progress: Progress
  ): Promise<{ racy: number[]; outdated: string[] }> {
    const again = { racy: [] as number[], outdated: [] as string[] }
    const groups = inGroups(files)
    const worker = async (): Promise<void> => {
      for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
        const results = await this.#parts.pool.run(contentTasks.identify, { files: group }, { signal: request.signal })
        const found = results.filter((r): r is Identified => 'hash' in r)
        const failed = results.filter((r): r is NotIdentified => 'code' in r)
        const seqLimit = await request.library.reserveSeq()
        const written = await request.library.database.write(recording.contents, {
          ...{ run: 0, host: request.library.host, nowMs: this.#parts.clock.nowMs(), seqLimit, found, failed }
        })
        again.racy.push(...written.racy)
        again.outdated.push(...written.outdated)
        this.#onWritten(request.library, written)
        progress.add(found, failed)
      }
    }
    // One thread of the pool stays free for whoever asks something meanwhile.
    await Promise.all(Array.from({ length: Math.max(1, this.#parts.pool.size - 1) }, worker))
    return again
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

function inGroups(files: readonly Candidate[]): Candidate[][] {
  const groups: Candidate[][] = []
  let group: Candidate[] = []
  let bytes = 0
  for (const file of files) {
    if (group.length === GROUP_FILES || (group.length > 0 && bytes + file.sizeBytes > GROUP_BYTES)) {
      groups.push(group)
      group = []
      bytes = 0
    }
    group.push(file)
    bytes += file.sizeBytes
  }
  if (group.length > 0) groups.push(group)
  return groups
}
