/** What the file system under a root can do, found by trying it there once (SYNC.md 1, 2, 5). */
export interface Capabilities {
  /** `ext4`, `tmpfs`, `btrfs`, `nfs`, `fuse` ... or the magic number. */
  readonly fileSystem: string
  /** Two names change places in one step. */
  readonly exchange: boolean
  /** Rename that fails where anything stands. */
  readonly noReplace: boolean
  readonly hardLinks: boolean
  readonly symlinks: boolean
  /** The execute bit can be set and taken. */
  readonly modes: boolean
  readonly foldsCase: boolean
  readonly foldsUnicode: boolean
  /** Any bytes make a name; else only valid UTF-8. */
  readonly anyBytes: boolean
  /** What a time set through our own call comes back rounded to; 1 where exact. */
  readonly timeStepNs: bigint
  /** A rename keeps inode and birth time, and both are told: moves can be proven. */
  readonly keepsIdentity: boolean
  /** A rename leaves ctime alone, so ctime can be compared across one. */
  readonly renameKeepsCtime: boolean
  /** One `syncfs` makes a whole batch durable and reports its errors; else every file is fsynced. */
  readonly syncWhole: boolean
}
