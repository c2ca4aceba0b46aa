import type { EntryStat, Expected } from './fingerprint.js'
import type { RootAccess } from './root.js'

/**
 * Whether what lies there is something else than expected. For files and links size and mtime count; a directory is the
 * same as long as it is one (what changed in it shows in what it holds). ctime counts only where told and not changed by our
 * own rename.
 */
export function differs(
  { root }: Pick<RootAccess, 'root'>,
  expected: Expected,
  at: EntryStat,
  renamed = true
): boolean {
  if (at.kind !== expected.kind) return true
  if (root.capabilities.keepsIdentity) {
    if (expected.inode !== undefined && at.inode !== expected.inode) return true
    if (expected.birthNs !== undefined && at.birthNs !== expected.birthNs) return true
  }
  if (expected.kind === 'directory') return false
  if (expected.sizeBytes !== undefined && at.sizeBytes !== expected.sizeBytes) return true
  if (expected.mtimeNs !== undefined && at.mtimeNs !== expected.mtimeNs) return true
  if (expected.ctimeNs === undefined || (renamed && !root.capabilities.renameKeepsCtime)) return false
  return at.ctimeNs !== expected.ctimeNs
}
