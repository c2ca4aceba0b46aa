import type { ContentHash, RelPath } from '../base/index.js'
import type { Disk } from './disk.js'
import { type KeepAside, type KeptAside, keepAside } from './keep-aside.js'
import { type RootHandle, withRoot } from './root.js'
import type { StagingHandle } from './staging-writer.js'
import * as versionArea from './version-area.js'

/** What `VersionArea` asks of the disk; part of `fileTasks`. */
export const versionTasks = {
  appendLines: (disk: Disk, { root, list, text }: { root: RootHandle; list: string; text: string }): Promise<void> =>
    withRoot(disk, root, access => versionArea.appendLines(access, list, text)),
  listLists: (disk: Disk, { root }: { root: RootHandle }): Promise<versionArea.VersionList[]> =>
    withRoot(disk, root, versionArea.listLists),
  readList: (
    disk: Disk,
    { root, list, ...range }: { root: RootHandle; list: string; position: number; maxBytes: number }
  ): Promise<Uint8Array> => withRoot(disk, root, access => versionArea.readList(access, list, range)),
  swapList: (disk: Disk, { root, ...swap }: { root: RootHandle; to: string; from?: string }): Promise<void> =>
    withRoot(disk, root, access => versionArea.swapList(access, swap)),
  keepAside: (
    disk: Disk,
    { root, place, ...keep }: { root: RootHandle; place: StagingHandle } & KeepAside
  ): Promise<KeptAside> => withRoot(disk, root, access => keepAside(access, place, keep)),
  listContent: (disk: Disk, { root, part }: { root: RootHandle; part: string }): Promise<versionArea.StoredContent[]> =>
    withRoot(disk, root, access => versionArea.listContent(access, part)),
  hasContent: (
    disk: Disk,
    { root, hashes }: { root: RootHandle; hashes: readonly ContentHash[] }
  ): Promise<boolean[]> => withRoot(disk, root, access => versionArea.hasContent(access, hashes)),
  removeContent: (
    disk: Disk,
    { root, hashes }: { root: RootHandle; hashes: readonly ContentHash[] }
  ): Promise<number> => withRoot(disk, root, access => versionArea.removeContent(access, hashes)),
  verifyContent: (disk: Disk, { root, hash }: { root: RootHandle; hash: ContentHash }) =>
    withRoot(disk, root, access => versionArea.verifyContent(access, hash)),
  stageContent: (
    disk: Disk,
    { root, place, hash, path }: { root: RootHandle; place: StagingHandle; hash: ContentHash; path: RelPath }
  ): Promise<void> => withRoot(disk, root, access => versionArea.stageContent(access, place, hash, path))
}
