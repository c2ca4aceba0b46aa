import { displayPath, type FileName, nameOf, parentOf, type RelPath, SpacedriveError } from '../base/index.js'
import type { SourceHandle } from './copy-looks.js'
import type { EntryStat, Expected } from './fingerprint.js'
import { giveName, movedAway } from './give-name.js'
import { differs } from './look.js'
import { diskError } from './problems.js'
import { ensureSameRoot, type RootAccess } from './root.js'

/**
 * A file, link or directory of another folder on the same volume gets its name beneath the root, by one rename, where nothing
 * may stand; durable on return. @throws CHANGED, EXISTS, OTHER_FILE_SYSTEM: then it is where it was
 */
export function moveIn(
  access: RootAccess,
  { source, name, path, expected }: { source: SourceHandle; name: FileName; path: RelPath; expected: Expected }
): EntryStat {
  const { disk, root, dirs } = access
  ensureSameRoot(access)
  try {
    const before = disk.lstat(source.dir, name)
    if (differs(access, expected, before, false)) throw changed(name)
    const parent = dirs.open(parentOf(path))
    giveName(disk, root.capabilities, source.dir, name, parent, nameOf(path))
    const at = disk.lstat(parent, nameOf(path))
    if (at.inode !== before.inode || !dirs.isStill(parentOf(path))) {
      giveName(disk, root.capabilities, parent, nameOf(path), source.dir, name)
      throw at.inode === before.inode ? movedAway(path) : changed(name)
    }
    // The new name first: a crash in between leaves both or the new one, never none.
    disk.sync(parent)
    disk.sync(source.dir)
    return at
  } catch (err) {
    throw diskError('move', name, err)
  }
}

const changed = (name: string): SpacedriveError =>
  new SpacedriveError('CHANGED', `could not move ${displayPath(name)}: it is not what was expected there`, {
    hint: 'It was changed meanwhile: try again.'
  })
