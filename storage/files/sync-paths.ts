import { nameOf, parentOf, type RelPath, ROOT } from '../base/index.js'
import type { RootAccess } from './root.js'
import { isMissing } from './trash-bin.js'

/**
 * Makes files durable with the way to each, one by one, where one sync of the whole says nothing.
 * @returns those that are not there (any more)
 */
export function syncPaths({ disk, dirs }: RootAccess, paths: readonly RelPath[]): RelPath[] {
  const gone: RelPath[] = []
  const ways = new Set<RelPath>([ROOT])
  for (const path of paths) {
    try {
      const dir = dirs.open(parentOf(path))
      // A link has no content of its own: it is there with its name.
      if (disk.lstat(dir, nameOf(path)).kind === 'file') {
        const fd = disk.open(dir, nameOf(path), 'read')
        try {
          disk.sync(fd)
        } finally {
          disk.close(fd)
        }
      }
      for (let way = parentOf(path); way !== ROOT && !ways.has(way); way = parentOf(way)) ways.add(way)
    } catch (err) {
      if (!isMissing(err)) throw err
      gone.push(path)
    }
  }
  for (const way of ways) disk.sync(dirs.open(way))
  return gone
}
