import type { AbsPath, Brand, RelPath } from '../base/index.js'

/** Names a file system wherever it is mounted: `uuid:...`, `fsid:...`, `net:...`, or `weak:...` where the system keeps nothing better. */
export type VolumeId = Brand<string, 'VolumeId'>

export type DiskKind = 'ssd' | 'hdd' | 'network' | 'virtual' | 'unknown'

/** One mounted file system. */
export interface Volume {
  readonly id: VolumeId
  /** Label, or the last part of where it is mounted. */
  readonly name: string
  /** The first place it is mounted at; all of them in `mountPoints`. */
  readonly mountPoint: AbsPath
  readonly mountPoints: readonly AbsPath[]
  readonly mounts: readonly Mount[]
  /** `ext4`, `btrfs`, `apfs`, `nfs4`, ... as the system calls it. */
  readonly fileSystem: string
  /** What is mounted: `/dev/sda1`, `server:/export`. */
  readonly source: string
  readonly diskKind: DiskKind
  readonly removable: boolean
  readonly network: boolean
  readonly readOnly: boolean
  /** Copies of whole files cost nothing there (reflinks). */
  readonly copyOnWrite: boolean
  /** Holds the system itself. */
  readonly system: boolean
  /** False: `id` is a guess from size and source; another disk of the same make could bear it. */
  readonly identified: boolean
  readonly totalBytes: number
  /** What an ordinary user may still write. */
  readonly availableBytes: number
}

/** What a person wants remembered about a volume; also known while it is away. */
export interface TrackedVolume {
  readonly id: VolumeId
  readonly name: string
  readonly lastMountPoint: AbsPath
  readonly totalBytes: number
  readonly trackedAtMs: number
  readonly lastSeenAtMs: number
  readonly speed?: VolumeSpeed
}

export interface VolumeSpeed {
  readonly writeBytesPerSecond: number
  readonly readBytesPerSecond: number
  /** The read may have come from memory: the system offers no way around its cache there. */
  readonly readCached: boolean
  readonly measuredAtMs: number
}

/** A mount as the system lists it, before anything is asked about its disk. */
export interface Mount {
  /** The kernel's number for it; null where the system gives none. */
  readonly id: number | null
  readonly mountPoint: AbsPath
  /** Path within the file system that is mounted there: `/` unless it is a bind mount or a subvolume. */
  readonly root: string
  readonly fileSystem: string
  readonly source: string
  /** `major:minor`; the same for all mounts of one file system. Empty where the system does not tell. */
  readonly device: string
  readonly readOnly: boolean
}

/** Where a path lies. */
export interface Placement {
  readonly volume: Volume
  /** The path within the volume: the same wherever the volume is mounted. */
  readonly within: RelPath
}
