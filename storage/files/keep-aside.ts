/** What a batch took away, on its way from the staging place into the version store: under the hash of what is in it. */
import { type ContentHash, nameOf, parentOf, type RelPath } from '../base/index.js'
import type { DirHandle, Disk } from './disk.js'
import { findStat } from './disk.js'
import type { EntryStat } from './fingerprint.js'
import { hashOfFile } from './hash-of-file.js'
import type { RootAccess } from './root.js'
import { ifThere } from './staging-place.js'
import type { StagingHandle } from './staging-writer.js'
import { HANDFUL } from './tree.js'
import { ASIDE, asideHash, openMade, partOf } from './version-area.js'

/** Something that a batch took from its name. */
export interface TakenAway {
  /** Below the tree of the staging place. */
  readonly path: RelPath
  /** The content that it was for the plan. */
  readonly hash: ContentHash
  /** What it was as long as it was that. Left out: it has to be read. */
  readonly stat?: Pick<EntryStat, 'sizeBytes' | 'mtimeNs' | 'ctimeNs'> | undefined
}

/** A program that held it open wrote to it, or it came between: it is not what it was taken for, and lies there still. */
export interface OtherContent extends Pick<EntryStat, 'sizeBytes' | 'mtimeNs' | 'mode'> {
  readonly path: RelPath
  readonly hash: ContentHash
  /** What it was taken for. */
  readonly instead: ContentHash
}

export interface KeepAside {
  /** Of whatever lies aside and is not among these it is not known what became of it: it is read. */
  readonly taken?: readonly TakenAway[] | undefined
  /** Others, by what is in them, now that a line speaks of them. */
  readonly others?: readonly Pick<OtherContent, 'path' | 'hash'>[] | undefined
  /**
   * After a crash: contents that may lie anywhere in the staging place, since a step that exchanges two names and then moves the
   * old content aside may have been cut in between.
   */
  readonly lost?: readonly ContentHash[] | undefined
}

export interface KeptAside {
  /** How many files came into the store. */
  readonly kept: number
  readonly others: readonly OtherContent[]
}

/** Moves everything that lies aside in a staging place into the store. A content that is there already is dropped. */
export function keepAside(
  access: RootAccess,
  place: StagingHandle,
  { taken = [], others = [], lost = [] }: KeepAside = {}
): KeptAside {
  const keeping = new Keeping(access, place)
  const known = new Map(taken.map(one => [one.path, one]))
  for (const { path, hash } of others) keeping.keepAt(path, hash)
  const aside = ifThere(() => access.disk.openDir(place.tree, ASIDE))
  if (aside !== undefined) {
    try {
      for (const name of access.disk.list(aside)) {
        const path = `${ASIDE}/${name}` as RelPath
        const hash = asideHash(path)
        if (hash !== undefined) keeping.look(aside, name, known.get(path) ?? { path, hash })
        known.delete(path)
      }
    } finally {
      access.disk.close(aside)
    }
  }
  // What could not be put aside lies where it was exchanged to.
  for (const one of known.values()) if (one.stat === undefined) keeping.lookAt(one)
  if (lost.length > 0) keeping.find(place.tree, new Set(lost))
  return keeping.end()
}

class Keeping {
  readonly #access: RootAccess
  readonly #disk: Disk
  readonly #place: StagingHandle
  readonly #touched = new Set<RelPath>()
  readonly #others: OtherContent[] = []
  #kept = 0

  constructor(access: RootAccess, place: StagingHandle) {
    this.#access = access
    this.#disk = access.disk
    this.#place = place
  }

  end(): KeptAside {
    if (this.#touched.size > 0) syncDirectories(this.#access, [...this.#touched])
    return { kept: this.#kept, others: this.#others }
  }

  keepAt(path: RelPath, hash: ContentHash): void {
    this.#in(path, dir => this.#keep(dir, nameOf(path), hash))
  }

  lookAt(one: TakenAway): void {
    this.#in(one.path, dir => this.look(dir, nameOf(one.path), one))
  }

  /** Under its name only if it is what it was taken for: a program that had it open may write to it wherever it lies. */
  look(dir: DirHandle, name: string, { path, hash: instead, stat }: TakenAway): void {
    const now = findStat(this.#disk, dir, name)
    // A link: its line says where it led.
    if (now?.kind !== 'file') return
    const isSame =
      stat !== undefined &&
      now.sizeBytes === stat.sizeBytes &&
      now.mtimeNs === stat.mtimeNs &&
      now.ctimeNs === stat.ctimeNs
    if (!isSame) this.#ensureReadable(dir, name, now)
    const { hash, sizeBytes } = isSame ? { ...now, hash: instead } : hashOfFile(this.#disk, dir, name)
    const { mtimeNs, mode } = now
    if (hash === instead) this.#keep(dir, name, hash)
    else this.#others.push({ path, hash, instead, sizeBytes, mtimeNs, mode: mode & 0o7777 })
  }

  find(dir: DirHandle, lost: ReadonlySet<ContentHash>): void {
    for (const name of this.#disk.list(dir)) {
      const { kind } = this.#disk.lstat(dir, name)
      if (kind === 'directory') {
        const below = this.#disk.openDir(dir, name)
        try {
          this.find(below, lost)
        } finally {
          this.#disk.close(below)
        }
      } else if (kind === 'file') {
        const { hash } = hashOfFile(this.#disk, dir, name)
        if (lost.has(hash)) this.#keep(dir, name, hash)
      }
    }
  }

  #in(path: RelPath, act: (dir: DirHandle) => void): void {
    const dir = ifThere(() => this.#disk.openDir(this.#place.tree, parentOf(path)))
    if (dir === undefined) return
    try {
      act(dir)
    } finally {
      this.#disk.close(dir)
    }
  }

  #keep(dir: DirHandle, name: string, hash: ContentHash): void {
    const disk = this.#disk
    const stat = findStat(disk, dir, name)
    if (stat === undefined) return
    this.#ensureReadable(dir, name, stat)
    const to = openMade(this.#access, partOf(hash))
    const there = findStat(disk, to, hash)
    if (there?.sizeBytes === stat.sizeBytes) {
      disk.unlink(dir, name)
      return
    }
    // One of another size is damaged: this one is not.
    disk.rename(dir, name, to, hash, 'replace')
    this.#kept++
    this.#touched.add(partOf(hash))
  }

  /** Its line has its mode; here it must be readable. */
  #ensureReadable(dir: DirHandle, name: string, { mode }: EntryStat): void {
    if ((mode & 0o400) === 0) this.#disk.setDirMode(dir, name, 0o600)
  }
}

function syncDirectories({ disk, dirs, root }: RootAccess, list: readonly RelPath[]): void {
  if (root.capabilities.syncWhole && list.length >= HANDFUL) disk.syncAll(root.dir)
  else for (const rel of list) disk.sync(dirs.open(rel))
}
