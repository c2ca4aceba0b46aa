import { constants } from 'node:os'
import { displayPath, errorCode, isAbort, type Problem, SpacedriveError, toError } from '../base/index.js'

/** What the system's codes mean here, and what a person can do. Codes that are not listed go through as they are. */
const MEANINGS: Readonly<Record<string, readonly [code: string, why: string, hint?: string]>> = {
  ENOSPC: ['NO_SPACE', 'the disk is full', 'Free some space and try again; nothing was lost.'],
  EDQUOT: ['NO_SPACE', 'the quota is used up', 'Free some space and try again; nothing was lost.'],
  EROFS: ['READ_ONLY', 'the file system is read-only', 'Mount it writable, or choose another place.'],
  EIO: ['DISK_ERROR', 'the disk reported an error', 'Check the disk; what was being written is written again.'],
  EUCLEAN: ['DISK_ERROR', 'the file system is damaged', 'Check the disk.'],
  EBADMSG: ['DISK_ERROR', 'the file system is damaged', 'Check the disk.'],
  ENXIO: ['DISK_ERROR', 'the disk is gone', 'Connect it again.'],
  ENODEV: ['DISK_ERROR', 'the disk is gone', 'Connect it again.'],
  ENOMEDIUM: ['DISK_ERROR', 'the disk is gone', 'Connect it again.'],
  EMFILE: ['TOO_MANY_OPEN_FILES', 'too many files are open', 'Raise the limit of open files (ulimit -n).'],
  ENFILE: ['TOO_MANY_OPEN_FILES', 'the system has too many open files'],
  ENOMEM: ['OUT_OF_MEMORY', 'the system is out of memory'],
  ENAMETOOLONG: ['NAME_TOO_LONG', 'the name is too long for this file system'],
  EILSEQ: ['NAME_REFUSED', 'this file system cannot hold such a name'],
  EINVAL: ['NAME_REFUSED', 'this file system cannot hold it'],
  EFBIG: ['FILE_TOO_LARGE', 'the file is too large for this file system'],
  EEXIST: ['EXISTS', 'something stands there already'],
  ENOENT: ['MISSING', 'it is not there'],
  ENOTEMPTY: ['NOT_EMPTY', 'the directory is not empty'],
  ELOOP: ['LINK_IN_PATH', 'a symlink stands in the way'],
  ENOTDIR: ['LINK_IN_PATH', 'a symlink or a file stands where a directory should be'],
  EXDEV: ['OTHER_FILE_SYSTEM', 'it lies on another file system'],
  EACCES: ['NO_PERMISSION', 'permission denied', 'Check who owns it and its permissions.'],
  EPERM: ['NO_PERMISSION', 'operation not permitted', 'Check who owns it and its permissions.'],
  ESTALE: ['ROOT_MOVED', 'the folder was moved or replaced meanwhile']
}

/** What Node.js has no names for, by number. */
const { EDQUOT, ESTALE, EBADMSG } = constants.errno
const UNNAMED: ReadonlyMap<number | undefined, string> = new Map([
  [EDQUOT, 'EDQUOT'],
  [ESTALE, 'ESTALE'],
  [EBADMSG, 'EBADMSG'],
  ...(process.platform === 'linux'
    ? ([
        [117, 'EUCLEAN'],
        [123, 'ENOMEDIUM']
      ] as const)
    : [])
])

function systemCode(cause: unknown): string {
  const { errno } = cause as { errno?: unknown }
  return (typeof errno === 'number' ? UNNAMED.get(Math.abs(errno)) : undefined) ?? errorCode(cause)
}

/** What makes going on with the next path pointless. */
const FATAL = new Set([
  'NO_SPACE',
  'READ_ONLY',
  'DISK_ERROR',
  'TOO_MANY_OPEN_FILES',
  'OUT_OF_MEMORY',
  'ROOT_MOVED',
  'STAGING_GONE'
])

/**
 * An error of the disk in our words: `could not ACTION PATH: why`. One that is ours already, or an abort, stays as it is.
 * @param path - as it is inside the program; shown escaped
 */
export function diskError(action: string, path: string, cause: unknown): Error {
  if (cause instanceof SpacedriveError || isAbort(cause)) return cause as Error
  const system = systemCode(cause)
  const [code, why, hint] = MEANINGS[system] ?? [system, toError(cause).message]
  return new SpacedriveError(code, `could not ${action} ${displayPath(path)}: ${why}`, { cause, ...(hint && { hint }) })
}

/**
 * What is staged has names that mean nothing to a person: what concerns the disk names the folder that it comes into.
 * @param into - that folder
 */
export function stagedError(action: string, path: string, cause: unknown, into: string): Error {
  const err = diskError(action, path, cause)
  return err === cause || !isFatal(err) ? err : diskError(`${action} what comes into`, into, cause)
}

/** A damaged place of a disk: what lies elsewhere on it may well be read. */
const UNREADABLE = new Set(['EIO', 'EUCLEAN', 'EBADMSG'])

/** The same where something is only read: a damaged place is the problem of what lies there, READ_ERROR, and ends nothing. */
export function readError(action: string, path: string, cause: unknown): Error {
  if (!UNREADABLE.has(systemCode(cause))) return diskError(action, path, cause)
  return new SpacedriveError('READ_ERROR', `could not ${action} ${displayPath(path)}: the disk could not read it`, {
    cause,
    hint: 'The disk it lies on may be failing: copy what else is on it soon.'
  })
}

/** True for what concerns the disk or the folder, not one path: it ends the call instead of becoming a problem. */
export function isFatal(err: unknown): boolean {
  return FATAL.has(errorCode(err)) || isAbort(err)
}

export function problemOf(path: string, err: unknown): Problem {
  return { path: displayPath(path), code: errorCode(err), message: toError(err).message }
}
