/** What stands at a name, as lstat tells it. `other`: a FIFO, socket or device, which we never carry, replace or delete. */
export type EntryKind = 'file' | 'directory' | 'symlink' | 'other'

export interface EntryStat {
  readonly kind: EntryKind
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  /** Birth time; 0 where the file system keeps none. */
  readonly birthNs: bigint
  readonly device: bigint
  readonly inode: bigint
  /** Which mount it lies on, where the kernel tells; else 0. Two mounts of one file system differ here alone. */
  readonly mount: bigint
  /** Permission bits with set-id and sticky: 07777. */
  readonly mode: number
  readonly links: number
  readonly uid: number
  readonly gid?: number
  /** Bytes it takes on the disk: fewer than its size where it has holes. */
  readonly allocatedBytes?: number
}

/**
 * What a plan saw at a path and expects to find there: `EntryStat` fits. Whoever planned from an index row leaves out
 * what it does not know; kind is always compared, size and mtime for files and links, inode, birth time and ctime where given.
 */
export interface Expected {
  readonly kind: EntryKind
  readonly sizeBytes?: number | undefined
  readonly mtimeNs?: bigint | undefined
  readonly ctimeNs?: bigint | undefined
  readonly inode?: bigint | undefined
  readonly birthNs?: bigint | undefined
}
