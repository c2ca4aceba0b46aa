import type { AbortOptions, AbsPath, FileName, RelPath } from '../base/index.js'
import { locator } from './batch-durability.js'
import type { SourceHandle } from './copy-looks.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import type { RecoverReport, Space } from './files.js'
import type { EntryStat, Expected } from './fingerprint.js'
import { readJournal } from './journal.js'
import { countInMarker, type Marker, readMarkerIn } from './marker.js'
import { moveIn } from './move-in.js'
import { movedBefore, moveInto } from './move-into.js'
import { AREA_NAME } from './ours.js'
import { placeBatch, type StagedHow } from './place-batch.js'
import { toPlacedColumns } from './place-columns.js'
import { placeGroup } from './place-group.js'
import { type NewName, type NewNameProblem, placeNew } from './place-new.js'
import { lookAt } from './place-step.js'
import type { PlaceResult, PlaceStep, StagedSource } from './place-steps.js'
import { diskError } from './problems.js'
import { recoverRoot } from './recover.js'
import { type Doomed, type RemovedForGood, removeForGood } from './remove-for-good.js'
import { ensureSpace, type OpenRootInit, openRootHandle, type RootHandle, spaceOf, withRoot } from './root.js'
import { fromStagedColumns, type StagedColumns } from './staged-columns.js'
import type {
  DirectoryAttributes,
  MovedEntry,
  MoveEntry,
  StagedProblem,
  StagedReport,
  VerifiedFile
} from './staging.js'
import {
  closeStagingPlace,
  findStagingPlace,
  openStagingPlace,
  removeStagingPlace,
  type StagingWhere,
  TREE_NAME
} from './staging-place.js'
import { type StagingHandle, StagingWriter } from './staging-writer.js'
import { fromStepColumns, type StepColumns } from './step-columns.js'
import { syncPaths } from './sync-paths.js'
import { trashTasks } from './trash-tasks.js'
import { removeTree, syncTree } from './tree.js'
import { versionTasks } from './version-tasks.js'

/**
 * What `Files` asks of the disk, as functions of plain values: run in workers on the real disk (files.worker.ts), or in place
 * on one that was handed in.
 */
