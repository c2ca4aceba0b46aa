/**
 * The home of koffi (others are in memory.worker.ts, storage/ciphers/openssl.ts and node/cli/local/replace-process.ts): system calls that Node lacks. Each is there or `undefined` (unknown platform, no prebuilt koffi); a
 * kernel or a sandbox without one answers ENOSYS or EPERM. Who calls has a fall-back for each.
 *
 * Paths are bytes with a closing NUL. Calls are made in worker threads and block them.
 */
import { createRequire } from 'node:module'
import { getSystemErrorMap } from 'node:util'
import { pathBytes } from '../base/index.js'

export interface Native {
  openat(dir: number, name: string, flags: number, mode: number): number
  /** Opens beneath `dir` without following any symlink (Linux 5.6). */
  openBeneath?: (dir: number, rel: string, flags: number) => number
  mkdirat(dir: number, name: string, mode: number): void
  unlinkat(dir: number, name: string, directory: boolean): void
  renameat(from: number, name: string, to: number, toName: string): void
  renameNoReplace?: (from: number, name: string, to: number, toName: string) => void
  renameExchange?: (from: number, name: string, to: number, toName: string) => void
  linkat(from: number, name: string, to: number, toName: string): void
  symlinkat(target: string, dir: number, name: string): void
  /** The bytes are those of a buffer that the next call uses again. */
  readlinkat(dir: number, name: string): Uint8Array
  futimens(fd: number, mtimeNs: bigint): void
  utimensat(dir: number, name: string, mtimeNs: bigint): void
  /** Fills a buffer of STATX_BYTES; an empty name is the descriptor itself (Linux). */
  statx?: (dir: number, name: string, into: Buffer) => void
  /** The same; false where nothing is there, without the cost of an error. */
  findx?: (dir: number, name: string, into: Buffer) => boolean
  syncfs?: (fd: number) => void
  /** Fills a buffer with a struct statfs (Linux). */
  statfs?: (path: string, into: Buffer) => void
  /** Copies bytes within the kernel; @returns how many, 0 at the end (Linux). */
  copyFileRange?: (from: number, to: number, position: number, length: number) => number
  /** The content of one file becomes that of another, sharing its blocks (Linux). */
  clone?: (from: number, to: number) => void
  /** Where data, or a hole, begins at or after a position; -1 at the end (Linux). */
  seek?: (fd: number, position: number, what: 'data' | 'hole') => number
  /**
   * Has a part of a file written to the disk, in a thread of libuv's: it takes as long as the disk has no room for more requests (Linux).
   * @param done - the disk has been asked for all of it, or it failed; not called in a thread that ends
   */
  startWriting?: (fd: number, position: number, lengthBytes: number, done: () => void) => void
  /** Lets go of what memory holds of a file, so that the next read comes from the disk (Linux). */
  dropCache?: (fd: number) => void
  /** Extended attributes of what is open (Linux). */
  xattrs?: {
    list(fd: number): string[]
    get(fd: number, name: string): Buffer
    set(fd: number, name: string, value: Uint8Array): void
  }
}

export const STATX_BYTES = 256
const RESOLVE_BENEATH_NO_LINKS = 0x08 | 0x04 | 0x02 // BENEATH, NO_SYMLINKS, NO_MAGICLINKS
const STATX_MASK = 0x1fff // everything basic, birth time, mount id
const STATX_FLAGS = 0x100 | 0x800 // no link at the end is followed, nothing is mounted for it
const EMPTY_PATH = 0x1000
const EINTR = 4
const ENOENT = 2

