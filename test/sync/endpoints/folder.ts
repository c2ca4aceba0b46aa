import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { type AbsPath, fsPath, hasCode, textFromBytes } from '../../../storage/base/index.js'
import type { EntryKind } from '../../../storage/files/index.js'

/** The folder behind an endpoint, as the suite changes it and looks at it: past the endpoint. Paths as in RelPath. */
export interface TreeBehind {
  write(path: string, content: string | Uint8Array, options?: { mode?: number; mtimeNs?: bigint }): void
  append(path: string, content: string): void
  /** A file that is all hole but for these. */
  sparse(path: string, sizeBytes: number, data: ReadonlyMap<number, Uint8Array>): void
  mkdir(path: string): void
  symlink(path: string, target: string): void
  fifo(path: string): void
  link(path: string, to: string): void
  rename(path: string, to: string): void
  remove(path: string): void
  read(path: string): string
  /** Of what is there, not followed. */
  kind(path: string): EntryKind | undefined
  mode(path: string): number
  chmod(path: string, mode: number): void
  /** Names in a directory but those that are ours. */
  names(path?: string): string[]
  /** Moves the whole folder elsewhere and puts an empty one in its place. */
  swapRoot(): void
}

export function folder(root: AbsPath): TreeBehind {
  const at = (path: string): string | Buffer => fsPath(path === '' ? root : `${root}/${path}`)
  const parent = (path: string): void => {
    const slash = path.lastIndexOf('/')
    if (slash > 0) fs.mkdirSync(at(path.slice(0, slash)), { recursive: true })
  }
  const lookAt = (path: string): fs.Stats | undefined => {
    try {
      return fs.lstatSync(at(path), { throwIfNoEntry: false })
    } catch (err) {
      if (hasCode(err, 'ENOTDIR')) return undefined // a file stands on the way
      throw err
    }
  }
  return {
    write(path, content, { mode, mtimeNs } = {}) {
      parent(path)
      fs.writeFileSync(at(path), content)
      if (mode !== undefined) fs.chmodSync(at(path), mode)
      if (mtimeNs !== undefined) fs.utimesSync(at(path), Number(mtimeNs) / 1e9, Number(mtimeNs) / 1e9)
    },
    append: (path, content) => fs.appendFileSync(at(path), content),
    sparse(path, sizeBytes, data) {
      const fd = fs.openSync(at(path), 'w')
      fs.ftruncateSync(fd, sizeBytes)
      for (const [position, bytes] of data) fs.writeSync(fd, bytes, 0, bytes.length, position)
      fs.closeSync(fd)
    },
    mkdir: path => void fs.mkdirSync(at(path), { recursive: true }),
    symlink(path, target) {
      parent(path)
      fs.symlinkSync(fsPath(target), at(path))
    },
    fifo(path) {
      parent(path)
      execFileSync('mkfifo', [at(path) as string])
    },
    link: (path, to) => fs.linkSync(at(path), at(to)),
    rename: (path, to) => fs.renameSync(at(path), at(to)),
    remove: path => fs.rmSync(at(path), { recursive: true }),
    read: path => fs.readFileSync(at(path), 'utf8'),
    kind(path) {
      const stat = lookAt(path)
      if (stat === undefined) return undefined
      if (stat.isFile()) return 'file'
      return stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'other'
    },
    chmod: (path, mode) => fs.chmodSync(at(path), mode),
    mode: path => fs.lstatSync(at(path)).mode & 0o7777,
    names: (path = '') =>
      fs
        .readdirSync(at(path), { encoding: 'buffer' })
        .map(textFromBytes)
        .filter(name => !name.startsWith('.spacedrive'))
        .sort(),
    swapRoot() {
      fs.renameSync(at(''), `${root}.moved`)
      fs.mkdirSync(at(''))
    }
  }
}
