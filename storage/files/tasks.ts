import type { AbortOptions, RelPath } from '../base/index.js'
import type { Disk } from './disk.js'
import type { CleanReport, RecoverReport, Space } from './files.js'
import { moveInto } from './move-into.js'
import { diskError } from './problems.js'
import { recoverRoot } from './recover.js'
import { ensureSpace, type OpenRootInit, openRootHandle, type RootHandle, spaceOf, withRoot } from './root.js'
import type {
  DirectoryAttributes,
  MovedEntry,
  MoveEntry,
  StagedEntry,
  StagedProblem,
  StagedReport,
  VerifiedFile
} from './staging.js'
import {
  cleanStagingPlaces,
  closeStagingPlace,
  openStagingPlace,
  removeStagingPlace,
  type StagingWhere
} from './staging-place.js'
import { type StagingHandle, StagingWriter } from './staging-writer.js'
import { syncTree } from './tree.js'

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

  cleanStaging: (
    disk: Disk,
    { root, keep, busy, nowMs }: { root: RootHandle; keep: readonly string[]; busy: readonly string[]; nowMs: number }
  ): Promise<CleanReport> =>
    withRoot(disk, root, access => cleanStagingPlaces(access, new Set([...keep, ...busy]), nowMs)),

  recover: (disk: Disk, { root, busy }: { root: RootHandle; busy: readonly string[] }): Promise<RecoverReport> =>
    withRoot(disk, root, access => recoverRoot(access, id => busy.includes(id))),

  write: (
    disk: Disk,
    { place, entries, data }: { place: StagingHandle; entries: readonly StagedEntry[]; data: Uint8Array }
  ): StagedReport => withWriter(disk, place, writer => writer.write(entries, data)),

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

  discard: (disk: Disk, { root, place }: { root: RootHandle; place: StagingHandle }): Promise<void> =>
    withRoot(disk, root, access => {
      closeStagingPlace(disk, place)
      try {
        removeStagingPlace(access, place.rel)
      } catch (err) {
        throw diskError('remove', place.dir.path, err)
      }
    }),

  closeStaging: (disk: Disk, { place }: { place: StagingHandle }): void => closeStagingPlace(disk, place),
  closeRoot: (disk: Disk, { root }: { root: RootHandle }): void => disk.close(root.dir)
}

function withWriter<T>(disk: Disk, place: StagingHandle, fn: (writer: StagingWriter) => T): T {
  const writer = new StagingWriter(disk, place)
  try {
    return fn(writer)
  } finally {
    writer.close()
  }
}