/** System call numbers; the same in every release of Linux. */
const SYSCALLS = {
  x64: {
    ...{ renameat2: 316n, syncfs: 306n, statx: 332n, openat2: 437n, copy_file_range: 326n, ioctl: 16n, lseek: 8n },
    ...{ fadvise: 221n, sync_file_range: 277n, flistxattr: 196n, fgetxattr: 193n, fsetxattr: 190n, statfs: 137n }
  },
  arm64: {
    ...{ renameat2: 276n, syncfs: 267n, statx: 291n, openat2: 437n, copy_file_range: 285n, ioctl: 29n, lseek: 62n },
    ...{ fadvise: 223n, sync_file_range: 84n, flistxattr: 13n, fgetxattr: 10n, fsetxattr: 7n, statfs: 43n }
  }
} as const

let loaded: { native: Native | undefined } | undefined

/** Loads koffi on the first call in a thread. */
export function findNative(): Native | undefined {
  loaded ??= { native: loadNative() }
  return loaded.native
}

function loadNative(): Native | undefined {
  if (process.platform !== 'linux' && process.platform !== 'darwin') return undefined
  try {
    return bind(createRequire(import.meta.url)('koffi') as typeof import('koffi'))
  } catch {
    return undefined // no prebuilt library for this platform
  }
}

