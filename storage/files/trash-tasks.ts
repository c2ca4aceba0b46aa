import type { AbsPath, Problem } from '../base/index.js'
import type { Capabilities } from './capabilities.js'
import type { Disk } from './disk.js'
import { diskError, problemOf } from './problems.js'
import type { RootHandle } from './root.js'
import { findBin, openBin } from './trash-bin.js'
import type {
  FoundBatch,
  PutResult,
  RemovedStretch,
  TakeBack,
  TakeBackResult,
  TrashAddress,
  TrashBatchHeader,
  TrashItem
} from './trash-files.js'
import { putInTrash } from './trash-put.js'
import { readTrash } from './trash-read.js'
import { removeFromTrash } from './trash-remove.js'
import { takeBackFromTrash } from './trash-take-back.js'

export interface BinInput {
  readonly bin: AbsPath
  readonly owner: string
  /** See `OpenRootInit`. */
  readonly known: Readonly<Record<string, Capabilities>>
}

/** Also what was learnt about the file system; a bin is open only as long as a call lasts, so that disks can be unmounted. */
export interface BinOutput<T> {
  readonly output: T
  readonly learnt: Pick<RootHandle, 'device' | 'mount' | 'capabilities'>
}

/** What `TrashFiles` asks of the disk; part of `fileTasks`. */
export const trashTasks = {
  findBins: (
    disk: Disk,
    { dirs, home, owner }: { dirs: readonly AbsPath[]; home: AbsPath; owner: string }
  ): (AbsPath | Problem)[] =>
    dirs.map(dir => {
      try {
        return findBin(disk, dir, home, owner)
      } catch (err) {
        return problemOf(dir, diskError('find the trash of', dir, err))
      }
    }),

  trashPut: (
    disk: Disk,
    { batch, items, ...at }: BinInput & { batch: TrashBatchHeader; items: readonly TrashItem[] }
  ): BinOutput<PutResult[]> => withBin(disk, at, true, bin => putInTrash(disk, bin, batch, items)),

  trashTakeBack: (
    disk: Disk,
    { items, ...at }: BinInput & { items: readonly TakeBack[] }
  ): BinOutput<TakeBackResult[]> => withBin(disk, at, false, bin => takeBackFromTrash(disk, bin, items)),

  trashRemove: (disk: Disk, { item, ...at }: BinInput & { item: TrashAddress }): BinOutput<RemovedStretch> =>
    withBin(disk, at, false, bin => removeFromTrash(disk, bin, item)),

  trashRead: (disk: Disk, { skip, ...at }: BinInput & { skip: readonly string[] }): BinOutput<FoundBatch[]> =>
    withBin(disk, at, false, bin => readTrash(disk, bin, skip))
}

function withBin<T>(
  disk: Disk,
  { bin: path, ...init }: BinInput,
  make: boolean,
  fn: (bin: RootHandle) => T
): BinOutput<T> {
  const bin = openBin(disk, path, { ...init, make })
  try {
    const { device, mount, capabilities } = bin
    return { output: fn(bin), learnt: { device, mount, capabilities } }
  } catch (err) {
    throw diskError('use the trash', path, err)
  } finally {
    disk.close(bin.dir)
  }
}
