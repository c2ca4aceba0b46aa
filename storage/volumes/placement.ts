import { open, readFile, realpath, stat } from 'node:fs/promises'
import { type AbsPath, fsPath, isWithin, type RelPath, resolveRel, textFromBytes } from '../base/index.js'
import type { Mount, Volume } from './volume.js'

/** Linux: names a place without opening what is there, so neither rights nor FIFOs matter. Node has no constant for it. */
const O_PATH = 0o10000000

/** An existing path with all links followed. */
export async function realPathOf(path: AbsPath): Promise<AbsPath> {
  return textFromBytes(await realpath(fsPath(path), { encoding: 'buffer' })) as AbsPath
}

/** What a rename must not cross: the mount (bind mounts share the device number) and the device number (subvolumes share the mount). */
export async function boundaryOf(path: AbsPath): Promise<string> {
  const { dev } = await stat(fsPath(path), { bigint: true })
  return `${await mountId(path)} ${dev}`
}

async function mountId(path: AbsPath): Promise<string> {
  if (process.platform !== 'linux') return ''
  const handle = await open(fsPath(path), O_PATH)
  try {
    return /^mnt_id:\s*(\d+)$/m.exec(await readFile(`/proc/self/fdinfo/${handle.fd}`, 'utf8'))?.[1] ?? ''
  } finally {
    await handle.close()
  }
}

/** The path within its volume: the same wherever the volume, or that part of it, is mounted. */
export function pathWithin(path: AbsPath, mount: Mount): RelPath {
  const below = path === mount.mountPoint ? '' : path.slice(mount.mountPoint === '/' ? 1 : mount.mountPoint.length + 1)
  return resolveRel(mount.root as AbsPath, below as RelPath).slice(1) as RelPath
}

/** Where a path within a volume can be reached now: where all of it is mounted, else where the part around it is. */
export function locate(volume: Volume, within: RelPath): AbsPath | undefined {
  const absolute = `/${within}`
  const showing = volume.mounts.filter(m => isWithin(absolute, m.root))
  const mount = showing.find(m => m.root === '/') ?? showing[0]
  if (mount === undefined) return undefined
  const below = mount.root === '/' ? within : absolute.slice(mount.root.length + 1)
  return resolveRel(mount.mountPoint, below as RelPath)
}
