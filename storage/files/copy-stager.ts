import { displayPath, hasCode, isAbort, nameOf, parentOf, type RelPath, SpacedriveError } from '../base/index.js'
import { sameContentStat } from '../content/index.js'
import { type ContentStrategy, type CopiedContent, copyContent, hasHoles } from './copy-content.js'
import { CopyLooks } from './copy-looks.js'
import { type DirHandle, findStat } from './disk.js'
import type { EntryStat } from './fingerprint.js'
import { type Checkpoints, type LargeCopy, openLargeCopy } from './large-copy.js'
import { diskError } from './problems.js'
import { processUmask } from './umask.js'

/** What is carried besides content and permission bits. */
export interface Kept {
  /** The time that files get; that of the source unless told. */
  readonly mtimeNs?: bigint | undefined
  /** Permission bits of files; those of the source unless told. */
  readonly mode?: number | undefined
  readonly owner: boolean
  readonly xattrs: boolean
}

export interface CopyFileInit extends Kept {
  readonly strategy: ContentStrategy
  /** Left out: it is copied in one go, and a try that is cut short leaves nothing. */
  readonly checkpoints?: Checkpoints | undefined
  between(bytes: number): Promise<void>
}

export interface CopiedFile extends CopiedContent {
  /** Of the source, when it was opened and once all of it was read. */
  readonly stat: EntryStat
  readonly after: EntryStat
  /** Extended attributes that the destination did not take. */
  readonly lostXattrs: readonly string[]
}

export const MODE_BITS = 0o777
export const ALL_MODE_BITS = 0o7777

/** Copies files and links from one tree into a staging place of the other: the half of `Copier` that brings content. */
export class CopyStager extends CopyLooks {
  /**
   * Copies one file into the staging place. Where `checkpoints` are made, what is on the disk of a large file stays there when
   * the signal ends it, for the next try under the same name; after any other error nothing of it is left.
   * @throws MISSING, CHANGED (it was written to meanwhile), READ_ERROR, NO_PERMISSION, NO_SPACE ...
   */
  async stageFile(path: RelPath, staged: RelPath, init: CopyFileInit): Promise<CopiedFile> {
    const { disk } = this
    try {
      const { from, stat } = this.#opened(path)
      try {
        const goesOn = init.checkpoints !== undefined && stat.sizeBytes > init.checkpoints.everyBytes
        const into = this.stagingDirs.make(parentOf(staged), { durable: goesOn })
        const large = goesOn ? await this.#large(into, nameOf(staged), stat, init, init.checkpoints) : undefined
        const to = large?.to ?? this.#fresh(into, nameOf(staged), stat.mode & MODE_BITS)
        try {
          const { strategy, between } = init
          const content = await copyContent(disk, { path, from, to, stat, strategy, large, between })
          const after = disk.stat(from)
          // A name that it lost or got since sets its change time as well: then its size and time have to do.
          const { ctimeNs } = after.links === stat.links ? stat : after
          if (!sameContentStat({ ...stat, ctimeNs }, after)) throw changed(path)
          const lostXattrs = init.xattrs ? this.#copyXattrs(from, to) : []
          this.#setAttributes(to, stat, init, large !== undefined)
          if (this.syncEach) disk.sync(to)
          return { ...content, stat, after, lostXattrs }
        } catch (err) {
          if (large === undefined) disk.unlink(into, nameOf(staged))
          else if (!isAbort(err)) large.remove()
          throw err
        } finally {
          large?.close()
          disk.close(to)
          if (large !== undefined) await disk.begun?.()
        }
      } finally {
        disk.close(from)
      }
    } catch (err) {
      throw diskError('copy', path, err)
    }
  }

  /** What an earlier try left staged there: so much less space is needed. */
  stagedBytes(staged: RelPath): number {
    try {
      const stat = findStat(this.disk, this.stagingDirs.open(parentOf(staged)), nameOf(staged))
      return stat?.allocatedBytes ?? 0
    } catch (err) {
      if (hasCode(err, 'ENOENT')) return 0
      throw diskError('look at', staged, err)
    }
  }

  stageLink(path: RelPath, staged: RelPath, { mtimeNs, owner }: Kept): EntryStat {
    return this.saying('copy', path, () => {
      const disk = this.disk
      const stat = this.source.look(path)
      if (stat?.kind !== 'symlink') throw changed(path)
      const target = this.source.link(path)
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
      this.disk.link(this.target.dirs.open(parentOf(existing)), nameOf(existing), into, nameOf(staged))
    })
  }

  /** For a move within one volume: the file itself, under a second name in staging. */
  stageItself(path: RelPath, staged: RelPath): EntryStat {
    return this.saying('move', path, () => {
      const from = this.source.dirs.open(parentOf(path))
      const into = this.stagingDirs.make(parentOf(staged))
      this.#clear(into, nameOf(staged))
      this.disk.link(from, nameOf(path), into, nameOf(staged))
      return this.disk.lstat(into, nameOf(staged))
    })
  }

  #opened(path: RelPath): { from: number; stat: EntryStat } {
    return this.source.saying('copy', path, () => {
      const from = this.disk.open(this.source.dirs.open(parentOf(path)), nameOf(path), 'read')
      try {
        const stat = this.disk.stat(from)
        if (stat.kind !== 'file') throw changed(path)
        return { from, stat }
      } catch (err) {
        this.disk.close(from)
        throw err
      }
    })
  }

  async #large(
    into: DirHandle,
    name: string,
    source: EntryStat,
    { strategy, between }: CopyFileInit,
    { everyBytes, found }: Checkpoints
  ): Promise<LargeCopy> {
    // The hash of a file with holes is not made on the way: see copyContent.
    const hashed = strategy === 'stream' && !hasHoles(this.disk, source)
    const pause = (): Promise<void> => between(0)
    const large = await openLargeCopy(
      this.disk,
      { into, name, source, everyBytes, hashed, pause },
      source.mode & MODE_BITS
    )
    if (large.startBytes > 0) found(large.startBytes)
    return large
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

  /** @param opened - made with another mode, to be opened again */
  #setAttributes(to: number, stat: EntryStat, { mtimeNs, owner, mode: told }: Kept, opened: boolean): void {
    // The set-id bits mean something only together with the owner, and a change of owner clears them.
    if (owner) this.disk.setOwner?.(to, stat.uid, stat.gid ?? -1)
    const mode = (told ?? stat.mode) & (owner ? ALL_MODE_BITS : MODE_BITS)
    const made = stat.mode & MODE_BITS & ~processUmask()
    if (owner || opened || mode !== made) this.disk.setMode(to, mode)
    this.disk.setMtime(to, mtimeNs ?? stat.mtimeNs)
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

export const changed = (path: RelPath): SpacedriveError =>
  new SpacedriveError('CHANGED', `could not copy ${displayPath(path)}: it was written to while it was copied`, {
    hint: 'Copy it again when it rests.'
  })
