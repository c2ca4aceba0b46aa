import type { StagedEntry, StagedProblem, StagingWriter } from '../../../storage/files/index.js'
import { ManifestFileReader } from '../manifest/file.js'
import { parsePage } from '../manifest/page.js'
import { isSelected } from '../manifest/selection.js'
import type { ManifestEntry, Selection } from '../manifest/types.js'
import { fileMode } from './modes.js'

/**
 * What needs no content: directories, links and empty files, made from the manifest a page at a time, between the frames.
 */
export class Skeleton {
  readonly #reader: ManifestFileReader
  readonly #selection: Selection
  readonly #exactModes: boolean
  #next = 0
  done = false

  private constructor(reader: ManifestFileReader, selection: Selection, exactModes: boolean) {
    this.#reader = reader
    this.#selection = selection
    this.#exactModes = exactModes
  }

  static async open(file: string, selection: Selection, exactModes: boolean): Promise<Skeleton> {
    return new Skeleton(await ManifestFileReader.open(file), selection, exactModes)
  }

  /** @param skip - entries that failed already */
  async step(
    writer: Pick<StagingWriter, 'write'>,
    skip: (index: number) => boolean,
    onProblem: (entry: ManifestEntry, problem: StagedProblem) => void
  ): Promise<void> {
    const page = await this.#reader.next()
    if (page === undefined) {
      this.done = true
      return
    }
    const raw = parsePage(page, this.#next)
    this.#next += raw.length
    const entries: ManifestEntry[] = []
    const staged: StagedEntry[] = []
    for (const { entry } of raw) {
      if (!isSelected(this.#selection, entry.index) || skip(entry.index)) continue
      const made = this.#stagedEntry(entry)
      if (made === undefined) continue
      entries.push(entry)
      staged.push(made)
    }
    for (const problem of writer.write(staged, NOTHING).problems) onProblem(entries[problem.index]!, problem)
  }

  close(): Promise<void> {
    return this.#reader.close()
  }

  #stagedEntry({ kind, path, sizeBytes, mode, mtimeNs, target }: ManifestEntry): StagedEntry | undefined {
    if (kind === 'directory') return { kind, path }
    if (kind === 'symlink') return { kind, path, target: target ?? '', mtimeNs }
    if (sizeBytes > 0) return undefined
    return { kind: 'file', path, offset: 0, length: 0, mode: fileMode(mode, this.#exactModes), mtimeNs }
  }
}

const NOTHING = new Uint8Array(0)