function bind(koffi: typeof import('koffi')): Native {
  const mac = process.platform === 'darwin'
  const lib = koffi.load(null)
  const numbers = mac ? undefined : SYSCALLS[process.arch as 'x64' | 'arm64']
  const atSymlinkNoFollow = mac ? 0x20 : 0x100
  const atRemoveDir = mac ? 0x80 : 0x200

  /** Calls until it was not a signal that ended it; a failure becomes an error like those of node:fs. */
  const call = (what: string, name: string, fn: (...args: never[]) => unknown, ...args: unknown[]): number => {
    for (;;) {
      const result = Number(fn(...(args as never[])))
      if (result >= 0) return result
      const errno = koffi.errno()
      if (errno !== EINTR) throw systemError(errno, what, name)
    }
  }

  // On macOS for arm64 variable arguments travel otherwise than fixed ones; on Linux they do not.
  const openat = mac ? lib.func('int openat(int, void *, int, ...)') : lib.func('int openat(int, void *, int, int)')
  const mkdirat = lib.func('int mkdirat(int, void *, uint32_t)')
  const unlinkat = lib.func('int unlinkat(int, void *, int)')
  const renameat = lib.func('int renameat(int, void *, int, void *)')
  const linkat = lib.func('int linkat(int, void *, int, void *, int)')
  const symlinkat = lib.func('int symlinkat(void *, int, void *)')
  const readlinkat = lib.func('int64_t readlinkat(int, void *, void *, uint64_t)')
  const link = Buffer.alloc(MAX_LINK_BYTES)
  const futimens = lib.func('int futimens(int, void *)')
  const utimensat = lib.func('int utimensat(int, void *, void *, int)')

  const native: Native = {
    openat: (dir, name, flags, mode) =>
      mac
        ? call('open', name, openat, dir, z(name), flags, 'int', mode)
        : call('open', name, openat, dir, z(name), flags, mode),
    mkdirat: (dir, name, mode) => void call('mkdir', name, mkdirat, dir, z(name), mode),
    unlinkat: (dir, name, directory) =>
      void call(directory ? 'rmdir' : 'unlink', name, unlinkat, dir, z(name), directory ? atRemoveDir : 0),
    renameat: (from, name, to, toName) => void call('rename', name, renameat, from, z(name), to, z(toName)),
    linkat: (from, name, to, toName) => void call('link', name, linkat, from, z(name), to, z(toName), 0),
    symlinkat: (target, dir, name) => void call('symlink', name, symlinkat, z(target), dir, z(name)),
    readlinkat: (dir, name) => link.subarray(0, call('readlink', name, readlinkat, dir, z(name), link, link.length)),
    futimens: (fd, mtimeNs) => void call('futimens', '', futimens, fd, times(mtimeNs, mac)),
    utimensat: (dir, name, mtimeNs) =>
      void call('utimensat', name, utimensat, dir, z(name), times(mtimeNs, mac), atSymlinkNoFollow)
  }

  if (mac) {
    const renameatx = lib.func('int renameatx_np(int, void *, int, void *, unsigned int)')
    const SWAP = 2
    const EXCL = 4
    native.renameExchange = (from, name, to, toName) =>
      void call('rename', name, renameatx, from, z(name), to, z(toName), SWAP)
    native.renameNoReplace = (from, name, to, toName) =>
      void call('rename', name, renameatx, from, z(name), to, z(toName), EXCL)
  }
  if (numbers !== undefined) {
    // As six words: that is how the kernel takes them on both processors.
    const four = lib.func('int64_t syscall(int64_t, int64_t, void *, void *, int64_t)')
    const five = lib.func('int64_t syscall(int64_t, int64_t, void *, int64_t, void *, int64_t)')
    const statx = lib.func('int64_t syscall(int64_t, int64_t, void *, int64_t, int64_t, void *)')
    const one = lib.func('int64_t syscall(int64_t, int64_t)')
    const NOREPLACE = 1
    const EXCHANGE = 2
    native.renameNoReplace = (from, name, to, toName) =>
      void call('rename', name, five, numbers.renameat2, from, z(name), to, z(toName), NOREPLACE)
    native.renameExchange = (from, name, to, toName) =>
      void call('rename', name, five, numbers.renameat2, from, z(name), to, z(toName), EXCHANGE)
    native.openBeneath = (dir, rel, flags) =>
      call('open', rel, four, numbers.openat2, dir, z(rel), openHow(flags), OPEN_HOW_BYTES)
    const look = (dir: number, name: string, into: Buffer): number => {
      const flags = name === '' ? STATX_FLAGS | EMPTY_PATH : STATX_FLAGS
      return Number(statx(numbers.statx, dir, z(name), flags, STATX_MASK, into))
    }
    native.statx = (dir, name, into) => void call('lstat', name, look as never, dir, name, into)
    native.findx = (dir, name, into) => {
      if (look(dir, name, into) >= 0) return true
      if (koffi.errno() === ENOENT) return false
      native.statx!(dir, name, into)
      return true
    }
    const place = lib.func('int64_t syscall(int64_t, void *, void *)')
    native.statfs = (path, into) => void call('statfs', path, place, numbers.statfs, z(path), into)
    native.syncfs = fd => void call('syncfs', '', one, numbers.syncfs, fd)

    const words = lib.func('int64_t syscall(int64_t, int64_t, int64_t, int64_t, int64_t)')
    const range = lib.func('int64_t syscall(int64_t, int64_t, void *, int64_t, void *, int64_t, int64_t)')
    const FICLONE = 0x40049409
    native.clone = (from, to) => void call('clone', '', words, numbers.ioctl, to, FICLONE, from, 0)
    native.copyFileRange = (from, to, position, length) =>
      call('copy', '', range, numbers.copy_file_range, from, offset(position), to, offset(position), length, 0)
    native.seek = (fd, position, what) => {
      try {
        return call('seek', '', words, numbers.lseek, fd, position, what === 'data' ? SEEK_DATA : SEEK_HOLE, 0)
      } catch (err) {
        if ((err as { code: string }).code === 'ENXIO') return -1
        throw err
      }
    }
    native.startWriting = (fd, position, lengthBytes, done) =>
      words.async(numbers.sync_file_range, fd, position, lengthBytes, SYNC_FILE_RANGE_WRITE, done)
    native.dropCache = fd => void call('fadvise', '', words, numbers.fadvise, fd, 0, 0, DONTNEED)
    native.xattrs = xattrs(lib, numbers, call)
  }
  return native
}

/** PATH_MAX: no link is longer. */
const MAX_LINK_BYTES = 4096
const SEEK_DATA = 3
const SEEK_HOLE = 4
const DONTNEED = 4
const SYNC_FILE_RANGE_WRITE = 2

function offset(position: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(position))
  return bytes
}

/** What Linux allows for one value and for all names of a file. */
const MAX_XATTR_BYTES = 65_536

