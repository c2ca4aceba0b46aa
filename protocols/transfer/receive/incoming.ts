/** One transfer that was accepted: what it knows over all its streams, and how it ends. */
import { type AbsPath, nameOf, parentOf, ROOT, SpacedriveError } from '../../../storage/base/index.js'
import { hashToBytes } from '../../../storage/content/index.js'
import type {
  DirectoryAttributes,
  FileRoot,
  Files,
  MovedEntry,
  MoveEntry,
  Staging
} from '../../../storage/files/index.js'
import type { ReceiveInit } from '../index.js'
import { ManifestFileReader } from '../manifest/file.js'
import { parsePage } from '../manifest/page.js'
import { isSelected, selectionHash, setBit } from '../manifest/selection.js'
import type { ManifestTotals } from '../manifest/types.js'
import { ProblemList } from '../problem-list.js'
import type { Begin } from '../stream/messages.js'
import type { FromContentReceiver } from './messages.js'
import { directoryMode } from './modes.js'
import type { ContentPlan } from './receive-stream.js'

export interface IncomingInit {
  readonly transfer: ReceiveInit
  readonly totals: ManifestTotals
  readonly files: Files
  readonly journalFile: AbsPath
  /** What is in staging already, about. */
  readonly doneBytes: number
  onPhase(phase: 'verifying' | 'transferring' | 'placing'): void
  onProgress(doneFiles: number, doneBytes: number): void
  onProblems(count: number): void
}

export interface Placed {
  readonly name: string
  readonly path: AbsPath
}

export class Incoming {
  readonly problems = new ProblemList()
  readonly #init: IncomingInit
  readonly #root: FileRoot
  readonly #staging: Staging
  /** What this run of the program knows to be there; undefined until a first stream has proven the journal. */
  #have: Uint8Array | undefined

  private constructor(init: IncomingInit, root: FileRoot, staging: Staging) {
    this.#init = init
    this.#root = root
    this.#staging = staging
  }

  /** @throws {SpacedriveError} NO_SPACE with the figures, READ_ONLY, MISSING, NO_PERMISSION for the folder */
  static async open(init: IncomingInit, signal: AbortSignal): Promise<Incoming> {
    const { transfer, files } = init
    const root = await files.openRoot(transfer.into, { signal })
    try {
      await root.recover({ signal })
      const bytes = init.totals.bytes - init.doneBytes
      // What is all here needs no more than names, and may have them already.
      if (bytes > 0) await root.ensureSpace(bytes)
      return new Incoming(init, root, await root.openStaging(transfer.id, { signal }))
    } catch (err) {
      await root.close()
      throw err
    }
  }

  /** @throws {SpacedriveError} MANIFEST_MISMATCH: the sender means something else than was accepted */
  check({ manifest, selection, entries }: Begin): void {
    const { transfer } = this.#init
    const same =
      Buffer.compare(manifest, hashToBytes(transfer.manifest.hash)) === 0 &&
      entries === transfer.manifest.totals.entries &&
      Buffer.compare(selection, selectionHash(transfer.selection, entries)) === 0
    if (!same) throw new SpacedriveError('MANIFEST_MISMATCH', 'the sender would send something else than was accepted')
  }

  /** The folder that holds what arrived, under its paths. */
  get stagedPath(): AbsPath {
    return this.#staging.contentPath
  }

  /** For one stream. */
  plan(): ContentPlan {
    const { transfer, journalFile } = this.#init
    const { foldsCase, foldsUnicode } = this.#root.capabilities
    this.problems.clear()
    return {
      manifestFile: transfer.manifest.file,
      entries: transfer.manifest.totals.entries,
      selection: transfer.selection,
      staging: this.#staging.handle,
      journalFile,
      have: this.#have,
      exactModes: transfer.keepExecutable ?? false,
      foldsNames: foldsCase || foldsUnicode,
      onMessage: message => this.#note(message)
    }
  }

  #note(message: FromContentReceiver): void {
    if (message.phase !== undefined) this.#init.onPhase(message.phase)
    if (message.have !== undefined) this.#have = message.have
    for (const index of message.arrived ?? []) if (this.#have !== undefined) setBit(this.#have, index)
    if (message.failed !== undefined) {
      this.problems.add(message.failed.file, message.failed.code, message.failed.by)
      this.#init.onProblems(this.problems.count)
    }
    this.#init.onProgress(message.doneFiles, message.doneBytes)
  }

  /**
   * All of it gets its names at once: `tops` is what `settle` returned.
   * @throws {SpacedriveError} ROOT_MOVED, NO_SPACE, DISK_ERROR, ...: nothing was placed, and it can be tried again
   */
  async place(tops: readonly MoveEntry[], signal: AbortSignal): Promise<Placed[]> {
    if (tops.length === 0) return []
    return (await this.#staging.moveInto(ROOT, tops, { signal })).map(placedAs)
  }

  /** What got its names in an earlier run of the program that did not live to remember it: there is nothing more to come. */
  async placedBefore(signal: AbortSignal): Promise<Placed[] | undefined> {
    return (await this.#staging.moved({ signal }))?.map(placedAs)
  }

  /**
   * Everything is here: directories get their modes and times, bottom-up, a page at a time from the last.
   * @returns the top-level entries that are there
   */
  async settle(signal: AbortSignal): Promise<MoveEntry[]> {
    this.#init.onPhase('placing')
    const { transfer } = this.#init
    const exact = transfer.keepExecutable ?? false
    const reader = await ManifestFileReader.open(transfer.manifest.file)
    const tops: MoveEntry[] = []
    try {
      const firsts: number[] = []
      let count = 0
      for (let page = await reader.next(); page !== undefined; page = await reader.next()) {
        firsts.push(count)
        count += parsePage(page, count).length
      }
      for (let n = firsts.length - 1; n >= 0; n--) {
        const page = await reader.page(n)
        const attributes: (DirectoryAttributes & { index: number })[] = []
        for (const { entry } of parsePage(page!, firsts[n]!)) {
          const { index, path, kind, mode, mtimeNs } = entry
          if (!isSelected(transfer.selection, index) || this.problems.has(index)) continue
          const directory = kind === 'directory' ? { mode: directoryMode(mode, exact), mtimeNs } : {}
          if (parentOf(path) === ROOT) tops.unshift({ from: nameOf(path), ...directory })
          else if (kind === 'directory') attributes.push({ index, path, ...directory })
        }
        if (attributes.length === 0) continue
        const problems = await this.#staging.setDirectoryAttributes(attributes, { signal })
        for (const problem of problems) this.problems.add(attributes[problem.index]!.index, problem.code, 'receiver')
      }
    } finally {
      await reader.close()
    }
    return tops
  }

  /** Nothing of it stays. */
  async discard(): Promise<void> {
    await this.#staging.discard()
    await this.#root.close()
  }

  /** What is there stays for the next time. */
  async close(): Promise<void> {
    await this.#staging.close()
    await this.#root.close()
  }
}

const placedAs = ({ from, path }: MovedEntry): Placed => ({ name: from, path })
