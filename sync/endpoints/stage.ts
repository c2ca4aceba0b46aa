import type { AbortOptions } from '../../storage/base/index.js'
import type {
  HandedOver,
  OpenedFile,
  StagedEntries,
  StagedFileWriter,
  StagedReport,
  StagedSource,
  VerifiedFile
} from '../../storage/files/index.js'

/**
 * A private place of the endpoint in which content lies ready until `Endpoint.place` gives it its names. Found again by its id
 * after a lost connection, a restart or a crash; what was handed over whole need not be sent again (`verify`).
 */
export interface EndpointStage {
  readonly id: string
  /** Nothing lay in it when its end was opened: nobody needs to ask what does (`verify`). */
  readonly fresh?: boolean | undefined

  /**
   * Takes small files, links and directories, in batches: some hundreds of entries or MAX_PACK_BYTES a call; calls for different
   * paths may run at once. Parents are made as needed. An entry that fails is a problem and leaves nothing behind.
   * @param data - the files' bytes; its ArrayBuffer may be handed over and be empty afterwards; else it is the caller's again,
   *   once `onTaken` was called where that is
   * @returns 32 bytes of BLAKE3 an entry, and the problems
   * @throws {SpacedriveError} NO_SPACE, READ_ONLY, DISK_ERROR, STAGING_GONE: what concerns all of them
   */
  write(entries: StagedEntries, data: Uint8Array, options?: AbortOptions & HandedOver): Promise<StagedReport>
  /** What one call of `write` should carry at most, where a limit of the rate holds now: a longer one would hold up for minutes what is asked after it. */
  readonly packBytes?: number | undefined

  /**
   * Opens one large file for writing, at the end of what is already there (`positionBytes`, `prefixHash`). `append` and
   * `appendHole` may be called ahead; waiting for the last few is the caller's back-pressure. One writer a path.
   */
  openFile(path: StagedSource['path'], init: OpenedFile): Promise<StagedFileWriter>

  /** Which of these lie here whole, by size and hash, read from the disk; in the order given. */
  verify(files: readonly VerifiedFile[], options?: AbortOptions): Promise<('whole' | 'different' | 'missing')[]>

  /** Removes all of it. Open writers are closed. */
  discard(options?: AbortOptions): Promise<void>
  /** Lets go; what was staged stays for `openStage` with the same id. */
  close(): Promise<void>
}
