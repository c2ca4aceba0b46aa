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
import { bringLarge, type SmallFile, transferLarge, transferSmall } from '../delta/index.js'
import {
  type ContentColumns,
  type Endpoint,
  type EndpointStage,
  MAX_LOOKS,
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
  /** A file there that may have much in common with it: the one that it replaces. */
  readonly basis?: RelPath | undefined
}

/** Files that nobody had read before they were brought. */
export interface Learnt {
  /** Their operations. */
  readonly ids: readonly number[]
  /** In the same order: where they came from, with their hashes. */
  readonly rows: ContentColumns
}

export interface StagedContent {
  readonly failed: ReadonlyMap<number, Problem>
  readonly learnt: readonly Learnt[]
  readonly bytes: number
}

export interface StageInit {
  readonly from: Endpoint
  /** The end that gets it, and its staging place. */
  readonly at: Pick<Endpoint, 'blocks'>
  readonly stage: EndpointStage
  /** The end that gets it, where it is a folder of this device. */
  readonly here?: Pick<HereInit, 'root' | 'staging'> | undefined
  readonly pool: WorkerPool
  /** Some of it may lie in the stage already: what does is not brought again. */
  readonly resumes?: boolean | undefined
}

export interface StageOptions extends AbortOptions {
  readonly onBytes?: ((bytes: number) => void) | undefined
  /** See `TransferLargeInit.onRead`. */
  readonly onRead?: (() => void) | undefined
}

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
    return { ...staged, failed: new Map([...failed, ...staged.failed]) }
  }
  let bytes = 0
  const onBytes = (n: number): void => {
    bytes += n
    options.onBytes?.(n)
  }
  const packed = files.filter(w => sizeOf(w) <= MAX_PACKED_FILE_BYTES)
  const small = resumes === true ? await missing(stage, packed, options) : packed
  const large = files.filter(w => sizeOf(w) > MAX_PACKED_FILE_BYTES)
  const bring = async (w: Wanted): Promise<void> => {
    const problem = await stageLarge(init, w, { ...options, onBytes })
    if (problem !== undefined) failed.set(w.id, problem)
  }
  await bringLarge(large, bring, [stageSmall(init, small, failed, { ...options, onBytes })])
  return { failed, bytes, learnt: [] }
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

/** A small file, and at which of its places it is looked for. */
interface Sought extends SmallFile {
  readonly w: Wanted
  readonly n: number
}

/** Many to a message; what is otherwise than planned where it was looked for first, is looked for where the plan has put it. */
async function stageSmall(
  { from, stage: to }: StageInit,
  wanted: readonly Wanted[],
  failed: Map<number, Problem>,
  { signal, onBytes }: StageOptions
): Promise<void> {
  let files = wanted.map(w => ({ w, n: 0 }))
  while (files.length > 0) {
    const again: typeof files = []
    const list = files.map(({ w, n }) => ({ w, n, path: w.from[n]!, sizeBytes: sizeOf(w), stagedAs: w.staged }))
    const attributes = ({ w }: Sought) => ({ mode: w.mode, mtimeNs: w.mtimeNs })
    for await (const some of transferSmall<Sought>({ from, to, files: list, attributes, ...(signal && { signal }) })) {
      for (const { file, ...found } of some) {
        const { w, n } = file
        if (found.problem === undefined && found.hash === hashOf(w)) onBytes?.(found.length)
        else if (n + 1 < w.from.length) again.push({ w, n: n + 1 })
        else failed.set(w.id, { ...(found.problem ?? changed(w)), path: w.path })
      }
    }
    files = again
  }
}

/** What lies staged of it counts, and what the file that it replaces has in common with it. */
async function stageLarge(
  { from, stage, at }: StageInit,
  w: Wanted,
  { signal, onBytes, onRead }: StageOptions
): Promise<Problem | undefined> {
  let problem: Problem | undefined
  for (const path of w.from) {
    try {
      await transferLarge({
        ...{ from, path, sizeBytes: sizeOf(w), hash: hashOf(w), to: stage, stagedAs: w.staged },
        ...(w.basis !== undefined && { basis: { at, path: w.basis } }),
        ...(signal && { signal }),
        attributes: () => ({ mode: w.mode, mtimeNs: w.mtimeNs }),
        onBytes: bytes => onBytes?.(bytes),
        onRead: () => onRead?.()
      })
      return undefined
    } catch (err) {
      signal?.throwIfAborted()
      const code = errorCode(err)
      if (FATAL.has(code)) throw err
      problem = OTHERWISE.has(code) ? changed(w) : { path: w.path, code, message: toError(err).message }
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
