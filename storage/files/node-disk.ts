import fs, { constants } from 'node:fs'
import { release } from 'node:os'
import { fsPath, textFromBytes } from '../base/index.js'
import { beginWriting } from './begin-writing.js'
import type { DirHandle, Disk, QuickCopy } from './disk.js'
import type { EntryStat } from './fingerprint.js'
import { findNative, type Native, STATX_BYTES } from './native.js'
import { statFromNode, statFromStatx } from './node-stat.js'

export interface NodeDiskOptions {
  /** undefined: do without (and let the fall-backs show that they hold). Unless given, what the platform has. */
  native?: Native | undefined
  /** Whether `/proc/self/fd` leads beneath a descriptor (Linux). Unless given, tried. */
  proc?: boolean
}

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL } = constants
const O_DIRECTORY = constants.O_DIRECTORY ?? 0
const O_NOFOLLOW = constants.O_NOFOLLOW ?? 0
// Opening a FIFO that was put in place of a file must not wait for its writer.
const O_NONBLOCK = constants.O_NONBLOCK ?? 0
const O_CLOEXEC = process.platform === 'linux' ? 0x80000 : process.platform === 'darwin' ? 0x1000000 : 0
/** Only a place to go on from: asks for no right to read it. */
const O_PATH = process.platform === 'linux' ? 0x200000 : O_RDONLY
const DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
/** Instead of a descriptor: the working directory. An absolute path does not look at it. */
const AT_CWD = -100
/** What a kernel or a sandbox without a call answers. */
const MISSING = new Set(['ENOSYS', 'EPERM', 'EINVAL'])

/**
 * The real disk. A name beneath a directory is reached, the best way that there is:
 * 1. by calls relative to the descriptor (koffi), several names at once by openat2;
 * 2. by `/proc/self/fd/N/name`, which the kernel resolves from the open directory;
 * 3. by the directory's path, with a look before and after that it still is that directory.
 *    RACE: who swaps it twice in between goes unseen; only systems with neither 1 nor 2 get here.
 */
