/** Content that lies ready beside a tree in memory, under its own paths, until it gets names. */
import { hasCode, nameOf, parentOf, type RelPath, ROOT, SpacedriveError } from '../../../../storage/base/index.js'
import {
  BLOCK_HASH_BYTES,
  createHasher,
  HASH_BYTES,
  type Hasher,
  hashBytes,
  hashToBytes,
  hashZeros
} from '../../../../storage/content/index.js'
import { fromStagedColumns, toStagedColumns } from '../../../../storage/files/index.js'
import {
  type EndpointStage,
  MAX_HOLE_BYTES,
  READ_PIECE_BYTES,
  type StagedEntry,
  type StagedFileWriter,
  type StagedProblem
} from '../../../../sync/endpoints/index.js'
import { MemoryContent } from './content.js'
import { failed, type MemoryNode, type MemoryPlace, nodeAt, placeAt } from './disk.js'
import { problemOf } from './looking.js'
import { fileAt } from './reading.js'
import type { MemoryTree } from './tree.js'

const MODE_BITS = 0o777
const NEW_FILE = 0o644

export interface StageInit {
  readonly id: string
  readonly tree: MemoryTree
  readonly top: MemoryNode
  /** @throws what keeps the end from going on: STOPPED, ROOT_MOVED, `signal.reason` */
  ensure(signal?: AbortSignal): void
  /** Others may open it. */
  release(): void
}

export function memoryStage({ id, tree, top, ensure, release }: StageInit): EndpointStage {
  return {
    id,
    async write(given, data, { signal } = {}) {
      ensure(signal)
      const entries = fromStagedColumns(toStagedColumns(given))
      const hashes = new Uint8Array(entries.length * HASH_BYTES)
      const problems: StagedProblem[] = []
      for (const [index, entry] of entries.entries()) {
        try {
          const hash = writeOne(tree, top, entry, data)
          if (hash !== undefined) hashes.set(hashToBytes(hash), index * HASH_BYTES)
        } catch (err) {
          if (err instanceof RangeError) throw err
          problems.push({ index, ...problemOf(entry.path, err) })
        }
      }
      return { hashes, problems }
    },
    async openFile(path, { sizeBytes, signal }) {
      ensure(signal)
      const place = madePlace(tree, top, path)
      const known = place.dir.children.get(place.name)
      if (known?.kind === 'directory') throw failed('EXISTS', path, 'something stands there already')
      if (known !== undefined && known.kind !== 'file') take(tree, place)
      const node = place.dir.children.get(place.name) ?? tree.disk.make('file', { mode: 0o600 })
      if (!place.dir.children.has(place.name)) tree.disk.put(place, node)
      return new MemoryWriter({ path, sizeBytes, node, tree, ensure })
    },
    async verify(files, { signal } = {}) {
      ensure(signal)
      return files.map(({ path, sizeBytes, hash }) => {
        const node = stagedNode(top, path)
        if (node === undefined) return 'missing'
        if (node === 'elsewhere' || node.kind !== 'file' || node.content.sizeBytes !== sizeBytes) return 'different'
        return hashBytes(node.content.bytes()) === hash ? 'whole' : 'different'
      })
    },
    async discard({ signal } = {}) {
      ensure(signal)
      tree.staged.delete(id)
      release()
    },
    async close() {
      release()
    }
  }
}

/** `elsewhere`: it leads through something that is no directory. */
function stagedNode(top: MemoryNode, path: RelPath): MemoryNode | 'elsewhere' | undefined {
  try {
    return nodeAt(top, path)
  } catch {
    return 'elsewhere'
  }
}

/** @returns its place; directories on the way to it are made. */
export function madePlace(tree: MemoryTree, top: MemoryNode, path: RelPath): MemoryPlace {
  madeDirectory(tree, top, parentOf(path))
  return placeAt(top, path)
}

function madeDirectory(tree: MemoryTree, top: MemoryNode, path: RelPath): void {
  if (path === ROOT) return
  const there = nodeAt(top, path)
  if (there?.kind === 'directory') return
  if (there !== undefined) throw failed('LINK_IN_PATH', path, 'something else stands where a directory should')
  tree.disk.put(madePlace(tree, top, path), tree.disk.make('directory', { mode: 0o700 }))
}

const take = (tree: MemoryTree, place: MemoryPlace): void => tree.disk.drop(tree.disk.take(place))

function writeOne(tree: MemoryTree, top: MemoryNode, entry: StagedEntry, data: Uint8Array) {
  if (entry.kind === 'directory') {
    madeDirectory(tree, top, entry.path)
    return undefined
  }
  const place = madePlace(tree, top, entry.path)
  const there = place.dir.children.get(nameOf(entry.path))
  if (entry.kind === 'symlink') {
    anew(tree, place, there, tree.disk.make('symlink', { target: entry.target }), entry.mtimeNs)
    return undefined
  }
  const { offset, length, mode = NEW_FILE } = entry
  if (offset < 0 || length < 0 || offset + length > data.length) throw new RangeError('expected bytes that are there')
  const bytes = data.subarray(offset, offset + length)
  const hash = hashBytes(bytes)
  if (entry.hash !== undefined && entry.hash !== hash)
    throw failed('HASH_MISMATCH', entry.path, 'its content is not what was announced')
  const node = tree.disk.make('file', { content: MemoryContent.of(bytes), mode: mode & MODE_BITS })
  anew(tree, place, there, node, entry.mtimeNs)
  return hash
}

