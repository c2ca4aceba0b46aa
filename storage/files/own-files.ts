/** The program's own small files: keys, configuration, pid files. Asynchronous, since the event loop calls them. */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, type FileHandle, lstat, mkdir, open, readdir, rename, rmdir, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { displayPath, errorCode, fsPath, hasCode, isUuid, SpacedriveError, toError } from '../base/index.js'
import { isTempName, TEMP_PREFIX } from './ours.js'

export interface WriteFileOptions {
  /** Permission bits, whatever the umask. 0600 unless told. */
  mode?: number
}

/**
 * Writes a file whole: a reader, and the disk after a power loss, sees the old content or the new one. Durable on return.
 * @throws {SpacedriveError} NOT_A_FILE when a symlink, directory or anything else but a file stands there
 */
export async function writeFileAtomic(
  path: string,
  bytes: Uint8Array | string,
  { mode = 0o600 }: WriteFileOptions = {}
): Promise<void> {
  const at = await lstat(fsPath(path)).catch(ignore('ENOENT'))
  if (at !== undefined && !at.isFile()) throw notAFile('write', path, at.isSymbolicLink())
  const temp = join(dirname(path), `${TEMP_PREFIX}${randomUUID()}`)
  try {
    const file = await open(fsPath(temp), 'wx', mode)
    try {
      await file.chmod(mode)
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    // A symlink that was put there since the look is replaced, never followed.
    await rename(fsPath(temp), fsPath(path))
    await syncDirectory(dirname(path))
  } catch (err) {
    await unlink(fsPath(temp)).catch(ignore())
    throw failed('write', path, err)
  }
}

/**
 * Reads a file of at most `maxBytes`; undefined when there is none.
 * @throws {SpacedriveError} TOO_LARGE, NOT_A_FILE (also for a symlink, unless `followSymlink`)
 */
export async function readFileBounded(
  path: string,
  maxBytes: number,
  { followSymlink = false } = {}
): Promise<Buffer | undefined> {
  // NONBLOCK: a FIFO put in its place must not stop us.
  const noFollow = followSymlink ? 0 : (constants.O_NOFOLLOW ?? 0)
  let file: FileHandle
  try {
    file = await open(fsPath(path), constants.O_RDONLY | noFollow | (constants.O_NONBLOCK ?? 0))
  } catch (err) {
    if (hasCode(err, 'ENOENT')) return undefined
    if (hasCode(err, 'ELOOP')) throw notAFile('read', path, true)
    throw failed('read', path, err)
  }
  try {
    if (!(await file.stat()).isFile()) throw notAFile('read', path, false)
    const into = Buffer.allocUnsafe(maxBytes + 1)
    let n = 0
    while (n < into.length) {
      const { bytesRead } = await file.read(into, n, into.length - n, n)
      if (bytesRead === 0) break
      n += bytesRead
    }
    if (n <= maxBytes) return Buffer.from(into.subarray(0, n))
    throw new SpacedriveError('TOO_LARGE', `could not read ${displayPath(path)}: it holds more than ${maxBytes} bytes`)
  } catch (err) {
    throw err instanceof SpacedriveError ? err : failed('read', path, err)
  } finally {
    await file.close()
  }
}

/** Removes one of our own files, links or sockets (never a directory). @returns false when there was none */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(fsPath(path))
    return true
  } catch (err) {
    if (hasCode(err, 'ENOENT')) return false
    throw failed('remove', path, err)
  }
}

/** Removes a directory of ours if nothing is in it. @returns false when it is not there or not empty */
export async function removeEmptyDir(path: string): Promise<boolean> {
  try {
    await rmdir(fsPath(path))
    return true
  } catch (err) {
    if (hasCode(err, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) return false
    throw failed('remove', path, err)
  }
}

/**
 * Makes sure that a directory is there, is ours and nobody else can look in (0700). Missing parents are made likewise.
 * @throws {SpacedriveError} NOT_PRIVATE when it is a symlink, no directory, or belongs to somebody else
 */
export async function ensurePrivateDir(path: string): Promise<void> {
  try {
    await mkdir(fsPath(path), { recursive: true, mode: 0o700 })
  } catch (err) {
    if (!hasCode(err, 'EEXIST')) throw failed('make', path, err)
  }
  const at = await lstat(fsPath(path))
  const shown = displayPath(path)
  if (!at.isDirectory()) {
    throw new SpacedriveError('NOT_PRIVATE', `could not use ${shown}: it is not a directory`, {
      hint: 'Remove it, or choose another place.'
    })
  }
  const user = process.getuid?.()
  if (user !== undefined && at.uid !== user) {
    throw new SpacedriveError('NOT_PRIVATE', `could not use ${shown}: it belongs to user ${at.uid}, not to ${user}`, {
      hint: 'Choose a directory of your own.'
    })
  }
  if ((at.mode & 0o777) !== 0o700) await chmod(fsPath(path), 0o700)
}

/**
 * Takes away what a crash of `writeFileAtomic` left in a directory of ours. Only while nobody else writes there: at the start,
 * behind the lock.
 */
export async function removeLeftovers(dir: string): Promise<void> {
  for (const entry of await readdir(fsPath(dir), { withFileTypes: true })) {
    const { name } = entry
    if (entry.isFile() && isTempName(name) && isUuid(name.slice(TEMP_PREFIX.length))) await removeFile(join(dir, name))
  }
}

async function syncDirectory(path: string): Promise<void> {
  const dir = await open(fsPath(path), constants.O_RDONLY)
  try {
    await dir.sync()
  } catch (err) {
    // Some file systems (FUSE, SMB) cannot sync a directory.
    if (!hasCode(err, 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EISDIR', 'EPERM')) throw err
  } finally {
    await dir.close()
  }
}

function ignore(...codes: string[]): (err: unknown) => undefined {
  return err => {
    if (codes.length > 0 && !hasCode(err, ...codes)) throw err
    return undefined
  }
}

function failed(what: string, path: string, cause: unknown): SpacedriveError {
  const full = hasCode(cause, 'ENOSPC', 'EDQUOT')
  const text = `could not ${what} ${displayPath(path)}: ${toError(cause).message}`
  return new SpacedriveError(
    full ? 'NO_SPACE' : errorCode(cause),
    text,
    full ? { cause, hint: 'Free some space and try again.' } : { cause }
  )
}

const notAFile = (what: string, path: string, link: boolean): SpacedriveError =>
  new SpacedriveError(
    'NOT_A_FILE',
    `could not ${what} ${displayPath(path)}: it is ${link ? 'a symlink' : 'not a regular file'}`,
    { hint: 'Remove it, or choose another place.' }
  )
