import {
  type AbortOptions,
  type ContentHash,
  displayPath,
  errorCode,
  type Problem,
  type RelPath,
  toError,
  type WorkerPool
} from '../../storage/base/index.js'
import { hashFromBytes } from '../../storage/content/index.js'
import type { StagedEntry } from '../../storage/files/index.js'
import { type Endpoint, type EndpointStage, MAX_LOOKS, MAX_PACKED_FILE_BYTES } from '../endpoints/index.js'
import type { Leaf } from '../reconcile/index.js'
import { type HereInit, stageHere } from './stage-here.js'

/** One file or link that an end is to get. */
export interface Wanted {
  readonly id: number
  readonly content: Leaf
  readonly mode: number
  readonly mtimeNs: bigint
  /** Where it lies at the other end: the first of these that has this content. */
  readonly from: readonly RelPath[]
  /** Where it is put in the stage. */
  readonly staged: RelPath
  /** Its name there, for problems. */
  readonly path: RelPath
}

export interface StagedContent {
  readonly failed: ReadonlyMap<number, Problem>
  readonly bytes: number
}

export interface StageInit {
  readonly from: Endpoint
  readonly stage: EndpointStage
  /** The end that gets it, where it is a folder of this device. */
  readonly here?: Pick<HereInit, 'root' | 'staging'> | undefined
  readonly pool: WorkerPool
}

/**
 * Brings content from one end into the stage of the other, checked against the hashes of the plan. What is otherwise by now is a
 * problem (CHANGED): the next session plans it anew.
 */
export async function stageContent(
  { from, stage, here, pool }: StageInit,
  wanted: readonly Wanted[],
  { signal, onBytes }: { onBytes?: (bytes: number) => void } & AbortOptions = {}
): Promise<StagedContent> {
  const failed = new Map<number, Problem>()
  let bytes = 0
  const links = wanted.filter(w => w.content.kind === 'symlink')
  for (let at = 0; at < links.length; at += MAX_LOOKS) {
    const some = links.slice(at, at + MAX_LOOKS)
    const entries = some.map(
      (w): StagedEntry => ({
        kind: 'symlink',
        path: w.staged,
        target: w.content.kind === 'symlink' ? w.content.target : '',
        mtimeNs: w.mtimeNs
      })
    )
    const { problems } = await stage.write(entries, new Uint8Array(0), { signal })
    for (const { index, ...problem } of problems) failed.set(some[index]!.id, problem)
  }
  const files = wanted.filter(w => w.content.kind === 'file')
  if (here !== undefined && from.local !== undefined) {
    const staged = await stageHere({ ...here, from, pool }, files, {
      ...(signal && { signal }),
      ...(onBytes && { onBytes })
    })
    return { failed: new Map([...failed, ...staged.failed]), bytes: staged.bytes }
  }
  let small = files.filter(w => sizeOf(w) <= MAX_PACKED_FILE_BYTES).map(w => ({ w, n: 0 }))
  while (small.length > 0) {
    const some = small.slice(0, MAX_LOOKS)
    const pack = await from.readPack(
      some.map(({ w, n }) => w.from[n]!),
      { signal }
    )
    const again: typeof small = []
    const entries: StagedEntry[] = []
    const whose: Wanted[] = []
    pack.files.forEach((file, i) => {
      const { w, n } = some[i]!
      const wrong = file.problem ?? (file.hash === hashOf(w) ? undefined : changed(w))
      if (wrong === undefined && file.problem === undefined) {
        entries.push({
          ...{ kind: 'file', path: w.staged, offset: file.offset, length: file.length },
          ...{ hash: hashOf(w), mode: w.mode, mtimeNs: w.mtimeNs }
        })
        whose.push(w)
      } else if (n + 1 < w.from.length) again.push({ w, n: n + 1 })
      else failed.set(w.id, { ...wrong!, path: changed(w).path })
    })
    if (entries.length > 0) {
      const { problems } = await stage.write(entries, pack.data, { signal })
      for (const { index, ...problem } of problems) failed.set(whose[index]!.id, problem)
      const written = entries.reduce((sum, e) => sum + (e.kind === 'file' ? e.length : 0), 0)
      bytes += written
      onBytes?.(written)
    }
    small = [...again, ...small.slice(pack.files.length)]
  }
  for (const w of files) {
    if (sizeOf(w) <= MAX_PACKED_FILE_BYTES) continue
    const problem = await stageLarge(from, stage, w, signal, onBytes)
    if (problem !== undefined) failed.set(w.id, problem)
    else bytes += sizeOf(w)
  }
  return { failed, bytes }
}

async function stageLarge(
  from: Endpoint,
  stage: EndpointStage,
  w: Wanted,
  signal: AbortSignal | undefined,
  onBytes: ((bytes: number) => void) | undefined
): Promise<Problem | undefined> {
  let problem: Problem | undefined
  for (const path of w.from) {
    const file = await stage.openFile(w.staged, { sizeBytes: sizeOf(w), ...(signal && { signal }) })
    try {
      if (file.positionBytes > 0) await file.restart()
      // One ahead: reading and writing overlap, and no more than that is held.
      let writing: Promise<unknown> = Promise.resolve()
      for await (const piece of from.read(path, { signal })) {
        await writing
        if (piece.kind === 'data') {
          onBytes?.(piece.bytes.length)
          writing = file.append(piece.bytes)
        } else if (piece.kind === 'hole') writing = file.appendHole(piece.lengthBytes)
        writing.catch(() => {}) // awaited with the next piece
      }
      await writing
      await file.finish({ hash: hashOf(w), mode: w.mode, mtimeNs: w.mtimeNs })
      return undefined
    } catch (err) {
      signal?.throwIfAborted()
      const code = errorCode(err)
      if (FATAL.has(code)) throw err
      problem = OTHERWISE.has(code) ? changed(w) : { path: w.path, code, message: toError(err).message }
    } finally {
      await file.close()
    }
  }
  return problem
}

/** What concerns more than one file. */
const FATAL = new Set(['NO_SPACE', 'READ_ONLY', 'DISK_ERROR', 'STAGING_GONE', 'ROOT_MOVED', 'UNREACHABLE', 'STOPPED'])
/** The source is not what the plan saw. */
const OTHERWISE = new Set([
  'HASH_MISMATCH',
  'SIZE_EXCEEDED',
  'INCOMPLETE',
  'MISSING',
  'CHANGED_WHILE_READING',
  'NOT_A_FILE'
])

const sizeOf = ({ content }: Wanted): number => (content.kind === 'file' ? content.sizeBytes : 0)
const hashOf = ({ content }: Wanted): ContentHash =>
  content.kind === 'file' ? content.hash : hashFromBytes(new Uint8Array(32))
export const changed = ({ path }: Wanted): Problem => ({
  ...{ path, code: 'CHANGED' },
  message: `${displayPath(path)} was changed while it was being synced; the next run takes it up`
})
