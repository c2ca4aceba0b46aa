import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { type AbsPath, isWithin, nameOf, type RelPath } from '../base/index.js'
import { diskFacts } from './disk.js'
import { type AskFileSystemId, identify } from './identify.js'
import { isCopyOnWrite, isNetwork, isPseudo, isVirtual } from './kinds.js'
import { parseMountList } from './mount-list.js'
import { parseMountinfo } from './mountinfo.js'
import { foreignSpace, localSpace } from './stat-fs.js'
import type { Mount, Volume } from './volume.js'

const SYSTEM_PLACES = ['/', '/boot', '/boot/efi', '/usr', '/var', '/System/Volumes/Data']

/** The mounts as text that changes exactly when a mount does: what the monitor compares. */
export async function readMounts(): Promise<{ raw: Uint8Array; mounts: Mount[] }> {
  if (process.platform === 'linux') {
    const raw = await readFile('/proc/self/mountinfo')
    return { raw, mounts: parseMountinfo(raw) }
  }
  const { stdout } = await promisify(execFile)('mount', [])
  return { raw: Buffer.from(stdout), mounts: parseMountList(stdout) }
}

/** The mount that a path (real, absolute) lies on: the longest place that holds it, the later one of two. */
export function mountOf(path: AbsPath, mounts: readonly Mount[]): Mount | undefined {
  let best: Mount | undefined
  for (const mount of mounts) {
    if (isWithin(path, mount.mountPoint) && mount.mountPoint.length >= (best?.mountPoint.length ?? 0)) best = mount
  }
  return best
}

/** True for mounts that hold somebody's files; memory disks and overlays only on request, but always what the root is on. */
export function isVolume(mount: Mount, all: boolean): boolean {
  if (isPseudo(mount.fileSystem)) return false
  return all || !isVirtual(mount.fileSystem) || mount.mountPoint === '/'
}

/** Groups mounts of one file system (bind mounts, subvolumes) and asks about each. One that does not answer is left out. */
export async function describeVolumes(mounts: readonly Mount[], ask: AskFileSystemId): Promise<Volume[]> {
  const groups = new Map<string, Mount[]>()
  for (const mount of mounts) {
    const key = mount.device === '' ? `${mount.fileSystem}:${mount.source}` : mount.device
    groups.set(key, [...(groups.get(key) ?? []), mount])
  }
  const found = await Promise.all([...groups.values()].map(group => describe(group, ask)))
  return found.filter(v => v !== undefined)
}

async function describe(mounts: Mount[], ask: AskFileSystemId): Promise<Volume | undefined> {
  // The mount of the whole file system names it; else the one with the shortest path.
  const main =
    mounts.find(m => m.root === '/') ?? [...mounts].sort((a, b) => a.mountPoint.length - b.mountPoint.length)[0]!
  const network = isNetwork(main.fileSystem)
  const space = network ? await foreignSpace(main.mountPoint) : await localSpace(main.mountPoint)
  if (space === undefined) return undefined
  const facts = await diskFacts(main)
  const { totalBytes, availableBytes } = space
  const { id, identified } = await identify(main, facts, totalBytes, ask)
  const virtual = isVirtual(main.fileSystem)
  return {
    id,
    identified,
    name: facts.label ?? (nameOf(main.mountPoint as string as RelPath) || '/'),
    mountPoint: main.mountPoint,
    mountPoints: mounts.map(m => m.mountPoint),
    mounts,
    fileSystem: main.fileSystem,
    source: main.source,
    diskKind: network
      ? 'network'
      : virtual
        ? 'virtual'
        : facts.rotational === undefined
          ? 'unknown'
          : facts.rotational
            ? 'hdd'
            : 'ssd',
    removable: facts.removable,
    network,
    readOnly: main.readOnly,
    copyOnWrite: isCopyOnWrite(main.fileSystem),
    system: mounts.some(m => SYSTEM_PLACES.includes(m.mountPoint)),
    totalBytes,
    availableBytes
  }
}