function xattrs(
  lib: ReturnType<typeof import('koffi')['load']>,
  numbers: (typeof SYSCALLS)['x64'] | (typeof SYSCALLS)['arm64'],
  call: (what: string, name: string, fn: (...args: never[]) => unknown, ...args: unknown[]) => number
): NonNullable<Native['xattrs']> {
  const list = lib.func('int64_t syscall(int64_t, int64_t, void *, int64_t)')
  const value = lib.func('int64_t syscall(int64_t, int64_t, void *, void *, int64_t, int64_t)')
  const into = Buffer.alloc(MAX_XATTR_BYTES)
  return {
    list(fd) {
      const length = call('listxattr', '', list, numbers.flistxattr, fd, into, into.length)
      return into.toString('latin1', 0, length).split('\0').filter(Boolean)
    },
    get(fd, name) {
      const key = Buffer.from(`${name}\0`, 'latin1')
      const length = call('getxattr', name, value, numbers.fgetxattr, fd, key, into, into.length, 0)
      return Buffer.from(into.subarray(0, length))
    },
    set(fd, name, bytes) {
      const key = Buffer.from(`${name}\0`, 'latin1')
      // A pointer to nothing would be refused by koffi where the value is empty.
      const data = bytes.length === 0 ? Buffer.alloc(1) : bytes
      call('setxattr', name, value, numbers.fsetxattr, fd, key, data, bytes.length, 0)
    }
  }
}

const OPEN_HOW_BYTES = 24

function openHow(flags: number): Buffer {
  const how = Buffer.alloc(OPEN_HOW_BYTES)
  how.writeBigUInt64LE(BigInt(flags), 0)
  how.writeBigUInt64LE(BigInt(RESOLVE_BENEATH_NO_LINKS), 16)
  return how
}

/** Two timespecs: the access time stays as it is, then mtime. */
function times(mtimeNs: bigint, mac: boolean): Buffer {
  const omit = mac ? -2n : 0x3ffffffen
  const NS = 1_000_000_000n
  const rest = ((mtimeNs % NS) + NS) % NS // before 1970 the part below a second still counts upwards
  const both = Buffer.alloc(32)
  both.writeBigInt64LE(omit, 8)
  both.writeBigInt64LE((mtimeNs - rest) / NS, 16)
  both.writeBigInt64LE(rest, 24)
  return both
}

/** Path bytes with the closing NUL. A NUL within would silently cut the name: it is refused. */
/** The last two names that were handed to a call: a rename has two, and a call has done with them when it returns. */
const SHORT_NAME = 512
const shortNames = [Buffer.alloc(SHORT_NAME + 1), Buffer.alloc(SHORT_NAME + 1)]
let turn = 0

/** With the zero at its end that the C library wants. Good until two others were made. */
function z(name: string): Buffer {
  const { length } = name
  if (length > SHORT_NAME) return zOfBytes(name)
  turn = 1 - turn
  const into = shortNames[turn]!
  for (let i = 0; i < length; i++) {
    const c = name.charCodeAt(i)
    if (c === 0 || c > 0x7f) return zOfBytes(name)
    into[i] = c
  }
  into[length] = 0
  return into
}

function zOfBytes(name: string): Buffer {
  const bytes = pathBytes(`${name}\0`)
  if (bytes.indexOf(0) !== bytes.length - 1) throw systemError(EINVAL, 'use', 'a name with a NUL byte')
  return bytes
}

const EINVAL = 22
let errors: ReturnType<typeof getSystemErrorMap> | undefined

function systemError(errno: number, syscall: string, name: string): NodeJS.ErrnoException {
  errors ??= getSystemErrorMap()
  const [code, text] = errors.get(-errno) ?? [`ERRNO_${errno}`, `system error ${errno}`]
  return Object.assign(new Error(`${code}: ${text}, ${syscall}${name === '' ? '' : ` '${name}'`}`), {
    code,
    errno: -errno,
    syscall
  })
}
