import { type ContentHash, displayPath, type RelPath, SpacedriveError } from '../base/index.js'
import { createHasher, type Hasher, hashZeros, PIECE_BYTES } from '../content/index.js'
import type { Disk } from './disk.js'
import { stagedError } from './problems.js'
import type { OpenedFile } from './staging.js'
import { processUmask } from './umask.js'

/** One large file that grows at its end and is hashed on the way; lives in the thread that opened it. */
export interface FileAppender {
  readonly path: RelPath
  readonly sizeBytes: number
  readonly positionBytes: number
  /** BLAKE3 of the first `positionBytes`. */
  prefixHash(): ContentHash
  /** See `StagedFileWriter.append`. */
  append(bytes: Uint8Array): void
  /** See `StagedFileWriter.appendHole`. */
  appendHole(lengthBytes: number): void
  restart(): void
  /** See `StagedFileWriter.finish`; closes on success. */
  finish(expected: FinishedFile): { hash: ContentHash }
  /** May be called twice. */
  close(): void
}

export interface FinishedFile {
  readonly hash?: ContentHash | undefined
  readonly mode?: number | undefined
  readonly mtimeNs?: bigint | undefined
}

export interface AppenderInit extends OpenedFile {
  readonly path: RelPath
  /** The folder that it comes into: for messages. */
  readonly into: string
  readonly syncEach: boolean
}

/**
 * The disk begins to write after each so much: a large file is on it when its last byte came, instead of waiting to be
 * written then. Often enough for that, seldom enough to be written in one piece.
 */
const START_WRITING_BYTES = 8 * 1024 * 1024

/** Takes over an open file: what is in it is hashed and counts, unless it is longer than the file may become. */
export async function openAppender(
  disk: Disk,
  fd: number,
  { path, into, sizeBytes, onBytes, syncEach, signal }: AppenderInit
): Promise<FileAppender> {
  let hasher: Hasher
  let position: number
  /** The disk was asked to write up to here. */
  let started = 0
  let closed = false
  try {
    if (disk.stat(fd).sizeBytes > sizeBytes) disk.truncate(fd, 0)
    ;({ hasher, position } = await readPrefix(disk, fd, { onBytes, signal }))
  } catch (err) {
    disk.close(fd)
    throw err
  }

  const ensureRoom = (length: number): void => {
    ensureOpen()
    if (position + length <= sizeBytes) return
    throw new SpacedriveError(
      'SIZE_EXCEEDED',
      `could not write ${displayPath(path)}: more than the announced ${sizeBytes} bytes came`
    )
  }
  const restart = (): void => {
    ensureOpen()
    disk.truncate(fd, 0)
    hasher = createHasher()
    position = 0
    started = 0
  }
  const ensureOpen = (): void => {
    if (closed) throw new SpacedriveError('STOPPED', `could not write ${displayPath(path)}: it was closed`)
  }
  const close = (): void => {
    if (closed) return
    closed = true
    disk.close(fd)
  }

  return {
    path,
    sizeBytes,
    get positionBytes() {
      return position
    },
    prefixHash: () => hasher.digest(),
    append(bytes) {
      ensureRoom(bytes.length)
      try {
        disk.write(fd, bytes, position)
      } catch (err) {
        throw stagedError('write', path, err, into)
      }
      hasher.update(bytes)
      position += bytes.length
      if (position - started < START_WRITING_BYTES) return
      started += disk.startWriting?.(fd, started, position - started) ?? 0
    },
    appendHole(lengthBytes) {
      if (!Number.isSafeInteger(lengthBytes) || lengthBytes < 0) {
        throw new RangeError(`expected a length of 0 or more bytes, got ${lengthBytes}`)
      }
      ensureRoom(lengthBytes)
      try {
        disk.truncate(fd, position) // what a write that failed left behind the end is no part of a hole
        disk.truncate(fd, position + lengthBytes)
      } catch (err) {
        throw stagedError('write', path, err, into)
      }
      hashZeros(hasher, lengthBytes)
      position += lengthBytes
    },
    restart,
    finish({ hash: expected, mode, mtimeNs }) {
      ensureOpen()
      if (position !== sizeBytes) {
        throw new SpacedriveError(
          'INCOMPLETE',
          `could not finish ${displayPath(path)}: ${position} of ${sizeBytes} bytes are there`
        )
      }
      const hash = hasher.digest()
      if (expected !== undefined && expected !== hash) {
        restart()
        throw new SpacedriveError(
          'HASH_MISMATCH',
          `could not finish ${displayPath(path)}: its content is not what was announced`
        )
      }
      try {
        // A write that failed in its middle, or a crash, may have left bytes behind the end.
        if (disk.stat(fd).sizeBytes !== sizeBytes) disk.truncate(fd, sizeBytes)
        disk.setMode(fd, mode === undefined ? 0o666 & ~processUmask() : mode & 0o777)
        if (mtimeNs !== undefined) disk.setMtime(fd, mtimeNs)
        if (syncEach) disk.sync(fd)
      } catch (err) {
        throw stagedError('finish', path, err, into)
      }
      close()
      return { hash }
    },
    close
  }
}

/** Hashes what is there, in pieces; another message (an abort) may come in between. */
async function readPrefix(
  disk: Disk,
  fd: number,
  { onBytes, signal }: Pick<OpenedFile, 'onBytes' | 'signal'>
): Promise<{ hasher: Hasher; position: number }> {
  const hasher = createHasher()
  const piece = new Uint8Array(PIECE_BYTES)
  for (let position = 0; ; ) {
    signal?.throwIfAborted()
    const n = disk.read(fd, piece, position)
    if (n === 0) return { hasher, position }
    hasher.update(piece.subarray(0, n))
    position += n
    onBytes?.(n)
    await new Promise(resolve => setImmediate(resolve))
  }
}
