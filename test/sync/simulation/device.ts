import type { RelPath } from '../../../storage/base/index.js'
import { type ArchiveEntry, raiseSettings, raiseVersion } from '../../../sync/reconcile/index.js'
import type { Disk, Item, World } from '../reconcile/model.js'
import type { Pair } from './pair.js'

/** What the database of a device knows of a sync that it drives. */
export interface Known {
  archive: Map<RelPath, ArchiveEntry>
  /** Something was agreed on since the sync was made or a person accepted that something was put back. */
  agreed: boolean
  /** The last batch that was done, and the last that was begun. */
  batch: number
  begun: number
}

export const nothingKnown = (): Known => ({ archive: new Map(), agreed: false, batch: 0, begun: 0 })

/** A copy of a disk, or of a database, as a person puts it away. */
interface DiskBackup {
  readonly disk: Disk
  readonly markers: ReadonlyMap<string, number>
}

interface DatabaseBackup {
  readonly index: Disk
  readonly known: ReadonlyMap<Pair, Known>
}

/** One device with one folder: the disk with its markers, and a database with the index and what it knows of its syncs. */
export class Device {
  /** `.spacedrive/root.json`: the number of the last batch of each sync. */
  readonly markers = new Map<string, number>()
  readonly known = new Map<Pair, Known>()
  busy = false
  #lives = 0
  #diskBackup: DiskBackup | undefined
  #databaseBackup: DatabaseBackup | undefined

  constructor(
    readonly world: World,
    readonly name: string,
    readonly disk: Disk
  ) {}

  backUp(): void {
    this.#diskBackup = { disk: this.disk.copy(), markers: new Map(this.markers) }
    const known = new Map([...this.known].map(([pair, k]) => [pair, { ...k, archive: new Map(k.archive) }]))
    this.#databaseBackup = { index: this.disk.copy(), known }
  }

  /** Yesterday's files are back, markers and versions among them; the index takes what is otherwise for edits by hand. */
  restoreDisk(): boolean {
    const backup = this.#diskBackup
    if (backup === undefined) return false
    this.#rescan(backup.disk, this.disk.copy())
    this.markers.clear()
    for (const [sync, n] of backup.markers) this.markers.set(sync, n)
    return true
  }

  /** Yesterday's database is back: another life of the index, which takes what it did not know for edits by hand. */
  restoreDatabase(): boolean {
    const backup = this.#databaseBackup
    if (backup === undefined) return false
    this.#nextLife()
    this.#rescan(this.disk.copy(), backup.index)
    for (const [pair, then] of backup.known) this.known.set(pair, { ...then, archive: new Map(then.archive) })
    return true
  }

  /** The index is made anew and remembers nothing; the syncs that this device drives are added again. */
  loseDatabase(): void {
    this.#nextLife()
    for (const item of this.disk.items.values())
      item.version = raiseVersion(undefined, this.disk.replica, this.world.next())
    this.disk.tombs.clear()
    for (const pair of this.known.keys()) {
      this.known.set(pair, nothingKnown())
      pair.addAgain()
    }
    this.#databaseBackup = undefined
  }

  /** A replica is a folder in one life of its index. */
  #nextLife(): void {
    this.disk.replica = `${this.name}${++this.#lives}`
  }

  /** The disk holds `now`; the index knew `before`. */
  #rescan(now: Disk, before: Disk): void {
    const { disk, world } = this
    const raise = (item: Item | undefined, at: RelPath) =>
      raiseVersion(item?.version ?? before.tombs.get(at), disk.replica, world.next())
    disk.items.clear()
    disk.tombs.clear()
    for (const [at, version] of before.tombs) disk.tombs.set(at, version)
    for (const [at, item] of now.items) {
      const known = before.items.get(at)
      const same = known?.kind === item.kind && known.content === item.content
      const version = same ? known.version : raise(known, at)
      const isSet = same && (known.mode !== item.mode || (item.kind !== 'directory' && known.mtimeNs !== item.mtimeNs))
      disk.items.set(at, { ...item, version: isSet ? raiseSettings(version, disk.replica, world.next()) : version })
      disk.tombs.delete(at)
    }
    for (const [at, item] of before.items) if (!now.items.has(at)) disk.tombs.set(at, raise(item, at))
    for (const content of now.versions) disk.versions.add(content)
  }
}
