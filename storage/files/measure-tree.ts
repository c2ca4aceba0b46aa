import { joinRel, type RelPath, ROOT } from '../base/index.js'
import type { DirHandle, Disk } from './disk.js'

/** What lies below a directory: everything but directories counts as a file. What cannot be looked at is left out. */
export function measureTree(disk: Disk, parent: DirHandle, name: string): { files: number; bytes: number } {
  const sum = { files: 0, bytes: 0 }
  const base = disk.openDir(parent, name)
  try {
    const directories: RelPath[] = [ROOT]
    for (let rel = directories.pop(); rel !== undefined; rel = directories.pop()) {
      try {
        const dir = rel === ROOT ? base : disk.openDir(base, rel)
        try {
          for (const child of disk.list(dir)) {
            const { kind, sizeBytes } = disk.lstat(dir, child)
            if (kind === 'directory') directories.push(joinRel(rel, child))
            else {
              sum.files++
              sum.bytes += sizeBytes
            }
          }
        } finally {
          if (dir !== base) disk.close(dir)
        }
      } catch {}
    }
  } finally {
    disk.close(base)
  }
  return sum
}
