import { randomUUID } from 'node:crypto'
import { displayPath, hasCode, nameOf, parentOf, type RelPath, SpacedriveError } from '../base/index.js'
import { type ContentStrategy, type CopiedContent, copyContent } from './copy-content.js'
import { CopyLooks } from './copy-looks.js'
import { type DirHandle, findStat } from './disk.js'
import type { EntryStat } from './fingerprint.js'
import { TEMP_PREFIX } from './ours.js'
import { diskError } from './problems.js'
import { processUmask } from './umask.js'

/** What is carried besides content and permission bits. */
export interface Kept {
  /** The time that files get; that of the source unless told. */
  readonly mtimeNs?: bigint | undefined
  readonly owner: boolean
  readonly xattrs: boolean
}

export interface CopyFileInit extends Kept {
  readonly strategy: ContentStrategy
  between(bytes: number): Promise<void>
}

export interface CopiedFile extends CopiedContent {
  readonly stat: EntryStat
  /** Extended attributes that the destination did not take. */
  readonly lostXattrs: readonly string[]
}

const MODE_BITS = 0o777
const ALL_MODE_BITS = 0o7777

/**
 * Looks at two trees and copies from one into a staging place of the other, within a task that runs in a worker: names are
 * reached beneath open directories on both sides, no link is ever followed, and nothing here gives anything its final name
 * but empty directories.
 */
export class Copier extends CopyLooks {
  /** Makes one directory; its parents must be there. Fine when a directory is there already. @throws KIND_DIFFERS */
  makeTarget(path: RelPath, mode: number): 'made' | 'there' {
    return this.saying('make', path, () => {
      const parent = this.targetDirs.open(parentOf(path))
      try {
        // What is put into it comes first: its own mode is set at the end.
        this.disk.makeDir(parent, nameOf(path), (mode & MODE_BITS) | 0o700)
        return 'made'
      } catch (err) {
        if (!hasCode(err, 'EEXIST')) throw err
        if (this.disk.lstat(parent, nameOf(path)).kind === 'directory') return 'there'
        throw kindDiffers(path)
      }
    })
  }

  /** @throws MISSING, CHANGED (it was written to meanwhile), NO_PERMISSION, NO_SPACE ...; then nothing of it is left */
  async stageFile(path: RelPath, staged: RelPath, init: CopyFileInit): Promise<CopiedFile> {
    const disk = this.disk
    try {
      const from = disk.open(this.source.open(parentOf(path)), nameOf(path), 'read')
      try {
        const stat = disk.stat(from)
        if (stat.kind !== 'file') throw changed(path)
        const into = this.stagingDirs.make(parentOf(staged))
        const to = this.#fresh(into, nameOf(staged), stat.mode & MODE_BITS)
        try {
          const content = await copyContent(disk, {
            ...{ from, to, stat, strategy: init.strategy },
            between: init.between
          })
          const after = disk.stat(from)
          if (after.sizeBytes !== stat.sizeBytes || after.mtimeNs !== stat.mtimeNs) throw changed(path)
          const lostXattrs = init.xattrs ? this.#copyXattrs(from, to) : []
          this.#setAttributes(to, stat, init)
          if (this.syncEach) disk.sync(to)
          return { ...content, stat, lostXattrs }
        } catch (err) {
          disk.unlink(into, nameOf(staged))
          throw err
        } finally {
          disk.close(to)
        }
      } finally {
        disk.close(from)
      }
    } catch (err) {
      throw diskError('copy', path, err)
    }
  }

  stageLink(path: RelPath, staged: RelPath, { mtimeNs, owner }: Kept): EntryStat {
    return this.saying('copy', path, () => {
      const disk = this.disk
      const stat = disk.lstat(this.source.open(parentOf(path)), nameOf(path))
      if (stat.kind !== 'symlink') throw changed(path)
      const target = this.sourceLink(path)
      const into = this.stagingDirs.make(parentOf(staged))
      this.#clear(into, nameOf(staged))
      disk.symlink(target, into, nameOf(staged))
      if (owner) disk.setLinkOwner?.(into, nameOf(staged), stat.uid, stat.gid ?? -1)
      try {
        disk.setLinkMtime(into, nameOf(staged), mtimeNs ?? stat.mtimeNs)
      } catch (err) {
        if (!hasCode(err, 'ENOSYS', 'EOPNOTSUPP', 'ENOTSUP', 'EPERM')) throw err // some keep no time of a link
      }
      return stat
    })
  }

