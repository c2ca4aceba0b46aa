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
import type { StagedEntry, StagedFileWriter } from '../../storage/files/index.js'
import {
  type Endpoint,
  type EndpointStage,
  MAX_LOOKS,
  MAX_PACK_BYTES,
  MAX_PACKED_FILE_BYTES
} from '../endpoints/index.js'
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
  /** Some of it may lie in the stage already: what does is not brought again. */
  readonly resumes?: boolean | undefined
}

export interface StageOptions extends AbortOptions {
  readonly onBytes?: ((bytes: number) => void) | undefined
}

/**
 * Packs and large files that are brought at once: one is being read, one sent, one written, and one waits, so that neither end
 * nor the way between them rests. Each holds 4 MiB at most.
 */
const LANES = 4

/**
 * Brings content from one end into the stage of the other, checked against the hashes of the plan. What is otherwise by now is a
 * problem (CHANGED): the next session plans it anew.
 */
export async function stageContent(
  init: StageInit,
  wanted: readonly Wanted[],
  options: StageOptions = {}
): Promise<StagedContent> {
  const { from, stage, here, pool, resumes } = init
  const failed = await stageLinks(
    stage,
    wanted.filter(w => w.content.kind === 'symlink'),
    options
  )
  const files = wanted.filter(w => w.content.kind === 'file')
  if (here !== undefined && from.local !== undefined) {
    const staged = await stageHere({ ...here, from, pool }, files, options)
    return { failed: new Map([...failed, ...staged.failed]), bytes: staged.bytes }
  }
  const large = files.filter(w => sizeOf(w) > MAX_PACKED_FILE_BYTES)
  const packed = files.filter(w => sizeOf(w) <= MAX_PACKED_FILE_BYTES)
  const small = resumes === true ? await missing(stage, packed, options) : packed
  let bytes = 0
  const onBytes = (n: number): void => {
    bytes += n
    options.onBytes?.(n)
  }
  const tasks = [
    ...large.map(w => async () => {
      const problem = await stageLarge(init, w, { ...options, onBytes })
      if (problem !== undefined) failed.set(w.id, problem)
    }),
    ...packsOf(small).map(pack => async () => {
      for (const [id, problem] of await stagePack(init, pack, { ...options, onBytes })) failed.set(id, problem)
    })
  ]
  const lane = async (): Promise<void> => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) await task()
  }
  const lanes = Array.from({ length: LANES }, () =>
    lane().catch(err => {
      tasks.length = 0
      throw err
    })
  )
  // All of them have ended when this returns: the staging place may be closed then.
  for (const outcome of await Promise.allSettled(lanes)) if (outcome.status === 'rejected') throw outcome.reason
  return { failed, bytes }
}

async function stageLinks(
  stage: EndpointStage,
  links: readonly Wanted[],
  { signal }: AbortOptions
): Promise<Map<number, Problem>> {
  const failed = new Map<number, Problem>()
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
  return failed
}

/** Those that do not lie in the stage whole. */
async function missing(
  stage: EndpointStage,
  files: readonly Wanted[],
  { signal }: AbortOptions
): Promise<readonly Wanted[]> {
  const found: string[] = []
  for (let at = 0; at < files.length; at += MAX_LOOKS) {
    const some = files.slice(at, at + MAX_LOOKS)
    const list = some.map(w => ({ path: w.staged, sizeBytes: sizeOf(w), hash: hashOf(w) }))
    found.push(...(await stage.verify(list, { signal })))
  }
  return files.filter((_, i) => found[i] !== 'whole')
}

/** Small files that go together. */
function packsOf(files: readonly Wanted[]): Wanted[][] {
  const packs: Wanted[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const w of files) {
    if (bytes + sizeOf(w) > MAX_PACK_BYTES || packs.at(-1)!.length >= MAX_LOOKS) {
      packs.push([])
      bytes = 0
    }
    packs.at(-1)!.push(w)
    bytes += sizeOf(w)
  }
  return packs
}

/** Files of one pack: one read there, one write here, unless some are otherwise by now. */
async function stagePack(
  { from, stage }: StageInit,
  wanted: readonly Wanted[],
  { signal, onBytes }: StageOptions
): Promise<Map<number, Problem>> {
  const failed = new Map<number, Problem>()
  let small = wanted.map(w => ({ w, n: 0 }))
  while (small.length > 0) {
    const pack = await from.readPack(
      small.map(({ w, n }) => w.from[n]!),
      { signal }
    )
    const again: typeof small = []
    const entries: StagedEntry[] = []
    const whose: Wanted[] = []
    pack.files.forEach((file, i) => {
      const { w, n } = small[i]!
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
      onBytes?.(entries.reduce((sum, e) => sum + (e.kind === 'file' ? e.length : 0), 0))
    }
    small = [...again, ...small.slice(pack.files.length)]
  }
  return failed
}

async function stageLarge(
  { from, stage }: StageInit,
  w: Wanted,
  { signal, onBytes }: StageOptions
): Promise<Problem | undefined> {
  let problem: Problem | undefined
  for (const path of w.from) {
    const file = await stage.openFile(w.staged, { sizeBytes: sizeOf(w), ...(signal && { signal }) })
    try {
      // It lies under the name of its content: what is there is its beginning, unless the whole tells otherwise.
      const resumed = file.positionBytes > 0
      const brought = (): Promise<void> => bring(from, path, file, { signal, onBytes })
      const finish = () => file.finish({ hash: hashOf(w), mode: w.mode, mtimeNs: w.mtimeNs })
      try {
        await brought()
        await finish()
      } catch (err) {
        if (!resumed || errorCode(err) !== 'HASH_MISMATCH') throw err
        if (file.positionBytes > 0) await file.restart()
        await brought()
        await finish()
      }
      return undefined
    } catch (err) {
      signal?.throwIfAborted()
      const code = errorCode(err)
      if (FATAL.has(code)) throw err
      problem = OTHERWISE.has(code) ? changed(w) : { path: w.path, code, message: toError(err).message }
    } finally {
      await file.close().catch(() => {}) // where the device is gone, that was told above
    }
  }
  return problem
}

/** What is missing at the end of a staged file. One piece ahead: reading and writing overlap, and no more than that is held. */
async function bring(
  from: Endpoint,
  path: RelPath,
  file: StagedFileWriter,
  { signal, onBytes }: StageOptions
): Promise<void> {
  const { positionBytes, sizeBytes } = file
  if (positionBytes >= sizeBytes && sizeBytes > 0) return
  const ranges =
    positionBytes === 0 ? undefined : [{ fromBytes: positionBytes, lengthBytes: sizeBytes - positionBytes }]
  let writing: Promise<unknown> = Promise.resolve()
  for await (const piece of from.read(path, { signal, ...(ranges && { ranges }) })) {
    await writing
    if (piece.kind === 'data') {
      onBytes?.(piece.bytes.length)
      writing = file.append(piece.bytes)
    } else if (piece.kind === 'hole') writing = file.appendHole(piece.lengthBytes)
    writing.catch(() => {}) // awaited with the next piece
  }
  await writing
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