export function nodeDisk(options: NodeDiskOptions = {}): Disk {
  const native = 'native' in options ? options.native : findNative()
  const proc = options.proc ?? fs.existsSync('/proc/self/fd/0')
  const statBuffer = Buffer.alloc(STATX_BYTES)
  let hasOpenat2 = native?.openBeneath !== undefined
  const hasStatx = native?.statx !== undefined && works(() => native.statx!(AT_CWD, '/', statBuffer))

  const fdOf = (handle: DirHandle | number): number => (typeof handle === 'number' ? handle : handle.fd)
  const begin = beginWriting(native)

  /** Runs `fn` with a path that leads to `name` in the open directory. */
  function at<T>(dir: DirHandle, name: string, fn: (path: string | Buffer) => T): T {
    if (proc) return fn(fsPath(name === '' ? `/proc/self/fd/${dir.fd}/.` : `/proc/self/fd/${dir.fd}/${name}`))
    check(dir)
    const result = fn(fsPath(name === '' ? dir.path : `${dir.path}/${name}`))
    check(dir)
    return result
  }

  function check(dir: DirHandle): void {
    const open = fs.fstatSync(dir.fd, { bigint: true })
    const named = fs.lstatSync(fsPath(dir.path), { bigint: true, throwIfNoEntry: false })
    if (named?.ino === open.ino && named.dev === open.dev) return
    throw Object.assign(new Error(`ESTALE: ${dir.path} was moved or replaced`), { code: 'ESTALE' })
  }

  function statHandle(fd: number): EntryStat {
    if (hasStatx) {
      native!.statx!(fd, '', statBuffer)
      return statFromStatx(statBuffer)
    }
    return statFromNode(fs.fstatSync(fd, { bigint: true }))
  }

  function openName(dir: DirHandle, name: string, flags: number, mode: number): number {
    if (native !== undefined) return native.openat(dir.fd, name, flags | O_CLOEXEC, mode)
    return at(dir, name, path => fs.openSync(path, flags, mode))
  }

  function openDir(dir: DirHandle, rel: string): DirHandle {
    const path = rel === '' ? dir.path : dir.path === '/' ? `/${rel}` : `${dir.path}/${rel}`
    if (rel === '') return { fd: openName(dir, native === undefined ? '' : '.', O_RDONLY | O_DIRECTORY, 0), path }
    if (hasOpenat2) {
      try {
        return { fd: native!.openBeneath!(dir.fd, rel, DIR_FLAGS | O_CLOEXEC), path }
      } catch (err) {
        const code = (err as { code: string }).code
        // EAGAIN: something was renamed while it looked; one component at a time does not mind.
        if (MISSING.has(code)) hasOpenat2 = false
        else if (code !== 'EAGAIN') throw err
      }
    }
    let here = dir
    for (const name of rel.split('/')) {
      try {
        const next = { fd: openName(here, name, DIR_FLAGS, 0), path: `${here.path === '/' ? '' : here.path}/${name}` }
        if (here !== dir) fs.closeSync(here.fd)
        here = next
      } catch (err) {
        if (here !== dir) fs.closeSync(here.fd)
        throw err
      }
    }
    return here
  }

  return {
    syncAllReports: native?.syncfs !== undefined && kernelIsAtLeast(5, 8),
    openRoot: (path, how) => ({
      fd: fs.openSync(fsPath(path), (how === 'passing' ? O_PATH : O_RDONLY) | O_DIRECTORY),
      path
    }),
    openDir,
    open: (dir, name, how, mode = 0o600) =>
      how === 'create'
        ? openName(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
        : openName(dir, name, (how === 'read' ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_NONBLOCK, 0),
    close: handle => begin.close(fdOf(handle)),
    read: (fd, into, position) => fs.readSync(fd, into, 0, into.length, position),
    write(fd, bytes, position) {
      for (let n = 0; n < bytes.length; ) n += fs.writeSync(fd, bytes, n, bytes.length - n, position + n)
    },
    truncate: (fd, sizeBytes) => fs.ftruncateSync(fd, sizeBytes),
    startWriting: begin.start,
    begun: begin.begun,
    sync: handle => fs.fsyncSync(fdOf(handle)),
    syncAll(dir) {
      if (native?.syncfs === undefined) throw Object.assign(new Error('ENOSYS: no syncfs here'), { code: 'ENOSYS' })
      native.syncfs(dir.fd)
    },
    canWrite: dir => works(() => at(dir, '', path => fs.accessSync(path, constants.W_OK | constants.X_OK))),
    stat: handle => statHandle(fdOf(handle)),
    lstat(dir, name) {
      if (hasStatx) {
        native!.statx!(dir.fd, name, statBuffer)
        return statFromStatx(statBuffer)
      }
      return statFromNode(at(dir, name, path => fs.lstatSync(path, { bigint: true })))
    },
    ...(hasStatx && {
      findStat: (dir: DirHandle, name: string): EntryStat | undefined =>
        native!.findx!(dir.fd, name, statBuffer) ? statFromStatx(statBuffer) : undefined
    }),
    list: dir => (proc ? namesIn(`/proc/self/fd/${dir.fd}`) : at(dir, '', namesIn)),
    listDirectories(dir) {
      const found = at(dir, '', path => fs.readdirSync(path, { encoding: 'buffer', withFileTypes: true }))
      const told = (e: (typeof found)[number]): boolean =>
        e.isFile() ||
        e.isDirectory() ||
        e.isSymbolicLink() ||
        e.isFIFO() ||
        e.isSocket() ||
        e.isBlockDevice() ||
        e.isCharacterDevice()
      if (!found.every(told)) return undefined
      return found.filter(e => e.isDirectory()).map(e => textFromBytes(e.name as unknown as Buffer))
    },
    makeDir: (dir, name, mode) =>
      native !== undefined ? native.mkdirat(dir.fd, name, mode) : at(dir, name, path => fs.mkdirSync(path, { mode })),
    removeDir: (dir, name) =>
      native !== undefined ? native.unlinkat(dir.fd, name, true) : at(dir, name, path => fs.rmdirSync(path)),
    unlink: (dir, name) =>
      native !== undefined ? native.unlinkat(dir.fd, name, false) : at(dir, name, path => fs.unlinkSync(path)),
    rename(from, name, to, toName, how) {
      if (how !== 'replace') {
        const fn = how === 'exchange' ? native?.renameExchange : native?.renameNoReplace
        if (fn === undefined) throw Object.assign(new Error(`ENOSYS: no rename ${how} here`), { code: 'ENOSYS' })
        return fn(from.fd, name, to.fd, toName)
      }
      if (native !== undefined) return native.renameat(from.fd, name, to.fd, toName)
      at(from, name, a => at(to, toName, b => fs.renameSync(a, b)))
    },
    link: (from, name, to, toName) =>
      native !== undefined
        ? native.linkat(from.fd, name, to.fd, toName)
        : at(from, name, a => at(to, toName, b => fs.linkSync(a, b))),
    symlink: (target, dir, name) =>
      native !== undefined
        ? native.symlinkat(target, dir.fd, name)
        : at(dir, name, path => fs.symlinkSync(fsPath(target), path)),
    readlink: (dir, name) =>
      textFromBytes(
        native?.readlinkat(dir.fd, name) ?? at(dir, name, path => fs.readlinkSync(path, { encoding: 'buffer' }))
      ),
    setMtime(handle, mtimeNs) {
      if (native !== undefined) return native.futimens(fdOf(handle), mtimeNs)
      fs.futimesSync(fdOf(handle), Date.now() / 1000, nodeTime(mtimeNs))
    },
    setLinkMtime(dir, name, mtimeNs) {
      if (native !== undefined) return native.utimensat(dir.fd, name, mtimeNs)
      at(dir, name, path => fs.lutimesSync(path, Date.now() / 1000, nodeTime(mtimeNs)))
    },
    setMode: (handle, mode) => fs.fchmodSync(fdOf(handle), mode),
    setDirMode: (dir, name, mode) => at(dir, name, path => fs.chmodSync(path, mode)),
    setOwner: (handle, uid, gid) => fs.fchownSync(fdOf(handle), uid, gid),
    setLinkOwner: (dir, name, uid, gid) => at(dir, name, path => fs.lchownSync(path, uid, gid)),
    quick: quickCopy(native),
    space(dir) {
      const s = at(dir, '', path => fs.statfsSync(path))
      return { freeBytes: s.bavail * s.bsize, totalBytes: s.blocks * s.bsize, type: s.type }
    }
  }
}

function quickCopy(native: Native | undefined): QuickCopy | undefined {
  const { clone, copyFileRange, seek, dropCache, xattrs } = native ?? {}
  if (clone === undefined || copyFileRange === undefined || seek === undefined) return undefined
  return { clone, copyRange: copyFileRange, seek, dropCache: dropCache!, xattrs: xattrs! }
}

/** Exactly, also what is no UTF-8; as text first, since a Buffer a name takes three times as long. */
function namesIn(path: string | Buffer): string[] {
  const names = fs.readdirSync(path, 'utf8')
  // U+FFFD stands for bytes that are no UTF-8 (or for itself).
  if (!names.some(name => name.includes('\ufffd'))) return names
  return fs.readdirSync(path, { encoding: 'buffer' }).map(textFromBytes)
}

/** Whether a call is there: a sandbox may refuse what the kernel has. */
function works(fn: () => void): boolean {
  try {
    fn()
    return true
  } catch {
    return false
  }
}

function kernelIsAtLeast(major: number, minor: number): boolean {
  const [a = 0, b = 0] = release().split('.').map(Number)
  return process.platform === 'linux' && (a > major || (a === major && b >= minor))
}

/** Node takes a negative number for "now"; a Date it takes as it is. */
function nodeTime(mtimeNs: bigint): number | Date {
  return mtimeNs < 0n ? new Date(Number(mtimeNs / 1_000_000n)) : Number(mtimeNs) / 1e9
}
