import { displayPath, type FileName, hasCode, nameOf, parentOf, type RelPath, SpacedriveError } from '../base/index.js'
import { freeAwayName, nameBeforeAway } from './away.js'
import { ALL_MODE_BITS, CopyStager, changed, type Kept, MODE_BITS } from './copy-stager.js'
import { type DirHandle, findStat } from './disk.js'
import type { EntryStat } from './fingerprint.js'
import { freeNames } from './free-name.js'

/**
 * Looks at two trees and copies from one into a staging place of the other, within a task that runs in a worker: names are
 * reached beneath open directories on both sides, no link is ever followed, and nothing here gives anything its final name
 * but empty directories.
 */
export class Copier extends CopyStager {
  /** Makes one directory; its parents must be there. Fine when a directory is there already. @throws KIND_DIFFERS */
  makeTarget(path: RelPath, mode: number): 'made' | 'there' {
    return this.saying('make', path, () => {
      const parent = this.target.dirs.open(parentOf(path))
      try {
        // What is put into it comes first: its own mode is set at the end.
        this.disk.makeDir(parent, nameOf(path), (mode & MODE_BITS) | 0o700)
        if (this.syncEach) this.disk.sync(parent)
        return 'made'
      } catch (err) {
        if (!hasCode(err, 'EEXIST')) throw err
        if (this.disk.lstat(parent, nameOf(path)).kind === 'directory') return 'there'
        throw kindDiffers(path)
      }
    })
  }

  /**
   * A move's last step: takes the source away, if it still is what was copied. It is moved aside first and looked at again,
   * so that what took its name in between is never lost; `leftAway` tells of those that a crash left between the two.
   * @throws CHANGED, and it is where it was
   */
  removeSource(path: RelPath, expected: EntryStat): void {
    this.#keepingTime(path, dir => {
      const aside = freeAwayName(this.disk, dir, nameOf(path))
      this.disk.rename(dir, nameOf(path), dir, aside, 'replace')
      const at = this.disk.lstat(dir, aside)
      if (at.inode === expected.inode && at.sizeBytes === expected.sizeBytes && at.mtimeNs === expected.mtimeNs) {
        this.disk.unlink(dir, aside)
        return true
      }
      this.#putBack(dir, aside, nameOf(path))
      throw changed(path)
    })
  }

  /** What was being taken away in this source directory when the program ended: what it is called, and was before. */
  leftAway(dir: RelPath): { away: FileName; name: FileName }[] {
    return this.source.list(dir).flatMap(away => {
      const name = nameBeforeAway(away)
      return name === undefined ? [] : [{ away: away as FileName, name }]
    })
  }

  /** It is at the destination. */
  dropAway(path: RelPath): void {
    this.#keepingTime(path, dir => this.disk.unlink(dir, nameOf(path)))
  }

  /** It is not: its name is given back, or one beside it. @returns that name */
  putAwayBack(path: RelPath, before: FileName): FileName {
    return this.#keepingTime(path, dir => {
      const { inode } = this.disk.lstat(dir, nameOf(path))
      for (const name of freeNames(before, false)) {
        const there = findStat(this.disk, dir, name)
        if (there === undefined) this.#putBack(dir, nameOf(path), name)
        else if (there.inode === inode) this.disk.unlink(dir, nameOf(path))
        else continue
        return name
      }
      throw new Error('unreachable: free names do not end')
    })
  }

  /** @returns false when something is left in it */
  removeSourceDirectory(path: RelPath): boolean {
    return this.#keepingTime(path, dir => {
      try {
        this.source.forget(path)
        this.disk.removeDir(dir, nameOf(path))
        return true
      } catch (err) {
        if (hasCode(err, 'ENOTEMPTY', 'EEXIST')) return false
        throw err
      }
    })
  }

  /** Mode, time and owner of a directory at the destination follow the source, where they differ. */
  finishDirectory(path: RelPath, to: RelPath, { mtimeNs, owner }: Kept & { mtimeNs: bigint | undefined }): boolean {
    return this.saying('set mode and time of', to, () => {
      const disk = this.disk
      const stat = disk.stat(this.source.dirs.open(path))
      const dir = this.target.dirs.open(to)
      const there = disk.stat(dir)
      // A folder of somebody else that was there before stays as it is: what was to be put into it is what counts.
      const user = process.geteuid?.() ?? 0
      if (user !== 0 && there.uid !== user) return false
      const mode = stat.mode & (owner ? ALL_MODE_BITS : MODE_BITS)
      let changed = false
      if (owner && (there.uid !== stat.uid || there.gid !== stat.gid)) {
        disk.setOwner?.(dir, stat.uid, stat.gid ?? -1)
        changed = true
      }
      if ((there.mode & (owner ? ALL_MODE_BITS : MODE_BITS)) !== mode) {
        disk.setMode(dir, mode)
        changed = true
      }
      if (mtimeNs !== undefined && there.mtimeNs !== mtimeNs) {
        disk.setMtime(dir, mtimeNs)
        changed = true
      }
      if (changed && this.syncEach) disk.sync(dir)
      return changed
    })
  }

  /** By a second name first: one that somebody took since then is not taken away again. */
  #putBack(dir: DirHandle, aside: string, name: string): void {
    try {
      this.disk.link(dir, aside, dir, name)
      this.disk.unlink(dir, aside)
    } catch (err) {
      // No second names there. RACE: what takes the name between this look and the rename is replaced.
      if (hasCode(err, 'EEXIST') || findStat(this.disk, dir, name) !== undefined) throw err
      this.disk.rename(dir, aside, dir, name, 'replace')
    }
  }

  /** The directory around what is removed is moved as well: its time is still to be read. */
  #keepingTime<T>(path: RelPath, fn: (dir: DirHandle) => T): T {
    return this.saying('remove', path, () => {
      const dir = this.source.dirs.open(parentOf(path))
      if (parentOf(path) === '') return fn(dir)
      const { mtimeNs } = this.disk.stat(dir)
      try {
        return fn(dir)
      } finally {
        try {
          this.disk.setMtime(dir, mtimeNs)
        } catch {
          // Somebody else's directory: it gets the time of the removal.
        }
      }
    })
  }
}

export const kindDiffers = (path: RelPath): SpacedriveError =>
  new SpacedriveError('KIND_DIFFERS', `could not copy ${displayPath(path)}: something of another kind stands there`, {
    hint: 'A folder never takes the place of a file, nor a file that of a folder: move it away first.'
  })
