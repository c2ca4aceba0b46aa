import type { AbsPath } from '../../storage/base/index.js'
import type { ServedFolder } from '../history/index.js'
import { versionPolicyOf } from '../session/index.js'
import { isWritten, type ServedSync } from './record.js'

/** The folders that drivers write to, each once, with what of their versions is kept. */
export function foldersOf(syncs: readonly ServedSync[]): readonly ServedFolder[] {
  const byPath = new Map<AbsPath, ServedSync[]>()
  for (const sync of syncs) {
    if (sync.folder === undefined || !isWritten(sync)) continue
    byPath.set(sync.folder.path, [...(byPath.get(sync.folder.path) ?? []), sync])
  }
  return [...byPath].map(([path, writers]) => {
    const [{ uuid, folder }] = writers as [ServedSync]
    const settled = writers.map(w => w.settledAtMs ?? Number.NEGATIVE_INFINITY)
    const oldest = Math.min(...settled)
    return {
      ...{ path, uuid, inode: folder!.inode, birthNs: folder!.birthNs },
      policies: writers.map(({ versions, mode }) => versionPolicyOf({ versions: versions ?? undefined, mode })),
      settledAtMs: Number.isFinite(oldest) ? oldest : undefined
    }
  })
}
