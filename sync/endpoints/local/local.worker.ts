import {
  defineTasks,
  displayPath,
  type LinkContext,
  type RelPath,
  SpacedriveError,
  type TaskContext
} from '../../../storage/base/index.js'
import {
  createHasher,
  hashBytes,
  hashSource,
  hashZeros,
  isRacy,
  PIECE_BYTES,
  readFully
} from '../../../storage/content/index.js'
import { type EntryStat, isFatal, type OpenFile, type TreeReader, treeReader } from '../../../storage/files/index.js'
import { buffersOf, type EntryColumns, toColumns } from '../columns.js'
import type { ByteRange, HashedFile, PackedFile, ReadPiece } from '../content.js'
import type { Looked } from '../entry.js'
import { MAX_PACK_BYTES, MAX_PACKED_FILE_BYTES } from '../limits.js'
import { type PackColumns, packBuffersOf, toPackColumns } from '../pack-columns.js'
import { sink } from '../pull.js'
import { type HashedPage, hashedPage } from './hashed-page.js'
import { stretches } from './holes.js'
import { entryAt, type LookRules, lookedAt, problemOf } from './look.js'
import { changedWhileReading, giveWay, type LocalRoot, reading, sameContent } from './reading.js'
import { type PageSink, Walker } from './walker.js'

interface Input {
  readonly root: LocalRoot
}

/** Packs are put together in these; what is handed over is as long as the pack. As many as were put together at once in a thread. */
const packBuffers: Uint8Array<ArrayBuffer>[] = []

/** Paths looked at between two turns of the thread's event loop. */
const LOOKS_PER_TURN = 128
/** The same for small files that are hashed; in large ones the loop turns between pieces. */
const HASHES_PER_TURN = 8

export const localTasks = defineTasks(import.meta.url, {
  /** The root itself. @throws MISSING, NOT_A_DIRECTORY, NO_PERMISSION */
  openRoot({ path, disk }: Pick<LocalRoot, 'path' | 'disk'>): EntryStat {
    const reader = treeReader({ path, disk })
    try {
      return reader.look('' as RelPath)!
    } finally {
      reader.close()
    }
  },

  async list({ root, path }: Input & { path: RelPath }, ctx: LinkContext): Promise<void> {
    await reading(root, async reader => {
      const rules = rulesOf(root)
      const { stat } = ensureThere(reader, path, rules)
      if (stat.kind !== 'directory') throw notADirectory(path)
      await new Walker({ reader, rules, sink: columnSink(ctx), except: new Set() }).list(path)
    })
  },

  async walk({ root, path, except, depth, otherFileSystems }: WalkInput, ctx: LinkContext): Promise<void> {
    await reading(root, async reader => {
      const rules = rulesOf(root, otherFileSystems)
      const first = ensureThere(reader, path, rules)
      const walker = new Walker({ reader, rules, sink: columnSink(ctx), except: new Set(except) })
      await walker.walk(first, depth)
    })
  },

  async look({ root, paths }: Input & { paths: readonly RelPath[] }, ctx: TaskContext): Promise<Looked[]> {
    return reading(root, async reader => {
      const rules = rulesOf(root)
      const looked: Looked[] = []
      for (const path of paths) {
        if (looked.length % LOOKS_PER_TURN === LOOKS_PER_TURN - 1) await giveWay(ctx)
        looked.push(lookedAt(reader, path, rules))
      }
      return looked
    })
  },

  async read({ root, path, ranges, hashed }: ReadInput, ctx: LinkContext): Promise<void> {
    const out = sink<ReadPiece>(ctx)
    const hasher = hashed ? createHasher() : undefined
    await reading(root, async reader => {
      const file = reader.open(path)
      try {
        const before = file.stat()
        await out.send({ kind: 'opened', stat: before, ...(hasher && { hashed: true }) })
        for (const { fromBytes, lengthBytes } of ranges ?? [{ fromBytes: 0, lengthBytes: before.sizeBytes }]) {
          for (const stretch of stretches(file, before, fromBytes, fromBytes + lengthBytes)) {
            if (stretch.hole) {
              if (hasher !== undefined) hashZeros(hasher, stretch.to - stretch.from)
              await out.send({ kind: 'hole', atBytes: stretch.from, lengthBytes: stretch.to - stretch.from })
              continue
            }
            const memory = out.memory(stretch.to - stretch.from)
            const { bytes } = memory
            if (readFully(file, bytes, stretch.from) < bytes.length) throw changedWhileReading(path)
            hasher?.update(bytes)
            await out.sendPiece({ kind: 'data', atBytes: stretch.from, bytes }, memory)
          }
        }
        const after = file.stat()
        if (!sameContent(before, after)) throw changedWhileReading(path)
        await out.send({ kind: 'done', stat: after, ...(hasher && { hash: hasher.digest() }) })
      } finally {
        file.close()
      }
    })
  },

  async readPack(
    { root, paths, into }: Input & { paths: readonly RelPath[]; into?: SharedArrayBuffer | undefined },
    ctx: TaskContext
  ): Promise<{ data: Uint8Array; columns: PackColumns; transfer: ArrayBuffer[] }> {
    return reading(root, async reader => {
      const files: PackedFile[] = []
      const own = into === undefined ? (packBuffers.pop() ?? new Uint8Array(MAX_PACK_BYTES)) : undefined
      const buffer = own ?? new Uint8Array(into!)
      let used = 0
      try {
        for (const path of paths) {
          if (files.length % LOOKS_PER_TURN === LOOKS_PER_TURN - 1) await giveWay(ctx)
          const file = packed(reader, path, buffer, used)
          if (file === undefined) break
          files.push(file)
          used += file.problem === undefined ? file.length : 0
        }
        const columns = toPackColumns(files)
        const transfer = packBuffersOf(columns)
        if (own === undefined) return { data: buffer.subarray(0, used), columns, transfer }
        const data = own.slice(0, used)
        return { data, columns, transfer: [data.buffer, ...transfer] }
      } finally {
        if (own !== undefined) packBuffers.push(own)
      }
    })
  },

  /** Whole files; emits a result each, in their order, and `{ bytes }` as it goes. */
  async hash({ root, paths }: Input & { paths: readonly RelPath[] }, ctx: TaskContext): Promise<HashedPage> {
    return reading(root, async reader => {
      const results: HashedFile[] = []
      let untold = 0
      // Not for each small file: the message would cost more than hashing it.
      const onBytes = (bytes: number): void => {
        untold += bytes
        if (untold < PIECE_BYTES) return
        ctx.emit(untold)
        untold = 0
      }
      for (const path of paths) {
        if (results.length % HASHES_PER_TURN === HASHES_PER_TURN - 1) await giveWay(ctx)
        results.push(await hashed(reader, path, root, { onBytes, signal: ctx.signal }))
      }
      if (untold > 0) ctx.emit(untold)
      return hashedPage(results)
    })
  }
})