export const fileTasks = {
  openRoot: (disk: Disk, init: OpenRootInit): RootHandle => openRootHandle(disk, init),

  space: (disk: Disk, { root, bytes }: { root: RootHandle; bytes: number }): Space => {
    const space = spaceOf(disk, root)
    ensureSpace(root.path, space, bytes)
    return space
  },

  openStaging: (
    disk: Disk,
    { root, id, where }: { root: RootHandle; id: string; where: StagingWhere }
  ): Promise<StagingHandle> => withRoot(disk, root, access => openStagingPlace(access, id, where)),

  hasStaging: (disk: Disk, { root, id }: { root: RootHandle; id: string }): Promise<boolean> =>
    withRoot(disk, root, access => findStagingPlace(access, id) !== undefined),

  /** Of a folder that need not be one we write to: nothing is probed or made there. */
  readMarker: (disk: Disk, { path }: { path: AbsPath }): Marker | undefined => {
    let dir: DirHandle | undefined
    try {
      dir = disk.openRoot(path)
      return readMarkerIn(disk, dir)
    } catch (err) {
      throw diskError('read the marker of', path, err)
    } finally {
      if (dir !== undefined) disk.close(dir)
    }
  },

  countInMarker: (
    disk: Disk,
    { root, sync, counter, known }: { root: RootHandle; sync: string; counter: number; known: boolean }
  ): Promise<Marker> => withRoot(disk, root, access => countInMarker(access, sync, counter, { known })),

  recover: (
    disk: Disk,
    { root, busy, nowMs }: { root: RootHandle; busy: readonly string[]; nowMs: number }
  ): Promise<RecoverReport> =>
    withRoot(disk, root, access => recoverRoot(access, { isBusy: id => busy.includes(id), nowMs })),

  write: (
    disk: Disk,
    { place, columns, data }: { place: StagingHandle; columns: StagedColumns; data: Uint8Array }
  ): StagedReport => withWriter(disk, place, writer => writer.write(fromStagedColumns(columns), data)),

  verify: async (
    disk: Disk,
    { place, files }: { place: StagingHandle; files: readonly VerifiedFile[] },
    { signal }: AbortOptions
  ): Promise<('whole' | 'different' | 'missing')[]> => {
    const writer = new StagingWriter(disk, place)
    try {
      return await writer.verify(files, { signal })
    } finally {
      writer.close()
    }
  },

  setDirectoryAttributes: (
    disk: Disk,
    { place, list }: { place: StagingHandle; list: readonly DirectoryAttributes[] }
  ): StagedProblem[] => withWriter(disk, place, writer => writer.setDirectoryAttributes(list)),

  sync: (disk: Disk, { place }: { place: StagingHandle }): void => {
    try {
      syncTree(disk, place.tree, !place.syncEach)
    } catch (err) {
      throw diskError('sync', place.dir.path, err)
    }
  },

  moveInto: (
    disk: Disk,
    input: { root: RootHandle; place: StagingHandle; directory: RelPath; entries: readonly MoveEntry[] }
  ): Promise<MovedEntry[]> =>
    withRoot(disk, input.root, access => moveInto(access, input.place, input.directory, input.entries)),

  moved: (disk: Disk, { root, place }: { root: RootHandle; place: StagingHandle }): Promise<MovedEntry[] | undefined> =>
    withRoot(disk, root, access => movedBefore(access, place)),

  placeNew: (
    disk: Disk,
    input: { root: RootHandle; place: StagingHandle; list: readonly NewName[]; durable: boolean }
  ): Promise<NewNameProblem[]> =>
    withRoot(disk, input.root, access => placeNew(access, input.place, input.list, { durable: input.durable })),

  /** Removes what a batch left empty, or all of it, below a name of the staging place. */
  clearStaged: (disk: Disk, { place, name }: { place: StagingHandle; name: FileName }): void => {
    try {
      removeTree(disk, place.tree, name)
    } catch (err) {
      throw diskError('remove', name, err)
    }
  },

  openSource: (disk: Disk, { path }: { path: AbsPath }): SourceHandle => {
    try {
      const dir = disk.openRoot(path)
      const { device, mount } = disk.stat(dir)
      return { path, dir, device, mount }
    } catch (err) {
      throw diskError('open', path, err)
    }
  },

  moveIn: (
    disk: Disk,
    input: { root: RootHandle; source: SourceHandle; name: FileName; path: RelPath; expected: Expected }
  ): Promise<EntryStat> => withRoot(disk, input.root, access => moveIn(access, input)),

  closeSource: (disk: Disk, source: SourceHandle): void => disk.close(source.dir),

  /** Everything on the file system of a root, durable; what it reports failed since the root was opened. */
  syncRoot: (
    disk: Disk,
    { root, paths = [] }: { root: RootHandle; paths?: readonly RelPath[] | undefined }
  ): Promise<RelPath[]> =>
    withRoot(disk, root, access => {
      try {
        if (!root.capabilities.syncWhole) return syncPaths(access, paths)
        disk.syncAll(root.dir)
        return []
      } catch (err) {
        throw diskError('make durable', root.path, err)
      }
    }),

  /** One sync of all that lies staged, on the descriptor that was open before it was written. */
  syncStaged: (disk: Disk, { root, place }: { root: RootHandle; place: StagingHandle }): void => {
    try {
      disk.syncAll(place.tree)
    } catch (err) {
      throw diskError('make durable what was staged in', root.path, err)
    }
  },

  place: (
    disk: Disk,
    { root, places, columns, ...how }: Omit<PlaceInput, 'steps'> & { columns: StepColumns } & StagedHow
  ): Promise<ReturnType<typeof toPlacedColumns>> =>
    withRoot(disk, root, access => toPlacedColumns(placeBatch(access, places, fromStepColumns(columns), how))),

  /** In a staging place of its own, which stays if anything is left in it that belongs elsewhere. */
  placeGroup: (disk: Disk, { root, places, steps, id }: PlaceInput & { id: string }): Promise<PlaceResult[]> =>
    withRoot(disk, root, access => {
      const own = openStagingPlace(access, id, findStat(disk, root.dir, AREA_NAME) === undefined ? 'beside' : 'area')
      try {
        return placeGroup(access, places, own, steps)
      } finally {
        const settled = readJournal(disk, own.dir) === undefined
        closeStagingPlace(disk, own)
        if (settled) removeStagingPlace(access, own.rel)
      }
    }),

  lookAgain: (disk: Disk, { root, places, list }: LookAgainInput): Promise<number[]> =>
    withRoot(disk, root, access => {
      const locate = locator(places, TREE_NAME)
      const same = (a: EntryStat | undefined, b: EntryStat): boolean =>
        a !== undefined && a.inode === b.inode && a.sizeBytes === b.sizeBytes && a.mtimeNs === b.mtimeNs
      return list.flatMap(({ at, stat }, i) => (same(lookAt(access, locate(at)), stat) ? [] : [i]))
    }),

  discard: (disk: Disk, { root, place }: { root: RootHandle; place: StagingHandle }): Promise<void> =>
    withRoot(disk, root, access => {
      closeStagingPlace(disk, place)
      try {
        removeStagingPlace(access, place.rel)
      } catch (err) {
        throw diskError('remove', place.dir.path, err)
      }
    }),

  ...trashTasks,
  ...versionTasks,

  removeForGood: (
    disk: Disk,
    { items, after, blamed }: { items: readonly Doomed[]; after?: RelPath | undefined; blamed?: boolean | undefined }
  ): RemovedForGood => removeForGood(disk, items, { after, blamed }),

  closeStaging: (disk: Disk, { place }: { place: StagingHandle }): void => closeStagingPlace(disk, place),
  closeRoot: (disk: Disk, { root }: { root: RootHandle }): void => disk.close(root.dir)
}

export interface PlaceInput {
  readonly root: RootHandle
  readonly places: ReadonlyMap<string, StagingHandle>
  readonly steps: readonly PlaceStep[]
}

export interface LookAgainInput {
  readonly root: RootHandle
  readonly places: ReadonlyMap<string, StagingHandle>
  readonly list: readonly { readonly at: StagedSource; readonly stat: EntryStat }[]
}

function withWriter<T>(disk: Disk, place: StagingHandle, fn: (writer: StagingWriter) => T): T {
  const writer = new StagingWriter(disk, place)
  try {
    return fn(writer)
  } finally {
    writer.close()
  }
}
