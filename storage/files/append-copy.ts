import { type AbortOptions, displayPath, hasCode, type RelPath, SpacedriveError } from '../base/index.js'
import { BLOCK_HASH_BYTES, hashBytes, MAX_BLOCK_BYTES, readFully } from '../content/index.js'
import type { Disk } from './disk.js'
import type { FileAppender } from './file-appender.js'
import type { RootHandle } from './root.js'
import type { StagedBlocks, StagedStretch } from './staging.js'
import { type OpenFile, TreeReader } from './tree-reader.js'

/** Read and written at once; between two of them the signal is looked at. */
const PIECE_BYTES = 1024 * 1024
/** Of a hole, which is hashed six times as fast as data. */
const HOLE_BYTES = 64 * PIECE_BYTES

/** Where stretches and blocks of other files come from: the tree of the root, reached without links. The last file stays open. */
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
    const piece = this.#memory(PIECE_BYTES).subarray(0, PIECE_BYTES)
    const end = fromBytes + lengthBytes
    for (let at = fromBytes; at < end; ) {
      const { hole, to } = nextOf(file, at, end)
      if (hole) appender.appendHole(to - at)
      const n = hole ? to - at : file.read(piece.subarray(0, to - at), at)
      if (n === 0) throw changed(path)
      if (!hole) appender.append(piece.subarray(0, n))
      at += n
      await letIn(signal)
    }
  }

  /**
   * Appends blocks of a file as long as each has its hash. What is written is what was hashed.
   * @returns how many; @throws what `FileAppender.append` throws, ROOT_MOVED
   */
  async appendBlocks(
    appender: FileAppender,
    { path, fromBytes, atBytes, lengths, hashes }: StagedBlocks,
    { signal }: AbortOptions = {}
  ): Promise<number> {
    if (appender.positionBytes !== atBytes) return 0
    const file = this.#found(path)
    if (file === undefined) return 0
    let [at, looked] = [fromBytes, fromBytes]
    for (const [i, length] of lengths.entries()) {
      if (length > MAX_BLOCK_BYTES) return i
      const block = this.#memory(length).subarray(0, length)
      if (readFully(file, block, at) < length) return i
      const wanted = hashes.subarray(i * BLOCK_HASH_BYTES, (i + 1) * BLOCK_HASH_BYTES)
      if (!hashBytes(block).startsWith(Buffer.from(wanted).toString('hex'))) return i
      for (let done = 0; done < length; ) {
        const { hole, to } = nextOf(file, at + done, at + length)
        const end = to - at
        if (hole) appender.appendHole(end - done)
        else appender.append(block.subarray(done, end))
        done = end
      }
      at += length
      if (at - looked < PIECE_BYTES) continue
      looked = at
      await letIn(signal)
    }
    return lengths.length
  }

  close(): void {
    this.#open?.file.close()
    this.#reader?.close()
    this.#open = undefined
    this.#reader = undefined
  }

  /** undefined: it has nothing to take. */
  #found(path: RelPath): OpenFile | undefined {
    try {
      return this.#opened(path)
    } catch (err) {
      if (hasCode(err, 'MISSING', 'NOT_A_FILE', 'LINK_IN_PATH', 'NO_PERMISSION')) return undefined
      throw err
    }
  }

  #memory(lengthBytes: number): Uint8Array {
    if (this.#piece === undefined || this.#piece.length < lengthBytes) this.#piece = new Uint8Array(lengthBytes)
    return this.#piece
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

/** An abort arrives as a message. */
async function letIn(signal: AbortSignal | undefined): Promise<void> {
  await new Promise(resolve => setImmediate(resolve))
  signal?.throwIfAborted()
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