  /** A second name for a file of the target, staged: a hard link of the copy. EMLINK, EPERM: it is copied instead. */
  stageHardLink(existing: RelPath, staged: RelPath): void {
    this.saying('link', existing, () => {
      const into = this.stagingDirs.make(parentOf(staged))
      this.#clear(into, nameOf(staged))
      this.disk.link(this.targetDirs.open(parentOf(existing)), nameOf(existing), into, nameOf(staged))
    })
  }

  /** For a move within one volume: the file itself, under a second name in staging. */
  stageItself(path: RelPath, staged: RelPath): EntryStat {
    return this.saying('move', path, () => {
      const from = this.source.open(parentOf(path))
      const into = this.stagingDirs.make(parentOf(staged))
      this.#clear(into, nameOf(staged))
      this.disk.link(from, nameOf(path), into, nameOf(staged))
      return this.disk.lstat(into, nameOf(staged))
    })
  }

  /**
   * A move's last step: takes the source away, if it still is what was copied. It is moved aside first and looked at again,
   * so that what took its name in between is never lost. @throws CHANGED, and it is where it was
   */
  removeSource(path: RelPath, expected: EntryStat): void {
    this.#keepingTime(path, dir => {
      const aside = `${TEMP_PREFIX}${randomUUID()}`
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
      const stat = disk.stat(this.source.open(path))
      const dir = this.targetDirs.open(to)
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
      return changed
    })
  }

  /** With its final mode at once: the staging place is private. */
  #fresh(into: DirHandle, name: string, mode: number): number {
    try {
      return this.disk.open(into, name, 'create', mode)
    } catch (err) {
      if (!hasCode(err, 'EEXIST')) throw err
      this.disk.unlink(into, name) // left by a run that was cut short
      return this.disk.open(into, name, 'create', mode)
    }
  }

  #clear(into: DirHandle, name: string): void {
    if (findStat(this.disk, into, name) !== undefined) this.disk.unlink(into, name)
  }

  #setAttributes(to: number, stat: EntryStat, { mtimeNs, owner }: Kept): void {
    // The set-id bits mean something only together with the owner, and a change of owner clears them.
    if (owner) this.disk.setOwner?.(to, stat.uid, stat.gid ?? -1)
    const mode = stat.mode & (owner ? ALL_MODE_BITS : MODE_BITS)
    if (owner || (mode & processUmask()) !== 0) this.disk.setMode(to, mode)
    this.disk.setMtime(to, mtimeNs ?? stat.mtimeNs)
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
      const dir = this.source.open(parentOf(path))
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

  #copyXattrs(from: number, to: number): string[] {
    const lost: string[] = []
    const xattrs = this.disk.quick?.xattrs
    if (xattrs === undefined) return lost
    for (const name of listed(() => xattrs.list(from))) {
      try {
        xattrs.set(to, name, xattrs.get(from, name))
      } catch (err) {
        if (!hasCode(err, 'ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EACCES', 'ENOSPC', 'E2BIG', 'ERANGE')) throw err
        lost.push(name)
      }
    }
    return lost
  }
}

function listed(list: () => string[]): string[] {
  try {
    return list()
  } catch (err) {
    if (hasCode(err, 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) return []
    throw err
  }
}

const changed = (path: RelPath): SpacedriveError =>
  new SpacedriveError('CHANGED', `could not copy ${displayPath(path)}: it was written to while it was copied`, {
    hint: 'Copy it again when it rests.'
  })

export const kindDiffers = (path: RelPath): SpacedriveError =>
  new SpacedriveError('KIND_DIFFERS', `could not copy ${displayPath(path)}: something of another kind stands there`, {
    hint: 'A folder never takes the place of a file, nor a file that of a folder: move it away first.'
  })
