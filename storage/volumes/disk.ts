import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Mount } from './volume.js'

/** What the kernel tells about the disk behind a mount (Linux, /sys). */
export interface DiskFacts {
  readonly rotational: boolean | undefined
  readonly removable: boolean
  /** UUID of the file system and its label, from the links that udev makes. */
  readonly uuid?: string
  readonly label?: string
}

/** A stack of device-mapper layers deeper than this is not followed. */
const MAX_LAYERS = 8

/** Reads only; anything missing is simply not known. `sys` and `dev` are the roots, for tests. */
export async function diskFacts(mount: Mount, { sys = '/sys', dev = '/dev' } = {}): Promise<DiskFacts> {
  const number = await blockNumber(mount)
  const links = mount.source.startsWith('/') ? await udevLinks(mount.source, dev) : {}
  if (number === undefined) return { rotational: undefined, removable: false, ...links }
  const disk = await realpath(join(sys, 'dev/block', number)).catch(() => undefined)
  if (disk === undefined) return { rotational: undefined, removable: false, ...links }
  const { rotational, removable } = await wholeDisk(disk, 0)
  return { rotational, removable, ...links }
}

/** btrfs and overlays show an anonymous device (0:n); the source then is a block device of its own. */
async function blockNumber(mount: Mount): Promise<string | undefined> {
  if (!mount.device.startsWith('0:') && mount.device !== '') return mount.device
  if (!mount.source.startsWith('/dev/')) return undefined
  const s = await stat(mount.source, { bigint: true }).catch(() => undefined)
  if (s === undefined || !s.isBlockDevice()) return undefined
  const major = ((s.rdev >> 8n) & 0xfffn) | ((s.rdev >> 32n) & ~0xfffn)
  const minor = (s.rdev & 0xffn) | ((s.rdev >> 12n) & ~0xffn)
  return `${major}:${minor}`
}

async function wholeDisk(dir: string, depth: number): Promise<{ rotational: boolean | undefined; removable: boolean }> {
  const slaves = await readdir(join(dir, 'slaves')).catch(() => [])
  if (slaves.length > 0 && depth < MAX_LAYERS) {
    // Encrypted or joined from others: as slow as the slowest, as loose as the loosest of them.
    const below = await Promise.all(slaves.map(async s => wholeDisk(await realpath(join(dir, 'slaves', s)), depth + 1)))
    return {
      rotational: below.some(b => b.rotational) ? true : below.every(b => b.rotational === false) ? false : undefined,
      removable: below.some(b => b.removable)
    }
  }
  for (const place of [dir, dirname(dir)]) {
    const rotational = await readFile(join(place, 'queue/rotational'), 'utf8').catch(() => undefined)
    if (rotational === undefined) continue
    const removable = await readFile(join(place, 'removable'), 'utf8').catch(() => '0')
    return { rotational: rotational.trim() === '1', removable: removable.trim() === '1' || /\/(usb|mmc)\d/.test(place) }
  }
  return { rotational: undefined, removable: false }
}

async function udevLinks(source: string, dev: string): Promise<{ uuid?: string; label?: string }> {
  const device = await realpath(source).catch(() => source)
  const find = async (folder: string): Promise<string | undefined> => {
    for (const name of await readdir(join(dev, 'disk', folder)).catch(() => [])) {
      const target = await realpath(join(dev, 'disk', folder, name)).catch(() => undefined)
      // Names there are written with \xHH escapes.
      if (target === device)
        return name.replace(/\\x([0-9a-f]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    }
    return undefined
  }
  const [uuid, label] = await Promise.all([find('by-uuid'), find('by-label')])
  return { ...(uuid === undefined ? {} : { uuid: basename(uuid) }), ...(label === undefined ? {} : { label }) }
}
