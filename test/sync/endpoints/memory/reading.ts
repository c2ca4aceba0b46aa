/** Content of a tree in memory, read as it is at each moment. */
import type { RelPath } from '../../../../storage/base/index.js'
import { BlockReader, createHasher, hashBytes, hashZeros, isRacy } from '../../../../storage/content/index.js'
import type { EntryStat } from '../../../../storage/files/index.js'
import {
  BLOCKS_A_PAGE,
  type BlockPiece,
  type HashedFile,
  MAX_BLOCKS,
  MAX_HOLE_BYTES,
  MAX_PACK_BYTES,
  MAX_PACKED_FILE_BYTES,
  PAGE_OF_BLOCKS_BYTES,
  type PackedFile,
  READ_PIECE_BYTES,
  type ReadOptions,
  type ReadPack,
  type ReadPackOptions,
  type ReadPiece
} from '../../../../sync/endpoints/index.js'
import { failed, type MemoryNode, placeAt, statOf } from './disk.js'
import { type MemoryView, problemOf } from './looking.js'

const LONGEST = { data: READ_PIECE_BYTES, hole: MAX_HOLE_BYTES }

/** @throws MISSING, NOT_A_FILE, LINK_IN_PATH, NO_PERMISSION */
export function fileAt({ root }: Pick<MemoryView, 'root'>, path: RelPath): MemoryNode {
  if ((path as string) === '') throw failed('NOT_A_FILE', path, 'it is not a regular file')
  const { dir, name } = placeAt(root, path)
  const node = dir.children.get(name)
  if (node === undefined) throw failed('MISSING', path, 'it is not there')
  if (node.kind !== 'file') throw failed('NOT_A_FILE', path, 'it is not a regular file')
  return node
}

export function* pieces(view: MemoryView, path: RelPath, { ranges, hashed }: ReadOptions): Generator<ReadPiece> {
  const file = fileAt(view, path)
  const before = statOf(file)
  const hasher = hashed === true ? createHasher() : undefined
  yield { kind: 'opened', stat: before, ...(hasher && { hashed: true as const }) }
  for (const { fromBytes, lengthBytes } of ranges ?? [{ fromBytes: 0, lengthBytes: before.sizeBytes }]) {
    for (const { from, to, hole } of file.content.stretches(fromBytes, fromBytes + lengthBytes, LONGEST)) {
      if (hole) {
        if (hasher !== undefined) hashZeros(hasher, to - from)
        yield { kind: 'hole', atBytes: from, lengthBytes: to - from }
        continue
      }
      const bytes = read(file, path, from, to - from)
      hasher?.update(bytes)
      yield { kind: 'data', atBytes: from, bytes }
    }
  }
  yield { kind: 'done', stat: stillThe(file, before, path), ...(hasher && { hash: hasher.digest() }) }
}

export function packed(view: MemoryView, paths: readonly RelPath[], { into }: ReadPackOptions): ReadPack {
  const room = into?.byteLength ?? MAX_PACK_BYTES
  const files: PackedFile[] = []
  const parts: Uint8Array[] = []
  let offset = 0
  for (const path of paths) {
    try {
      const file = fileAt(view, path)
      const stat = statOf(file)
      if (stat.sizeBytes > MAX_PACKED_FILE_BYTES) throw failed('TOO_LARGE', path, 'it is too large for a pack')
      if (offset + stat.sizeBytes > room) break
      const bytes = file.content.bytes()
      parts.push(bytes)
      files.push({ path, offset, length: bytes.length, hash: hashBytes(bytes), stat })
      offset += bytes.length
    } catch (err) {
      files.push({ path, problem: problemOf(path, err) })
    }
  }
  const data = into === undefined ? new Uint8Array(offset) : new Uint8Array(into, 0, offset)
  data.set(Buffer.concat(parts))
  return { data, files }
}

export function hashedFile(view: MemoryView, path: RelPath, onBytes: (bytes: number) => void): HashedFile {
  try {
    const file = fileAt(view, path)
    const [stat, startedMs] = [statOf(file), Date.now()]
    const bytes = file.content.bytes()
    onBytes(bytes.length)
    return { path, hash: hashBytes(bytes), stat, racy: isRacy({ ...stat, startedMs }) }
  } catch (err) {
    return { path, problem: problemOf(path, err) }
  }
}

export function* blocksOf(
  view: MemoryView,
  path: RelPath,
  averageBytes: number,
  fromBytes?: number
): Generator<BlockPiece> {
  const file = fileAt(view, path)
  const before = statOf(file)
  if (before.sizeBytes > (MAX_BLOCKS - 1) * (averageBytes / 4)) throw failed('TOO_LARGE', path, 'it is too large')
  if (fromBytes !== undefined && fromBytes > before.sizeBytes) throw changed(path)
  const reader = new BlockReader(averageBytes, { whole: fromBytes === undefined })
  let told = fromBytes ?? 0
  for (let at = told; at < before.sizeBytes; at += READ_PIECE_BYTES) {
    reader.update(read(file, path, at, Math.min(READ_PIECE_BYTES, before.sizeBytes - at)))
    const isLong = at - told >= PAGE_OF_BLOCKS_BYTES
    if (reader.ready >= BLOCKS_A_PAGE || (isLong && reader.ready > 0)) {
      told = at
      yield { kind: 'blocks', ...reader.take() }
    }
    stillThe(file, before, path)
  }
  const hash = reader.end()
  if (reader.ready > 0) yield { kind: 'blocks', ...reader.take() }
  yield { kind: 'done', stat: stillThe(file, before, path), ...(hash !== undefined && { hash }) }
}

export function startOf(view: MemoryView, path: RelPath, lengthBytes: number) {
  const file = fileAt(view, path)
  const stat = statOf(file)
  return { hash: hashBytes(read(file, path, 0, lengthBytes)), stat }
}

function read(file: MemoryNode, path: RelPath, at: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  if (file.content.read(bytes, at) < length) throw changed(path)
  return bytes
}

/** @throws CHANGED_WHILE_READING */
function stillThe(file: MemoryNode, before: EntryStat, path: RelPath): EntryStat {
  const after = statOf(file)
  if (after.ctimeNs !== before.ctimeNs || after.sizeBytes !== before.sizeBytes) throw changed(path)
  return after
}

const changed = (path: RelPath) => failed('CHANGED_WHILE_READING', path, 'it was changed meanwhile')
