/**
 * The home of koffi: system calls that Node lacks. Each is there or `undefined` (unknown platform, no prebuilt koffi); a
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
  futimens(fd: number, mtimeNs: bigint): void
  utimensat(dir: number, name: string, mtimeNs: bigint): void
  /** Fills a buffer of STATX_BYTES; an empty name is the descriptor itself (Linux). */
  statx?: (dir: number, name: string, into: Buffer) => void
  syncfs?: (fd: number) => void
}

export const STATX_BYTES = 256
const RESOLVE_BENEATH_NO_LINKS = 0x08 | 0x04 | 0x02 // BENEATH, NO_SYMLINKS, NO_MAGICLINKS
const STATX_MASK = 0x1fff // everything basic, birth time, mount id
const STATX_FLAGS = 0x100 | 0x800 // no link at the end is followed, nothing is mounted for it
const EMPTY_PATH = 0x1000
const EINTR = 4

/** System call numbers; the same in every release of Linux. */
const SYSCALLS = {
  x64: { renameat2: 316n, syncfs: 306n, statx: 332n, openat2: 437n },
  arm64: { renameat2: 276n, syncfs: 267n, statx: 291n, openat2: 437n }
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
    native.statx = (dir, name, into) => {
      const flags = name === '' ? STATX_FLAGS | EMPTY_PATH : STATX_FLAGS
      call('lstat', name, statx, numbers.statx, dir, z(name), flags, STATX_MASK, into)
    }
    native.syncfs = fd => void call('syncfs', '', one, numbers.syncfs, fd)
  }
  return native
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
function z(name: string): Buffer {
  const bytes = pathBytes(`${name}\0`)
  if (bytes.indexOf(0) !== bytes.length - 1) throw systemError(EINVAL, 'use', 'a name with a NUL byte')
  return bytes
}

const EINVAL = 22

function systemError(errno: number, syscall: string, name: string): NodeJS.ErrnoException {
  const [code, text] = getSystemErrorMap().get(-errno) ?? [`ERRNO_${errno}`, `system error ${errno}`]
  return Object.assign(new Error(`${code}: ${text}, ${syscall}${name === '' ? '' : ` '${name}'`}`), {
    code,
    errno: -errno,
    syscall
  })
}