/** In place of a file or link from an earlier try. */
function anew(
  tree: MemoryTree,
  place: MemoryPlace,
  there: MemoryNode | undefined,
  node: MemoryNode,
  mtimeNs: bigint | undefined
): void {
  if (there !== undefined && there.kind !== 'directory') take(tree, place)
  tree.disk.put(place, node)
  if (mtimeNs !== undefined) tree.disk.setTime(node, mtimeNs)
}

interface WriterInit {
  readonly path: RelPath
  readonly sizeBytes: number
  readonly node: MemoryNode
  readonly tree: MemoryTree
  ensure(): void
}

/** undefined: there is no file that could be read. */
function contentAt(tree: MemoryTree, path: RelPath): MemoryNode['content'] | undefined {
  try {
    return fileAt(tree, path).content
  } catch (err) {
    if (hasCode(err, 'MISSING', 'NOT_A_FILE', 'LINK_IN_PATH')) return undefined
    throw err
  }
}

/** One call after the other, in the order in which they were made. */
class MemoryWriter implements StagedFileWriter {
  readonly path: RelPath
  readonly sizeBytes: number
  readonly #init: WriterInit
  #hasher: Hasher = createHasher()
  #last: Promise<unknown> = Promise.resolve()
  #closed = false
  positionBytes = 0

  constructor(init: WriterInit) {
    this.#init = init
    this.path = init.path
    this.sizeBytes = init.sizeBytes
    const { content } = init.node
    if (content.sizeBytes > init.sizeBytes) content.truncate(0)
    this.#hasher.update(content.bytes())
    this.positionBytes = content.sizeBytes
  }

  prefixHash() {
    return this.#next(() => this.#hasher.digest())
  }

  append(bytes: Uint8Array): Promise<void> {
    return this.#next(() => this.#append(bytes))
  }

  appendHole(lengthBytes: number): Promise<void> {
    return this.#next(() => this.#appendHole(lengthBytes))
  }

  appendStretch({ path, fromBytes, lengthBytes }: Parameters<StagedFileWriter['appendStretch']>[0]): Promise<void> {
    return this.#next(() => {
      const { content } = fileAt(this.#init.tree, path)
      const longest = { data: READ_PIECE_BYTES, hole: MAX_HOLE_BYTES }
      for (const { from, to, hole } of content.stretches(fromBytes, fromBytes + lengthBytes, longest)) {
        if (hole) this.#appendHole(to - from)
        else {
          const bytes = new Uint8Array(to - from)
          const n = content.read(bytes, from)
          this.#append(bytes.subarray(0, n))
          if (n < bytes.length) throw failed('CHANGED_WHILE_READING', path, 'it was changed meanwhile')
        }
      }
    })
  }

  appendBlocks(blocks: Parameters<StagedFileWriter['appendBlocks']>[0]): Promise<number> {
    return this.#next(() => {
      if (this.positionBytes !== blocks.atBytes) return 0
      const content = contentAt(this.#init.tree, blocks.path)
      if (content === undefined) return 0
      let at = blocks.fromBytes
      for (const [i, length] of blocks.lengths.entries()) {
        const bytes = new Uint8Array(length)
        const hash = blocks.hashes.subarray(i * BLOCK_HASH_BYTES, (i + 1) * BLOCK_HASH_BYTES)
        if (content.read(bytes, at) < length) return i
        if (!hashBytes(bytes).startsWith(Buffer.from(hash).toString('hex'))) return i
        for (const { from, to, hole } of content.stretches(at, at + length, { data: length, hole: length })) {
          if (hole) this.#appendHole(to - from)
          else this.#append(bytes.subarray(from - at, to - at))
        }
        at += length
      }
      return blocks.lengths.length
    })
  }

  restart(): Promise<void> {
    return this.#next(() => this.#restart())
  }

  finish({ hash: expected, mode = NEW_FILE, mtimeNs }: Parameters<StagedFileWriter['finish']>[0]) {
    return this.#next(() => {
      const { node, tree } = this.#init
      if (this.positionBytes !== this.sizeBytes) throw failed('INCOMPLETE', this.path, 'not all of it is there')
      const hash = this.#hasher.digest()
      if (expected !== undefined && expected !== hash) {
        this.#restart()
        throw failed('HASH_MISMATCH', this.path, 'its content is not what was announced')
      }
      tree.disk.setMode(node, mode & MODE_BITS)
      if (mtimeNs !== undefined) tree.disk.setTime(node, mtimeNs)
      this.#closed = true
      return { hash }
    })
  }

  async close(): Promise<void> {
    await this.#last
    this.#closed = true
  }

  #append(bytes: Uint8Array): void {
    const { node, tree } = this.#init
    this.#ensureRoom(bytes.length)
    node.content.write(bytes, this.positionBytes)
    tree.disk.changed(node)
    this.#hasher.update(bytes)
    this.positionBytes += bytes.length
  }

  #appendHole(lengthBytes: number): void {
    const { node, tree } = this.#init
    this.#ensureRoom(lengthBytes)
    node.content.truncate(this.positionBytes + lengthBytes)
    tree.disk.changed(node)
    hashZeros(this.#hasher, lengthBytes)
    this.positionBytes += lengthBytes
  }

  #ensureRoom(length: number): void {
    if (this.positionBytes + length > this.sizeBytes)
      throw failed('SIZE_EXCEEDED', this.path, 'more than the announced bytes came')
  }

  #restart(): void {
    this.#init.node.content.truncate(0)
    this.#hasher = createHasher()
    this.positionBytes = 0
  }

  #next<T>(act: () => T): Promise<T> {
    const done = this.#last.then(() => {
      this.#init.ensure()
      if (this.#closed) throw new SpacedriveError('STOPPED', `could not write ${this.path}: it was closed`)
      return act()
    })
    this.#last = done.catch(() => {})
    return done
  }
}
