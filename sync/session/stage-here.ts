import type { ContentHash, Problem, WorkerPool } from '../../storage/base/index.js'
import type { FileRoot, Staging } from '../../storage/files/index.js'
import type { Endpoint } from '../endpoints/index.js'
import { isUnread, type Leaf } from '../reconcile/index.js'
import type { Planned } from './planned-columns.js'
import { type StagedFiles, staging } from './stage.worker.js'
import { changed, type Learnt, type StagedContent, type StageOptions, type Wanted } from './stage-content.js'
import { type FileWanted, type SeenThen, toWantedColumns, wantedBuffers } from './wanted-columns.js'

/** Both ends are folders of this device: content goes from one to the other within a thread. */
export interface HereInit {
  readonly pool: WorkerPool
  readonly from: Endpoint
  readonly root: FileRoot
  readonly staging: Staging
}

/** Files and bytes of one task: several run at once, and one large file holds up no more than these. */
const FILES_A_TASK = 250
const BYTES_A_TASK = 16 * 1024 * 1024
const SHARES_BLOCKS = new Set(['btrfs', 'xfs', 'bcachefs'])

/** The same as `stageContent`, for files alone. @param wanted - of kind `file` */
export async function stageHere(
  { pool, from, root, staging: place }: HereInit,
  wanted: readonly Wanted[],
  { signal, onBytes }: StageOptions
): Promise<StagedContent> {
  const source = await from.local!.source({ signal })
  const { handle: target } = root
  const shares = SHARES_BLOCKS.has(root.capabilities.fileSystem)
  const reflink = source.device === target.device && shares
  const { clockStepMs } = from.local!.reading()
  const init = { source, target, staging: place.handle, reflink, clockStepMs }
  const failed = new Map<number, Problem>()
  const learnt: Learnt[] = []
  let bytes = 0
  const tasks = tasksOf(wanted)
  const work = async (): Promise<void> => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      const list = task
      const columns = toWantedColumns(list.map(fileOf))
      const { failures, learnt: rows }: StagedFiles = await pool.run(
        staging.stage,
        { ...init, wanted: columns },
        {
          signal,
          transfer: wantedBuffers(columns),
          onEmit(written: number) {
            bytes += written
            onBytes?.(written)
          }
        }
      )
      for (const { index, problem } of failures) {
        const w = list[index]!
        failed.set(w.id, problem === undefined ? changed(w) : { ...problem, path: w.path })
      }
      const read = list.filter(w => isUnreadFile(w.content) && !failed.has(w.id))
      if (read.length > 0) learnt.push({ ids: read.map(w => w.id), rows })
    }
  }
  const working = Array.from({ length: pool.bulkWidth }, () =>
    work().catch(err => {
      tasks.length = 0
      throw err
    })
  )
  // All of them have ended when this returns: the staging place may be closed then.
  const ended = await Promise.allSettled(working)
  for (const outcome of ended) if (outcome.status === 'rejected') throw outcome.reason
  return { failed, bytes, learnt }
}

function tasksOf(wanted: readonly Wanted[]): Wanted[][] {
  const tasks: Wanted[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const w of wanted) {
    if (bytes > BYTES_A_TASK || tasks.at(-1)!.length >= FILES_A_TASK) {
      tasks.push([])
      bytes = 0
    }
    tasks.at(-1)!.push(w)
    bytes += w.content.kind === 'file' ? w.content.sizeBytes : 0
  }
  return tasks
}

function fileOf({ content, mode, mtimeNs, from, staged }: Wanted): FileWanted {
  const { hash, sizeBytes, stat } = content as Planned & { hash: ContentHash; sizeBytes: number }
  if (!isUnread(hash)) return { hash, sizeBytes, mode, mtimeNs, from, staged }
  return { hash: undefined, seen: stat as SeenThen, sizeBytes, mode, mtimeNs, from, staged }
}

const isUnreadFile = (content: Leaf): boolean => content.kind === 'file' && isUnread(content.hash)
