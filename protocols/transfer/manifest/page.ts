/**
 * A page of a manifest as bytes: entries one after the other, each a fixed head of 23 bytes, its path and its target.
 *
 *   kind u8 (0 file, 1 directory, 2 symlink) | mode u16 | path length u16 | target length u16 | size u64 | mtime ns i64
 *
 * all big-endian. Not MessagePack: a manifest of 100,000 entries is read several times by each end.
 */
import { MAX_PATH_BYTES, pathBytes, type RelPath, SpacedriveError, textFromBytes } from '../../../storage/base/index.js'
import { MAX_PAGE_BYTES } from '../limits.js'
import type { EntryKind, ManifestEntry } from './types.js'

const HEAD_BYTES = 23
const KINDS: readonly EntryKind[] = ['file', 'directory', 'symlink']

/** An entry before it has a place in a manifest. */
export type NewEntry = Omit<ManifestEntry, 'index' | 'path'> & { readonly path: string }

/** Collects entries into pages; `take` gives the page when the next entry would not fit. */
export class PageWriter {
  #page = Buffer.allocUnsafe(MAX_PAGE_BYTES)
  #at = 0

  /** @returns the page that had to be closed first, if any; it is the caller's from then on */
  add(entry: NewEntry): Uint8Array | undefined {
    const path = pathBytes(entry.path)
    const target = entry.target === undefined ? EMPTY : pathBytes(entry.target)
    const bytes = HEAD_BYTES + path.length + target.length
    const full = this.#at + bytes > MAX_PAGE_BYTES ? this.flush() : undefined
    const page = this.#page
    let at = this.#at
    at = page.writeUInt8(KINDS.indexOf(entry.kind), at)
    at = page.writeUInt16BE(entry.mode, at)
    at = page.writeUInt16BE(path.length, at)
    at = page.writeUInt16BE(target.length, at)
    at = page.writeUInt32BE(Math.floor(entry.sizeBytes / 2 ** 32), at)
    at = page.writeUInt32BE(entry.sizeBytes % 2 ** 32, at)
    at = page.writeBigInt64BE(entry.mtimeNs, at)
    page.set(path, at)
    page.set(target, at + path.length)
    this.#at += bytes
    return full
  }

  /** The page begun, if there is anything in it. */
  flush(): Uint8Array | undefined {
    if (this.#at === 0) return undefined
    const page = this.#page.subarray(0, this.#at)
    this.#page = Buffer.allocUnsafe(MAX_PAGE_BYTES)
    this.#at = 0
    return page
  }
}

const EMPTY = Buffer.alloc(0)

/** One entry as it stands in a page: its path also as bytes, for the check of the order. */
export interface RawEntry {
  readonly entry: ManifestEntry
  readonly pathBytes: Uint8Array
}

/**
 * Takes a page apart. Judges the form of each entry alone; `EntryCheck` judges it among the others.
 * @throws {SpacedriveError} MALFORMED
 */
export function parsePage(bytes: Uint8Array, firstIndex: number): RawEntry[] {
  if (bytes.length === 0 || bytes.length > MAX_PAGE_BYTES) throw malformed(`a page has ${bytes.length} bytes`)
  const page = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const entries: RawEntry[] = []
  for (let at = 0; at < page.length; ) {
    const index = firstIndex + entries.length
    if (page.length - at < HEAD_BYTES) throw malformed(`entry ${index} is cut off`)
    const kind = KINDS[page.readUInt8(at)]
    const mode = page.readUInt16BE(at + 1)
    const pathLength = page.readUInt16BE(at + 3)
    const targetLength = page.readUInt16BE(at + 5)
    const sizeBytes = page.readUInt32BE(at + 7) * 2 ** 32 + page.readUInt32BE(at + 11)
    const mtimeNs = page.readBigInt64BE(at + 15)
    at += HEAD_BYTES
    if (kind === undefined) throw malformed(`entry ${index} is of an unknown kind`)
    if (mode > 0o777) throw malformed(`entry ${index} has mode ${mode.toString(8)}`)
    if (!Number.isSafeInteger(sizeBytes)) throw malformed(`entry ${index} has a size beyond 2^53`)
    if (kind !== 'file' && sizeBytes !== 0) throw malformed(`entry ${index} is a ${kind} with a size`)
    if ((kind === 'symlink') !== targetLength > 0) throw malformed(`entry ${index} has a bad link target`)
    if (targetLength > MAX_PATH_BYTES) throw malformed(`entry ${index} has a link target of ${targetLength} bytes`)
    if (page.length - at < pathLength + targetLength) throw malformed(`entry ${index} is cut off`)
    const path = page.subarray(at, at + pathLength)
    const target = page.subarray(at + pathLength, at + pathLength + targetLength)
    at += pathLength + targetLength
    if (target.includes(0)) throw malformed(`entry ${index} has a NUL byte in its link target`)
    const fields = { index, path: textFromBytes(path) as RelPath, kind, sizeBytes, mode, mtimeNs }
    entries.push({
      entry: targetLength > 0 ? { ...fields, target: textFromBytes(target) } : fields,
      pathBytes: path
    })
  }
  return entries
}

export function malformed(why: string): SpacedriveError {
  return new SpacedriveError('MALFORMED', `could not read the manifest: ${why}`)
}