export interface WalkInput extends Input {
  readonly path: RelPath
  readonly except: readonly RelPath[]
  readonly depth: number
  readonly otherFileSystems: boolean
}

export interface ReadInput extends Input {
  readonly path: RelPath
  readonly ranges: readonly ByteRange[] | undefined
  readonly hashed: boolean
}

/** Walks within a task of somebody else's: pages stay in the thread. @throws MISSING, LINK_IN_PATH, NO_PERMISSION */
export function walkHere(root: LocalRoot, path: RelPath, pages: PageSink): Promise<void> {
  return reading(root, async reader => {
    const rules = rulesOf(root)
    const first = ensureThere(reader, path, rules)
    await new Walker({ reader, rules, sink: pages, except: new Set() }).walk(first, Number.POSITIVE_INFINITY)
  })
}

function columnSink(ctx: LinkContext): PageSink {
  const { send, giveWay } = sink<EntryColumns>(ctx)
  return {
    giveWay,
    send(entries) {
      const columns = toColumns(entries)
      return send(columns, buffersOf(columns))
    }
  }
}

const rulesOf = ({ path, identity, ours, allAreas }: LocalRoot, otherFileSystems = false): LookRules => ({
  ...{ root: path, device: identity.device, ours, allAreas, otherFileSystems }
})

/** @throws MISSING, LINK_IN_PATH, NO_PERMISSION */
function ensureThere(reader: TreeReader, path: RelPath, rules: LookRules): NonNullable<ReturnType<typeof entryAt>> {
  const stat = reader.look(path)
  const entry = stat === undefined ? undefined : entryAt(reader, path, rules)
  if (entry !== undefined) return entry
  throw new SpacedriveError('MISSING', `could not look at ${displayPath(path)}: it is not there`)
}

/** undefined: it does not fit into what is left of the buffer. */
function packed(reader: TreeReader, path: RelPath, data: Uint8Array, used: number): PackedFile | undefined {
  let file: OpenFile
  try {
    file = reader.open(path)
  } catch (err) {
    if (isFatal(err)) throw err
    return { path, problem: problemOf(path, err) }
  }
  try {
    const before = file.stat()
    const length = before.sizeBytes
    if (length > MAX_PACKED_FILE_BYTES) throw tooLarge(path)
    if (used + length > data.length) return undefined
    // Read into the place it has in the pack, hashed from there.
    const content = data.subarray(used, used + length)
    if (readFully(file, content, 0) < length) throw changedWhileReading(path)
    const stat = file.stat()
    if (!sameContent(before, stat)) throw changedWhileReading(path)
    return { path, offset: used, length, hash: hashBytes(content), stat }
  } catch (err) {
    if (isFatal(err)) throw err
    return { path, problem: problemOf(path, err) }
  } finally {
    file.close()
  }
}

async function hashed(
  reader: TreeReader,
  path: RelPath,
  root: LocalRoot,
  { onBytes, signal }: { onBytes(bytes: number): void; signal: AbortSignal }
): Promise<HashedFile> {
  try {
    const file = reader.open(path)
    try {
      // The last look is the one that found nothing changed while it was read: that stat belongs to the hash.
      let stat: EntryStat | undefined
      const source = {
        stat() {
          stat = file.stat()
          return stat
        },
        read(into: Uint8Array, atBytes: number) {
          const n = file.read(into, atBytes)
          onBytes(n)
          return n
        }
      }
      const content = await hashSource(source, displayPath(path), { signal })
      return { path, hash: content.hash, stat: stat!, racy: isRacy(content, root.clockStepMs) }
    } finally {
      file.close()
    }
  } catch (err) {
    signal.throwIfAborted()
    if (isFatal(err)) throw err
    return { path, problem: problemOf(path, err) }
  }
}

const notADirectory = (path: RelPath): SpacedriveError =>
  new SpacedriveError('NOT_A_DIRECTORY', `could not list ${displayPath(path)}: it is not a directory`)

const tooLarge = (path: RelPath): SpacedriveError =>
  new SpacedriveError('TOO_LARGE', `could not read ${displayPath(path)} at once: it is larger than 1 MiB`)
