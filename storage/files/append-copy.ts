import { type AbortOptions, displayPath, type RelPath, SpacedriveError } from '../base/index.js'
import type { Disk } from './disk.js'
import type { FileAppender } from './file-appender.js'
import type { RootHandle } from './root.js'
import type { StagedStretch } from './staging.js'
import { type OpenFile, TreeReader } from './tree-reader.js'

/** Read and written at once; between two of them the signal is looked at. */
const PIECE_BYTES = 1024 * 1024
/** Of a hole, which is hashed six times as fast as data. */
const HOLE_BYTES = 64 * PIECE_BYTES

/** Where stretches of other files come from: the tree of the root, reached without links. The last file stays open. */
export class StretchSource {
  readonly #disk: Disk
  readonly #root: Pick<RootHandle, 'path' | 'device' | 'inode'>
  #reader: TreeReader | undefined
  #open: { readonly path: RelPath; readonly file: OpenFile } | undefined
  #piece: Uint8Array | undefined

  constructor(disk: Disk, root: Pick<RootHandle, 'path' | 'device' | 'inode'>) {
    this.#disk = disk
    this.#root = root
  }

  /**
   * Appends a stretch of a file, its holes as holes. What was appended before an error counts.
   * @throws {SpacedriveError} MISSING, NOT_A_FILE, LINK_IN_PATH, NO_PERMISSION, ROOT_MOVED; CHANGED_WHILE_READING: it is not all
   *   there; and what `FileAppender.append` throws
   */
  async appendTo(
    appender: FileAppender,
    { path, fromBytes, lengthBytes }: StagedStretch,
    { signal }: AbortOptions = {}
  ) {
    const file = this.#opened(path)
    this.#piece ??= new Uint8Array(PIECE_BYTES)
    const piece = this.#piece
    const end = fromBytes + lengthBytes
    for (let at = fromBytes; at < end; ) {
      const { hole, to } = nextOf(file, at, end)
      if (hole) appender.appendHole(to - at)
      const n = hole ? to - at : file.read(piece.subarray(0, to - at), at)
      if (n === 0) throw changed(path)
      if (!hole) appender.append(piece.subarray(0, n))
      at += n
      await new Promise(resolve => setImmediate(resolve)) // an abort arrives as a message
      signal?.throwIfAborted()
    }
  }

  close(): void {
    this.#open?.file.close()
    this.#reader?.close()
    this.#open = undefined
    this.#reader = undefined
  }

  #opened(path: RelPath): OpenFile {
    if (this.#open?.path === path) return this.#open.file
    const { path: root, device, inode } = this.#root
    this.#reader ??= new TreeReader(this.#disk, { path: root, identity: { device, inode } })
    const file = this.#reader.open(path)
    this.#open?.file.close()
    this.#open = { path, file }
    return file
  }
}

/** How far to go from there at once, through data or through a hole, where the system tells them apart. */
function nextOf(file: OpenFile, at: number, end: number): { readonly hole: boolean; readonly to: number } {
  const { sizeBytes, allocatedBytes = sizeBytes } = file.opened
  const sparse = file.seek !== undefined && allocatedBytes < sizeBytes && at < sizeBytes
  const data = sparse ? file.seek!(at, 'data') : at
  if (data !== at) return { hole: true, to: Math.min(data < 0 ? sizeBytes : data, end, at + HOLE_BYTES) }
  const hole = sparse ? file.seek!(at, 'hole') : -1
  return { hole: false, to: Math.min(hole < 0 ? end : hole, end, at + PIECE_BYTES) }
}

const changed = (path: RelPath): SpacedriveError =>
  new SpacedriveError('CHANGED_WHILE_READING', `could not use ${displayPath(path)}: it was changed meanwhile`)
