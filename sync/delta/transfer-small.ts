import { type AbortOptions, displayPath, linkSignals, type Problem, type RelPath } from '../../storage/base/index.js'
import type { EntryStat, StagedEntry } from '../../storage/files/index.js'
import {
  type Endpoint,
  type EndpointStage,
  givenOnce,
  MAX_PACK_BYTES,
  type PackedFile,
  takePlace
} from '../endpoints/index.js'
import type { FileAttributes } from './transfer-large.js'

export interface SmallFile {
  readonly path: RelPath
  /** As it was found; only to know how many go into one message. */
  readonly sizeBytes: number
  /** `path` unless told. */
  readonly stagedAs?: RelPath | undefined
}

export interface TransferSmallInit<F extends SmallFile> extends AbortOptions {
  readonly from: Pick<Endpoint, 'readPack' | 'packBytes'>
  readonly to: Pick<EndpointStage, 'write' | 'packBytes'>
  /** At most MAX_PACKED_FILE_BYTES each; taken as they are needed. */
  readonly files: AsyncIterable<F> | Iterable<F>
  /** Mode and time that the staged file gets, from the stat of what was read. */
  attributes?(file: F, stat: EntryStat): FileAttributes
}

/** What became of one file. Its content is staged, checked against the hash of what was read; or there is a problem. */
export type TransferredSmall<F extends SmallFile> = { readonly file: F } & (
  | (Extract<PackedFile, { hash: unknown }> & { readonly problem?: undefined })
  | { readonly problem: Problem }
)

/** Files in one message: their names and stats are some 100 KiB. */
const FILES_A_PACK = 512
/** Bytes in one message. A quarter of what may be: so that several are on their way in each direction. */
const PACK_BYTES = MAX_PACK_BYTES / 4
/** Packs on their way from one disk to the other. With 20 ms there and back, and 1 MiB each, 300 MB a second. */
const PACKS_AT_ONCE = 6

/**
 * Brings many small files into a staging place, many to a message and several messages at once, so that no file waits for an
 * answer about another. Results come in the order of `files`, a message at a time.
 * @throws what concerns all of them: UNREACHABLE, NO_SPACE, DISK_ERROR, `signal.reason`
 */
export async function* transferSmall<F extends SmallFile>(
  init: TransferSmallInit<F>
): AsyncGenerator<readonly TransferredSmall<F>[], void, void> {
  const over = new AbortController()
  const linked = linkSignals(init.signal, over.signal)
  const running: Promise<readonly TransferredSmall<F>[]>[] = []
  try {
    const packBytes = (): number =>
      Math.min(PACK_BYTES, init.from.packBytes ?? PACK_BYTES, init.to.packBytes ?? PACK_BYTES)
    for await (const pack of packsOf(init.files, packBytes)) {
      linked.signal.throwIfAborted()
      if (running.length >= PACKS_AT_ONCE) yield await running.shift()!
      const task = transferPack(init, pack, linked.signal)
      task.catch(() => {}) // told when its turn comes
      running.push(task)
    }
    while (running.length > 0) yield await running.shift()!
  } finally {
    over.abort()
    await Promise.allSettled(running)
    linked.clear()
  }
}

async function* packsOf<F extends SmallFile>(
  files: AsyncIterable<F> | Iterable<F>,
  packBytes: () => number
): AsyncGenerator<F[], void, void> {
  let pack: F[] = []
  let bytes = 0
  for await (const file of files) {
    if (pack.length > 0 && (pack.length === FILES_A_PACK || bytes + file.sizeBytes > packBytes())) {
      yield pack
      pack = []
      bytes = 0
    }
    pack.push(file)
    bytes += file.sizeBytes
  }
  if (pack.length > 0) yield pack
}

/**
 * One message, or a few where the files grew meanwhile. What was handed over is written even if another message fails: it need not
 * travel again.
 * @param signal - nothing more is begun
 */
async function transferPack<F extends SmallFile>(
  init: TransferSmallInit<F>,
  files: readonly F[],
  signal: AbortSignal
): Promise<readonly TransferredSmall<F>[]> {
  const results: TransferredSmall<F>[] = []
  // Memory of its own for each pack, handed from thread to thread, made V8 mark all of its heap again and again.
  const place = takePlace()
  const give = givenOnce(place)
  try {
    while (results.length < files.length)
      results.push(...(await transferSome(init, files.slice(results.length), place, give, signal)))
  } finally {
    give()
  }
  return results
}

const NO_ATTRIBUTES: FileAttributes = {}

/** The first of these, as many as fit. @param give - of the place, once nothing more is to be read into it */
async function transferSome<F extends SmallFile>(
  init: TransferSmallInit<F>,
  files: readonly F[],
  into: SharedArrayBuffer,
  give: () => void,
  signal: AbortSignal
): Promise<TransferredSmall<F>[]> {
  const paths = files.map(file => file.path)
  const pack = await init.from.readPack(paths, { signal, into })
  const results: TransferredSmall<F>[] = []
  const entries: StagedEntry[] = []
  const staged: number[] = []
  for (const [i, packed] of pack.files.entries()) {
    const file = files[i]!
    if (packed.problem !== undefined) {
      results.push({ file, problem: packed.problem })
      continue
    }
    const { path, offset, length, hash, stat } = packed
    results.push({ file, path, offset, length, hash, stat })
    const { mode, mtimeNs } = init.attributes?.(file, stat) ?? NO_ATTRIBUTES
    entries.push({ kind: 'file', path: file.stagedAs ?? path, offset, length, hash, mode, mtimeNs })
    staged.push(i)
  }
  if (entries.length === 0) return results
  signal.throwIfAborted()
  const onTaken = pack.files.length === files.length ? give : undefined
  const { problems } = await init.to.write(entries, pack.data, { signal: init.signal, onTaken })
  for (const { index, code, message } of problems) {
    const at = staged[index]!
    const { file } = results[at]!
    results[at] = { file, problem: { path: displayPath(file.path), code, message } }
  }
  return results
}
