import {
  type AbortOptions,
  type ContentHash,
  linkSignals,
  type RelPath,
  SpacedriveError
} from '../../../storage/base/index.js'
import type { EntryStat } from '../../../storage/files/index.js'
import type { Endpoint, EndpointStage, StagedFileWriter } from '../../endpoints/index.js'

export interface LargeInit {
  readonly source: Endpoint
  readonly stage: EndpointStage
  readonly path: RelPath
  readonly staged: RelPath
  /** As it was seen. */
  readonly sizeBytes: number
  readonly beganNs: bigint | undefined
  bytes(n: number): void
  found(n: number): void
}

/** Pieces that may be on their way to the stage: reading, sending and writing overlap. */
const PIECES_AHEAD = 4

/**
 * One large file, from where an earlier try had come to. What lies there is believed by the hash of the whole: the source makes
 * it while the rest is on its way, and the file is ready only when it fits.
 * @returns the stat of the source that was read. @throws HASH_MISMATCH, CHANGED_WHILE_READING ...: nothing of it counts
 */
export async function stageLarge(
  init: LargeInit,
  { signal }: AbortOptions
): Promise<{ stat: EntryStat; hash: ContentHash }> {
  const { stage, staged, sizeBytes, beganNs } = init
  const file = await stage.openFile(staged, { sizeBytes, ...(signal && { signal }) })
  const over = new AbortController()
  const linked = linkSignals(signal, over.signal)
  try {
    const from = file.positionBytes
    if (from > 0) init.found(from)
    const hashing = hashOf(init, { signal: linked.signal })
    hashing.catch(() => {}) // awaited below, unless the reading fails first
    const sent = from < sizeBytes ? await send(init, file, from, { signal: linked.signal }) : undefined
    const hashed = await hashing
    const stat = sent ?? hashed.stat
    if (hashed.stat.mtimeNs !== stat.mtimeNs || hashed.stat.ctimeNs !== stat.ctimeNs)
      throw new SpacedriveError('CHANGED_WHILE_READING', 'it was changed while it was copied')
    await file.finish({ hash: hashed.hash, mode: stat.mode & 0o777, mtimeNs: beganNs ?? stat.mtimeNs })
    return { stat, hash: hashed.hash }
  } finally {
    over.abort()
    linked.clear()
    await file.close()
  }
}

async function hashOf({ source, path }: LargeInit, options: AbortOptions) {
  for await (const hashed of source.hash([path], options)) {
    if (hashed.problem !== undefined) throw new SpacedriveError(hashed.problem.code, hashed.problem.message)
    return hashed
  }
  throw new SpacedriveError('MISSING', 'it could not be read')
}

async function send(
  { source, path, sizeBytes, bytes }: LargeInit,
  file: StagedFileWriter,
  from: number,
  { signal }: AbortOptions
): Promise<EntryStat> {
  const ranges = from === 0 ? undefined : [{ fromBytes: from, lengthBytes: sizeBytes - from }]
  const ahead: Promise<unknown>[] = []
  let stat: EntryStat | undefined
  try {
    for await (const piece of source.read(path, { ranges, signal })) {
      if (piece.kind === 'data' || piece.kind === 'hole') {
        const lengthBytes = piece.kind === 'data' ? piece.bytes.length : piece.lengthBytes
        const writing = piece.kind === 'data' ? file.append(piece.bytes) : file.appendHole(lengthBytes)
        const done = writing.then(() => bytes(lengthBytes))
        done.catch(() => {}) // awaited in its turn
        ahead.push(done)
        if (ahead.length >= PIECES_AHEAD) await ahead.shift()
      } else stat = piece.stat
    }
  } finally {
    await Promise.allSettled(ahead.slice())
  }
  await Promise.all(ahead)
  return stat!
}
