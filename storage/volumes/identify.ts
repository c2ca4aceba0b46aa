import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { DiskFacts } from './disk.js'
import { isNetwork } from './kinds.js'
import type { Mount, VolumeId } from './volume.js'

const run = promisify(execFile)

/** File systems whose f_fsid is made of their UUID: the same at every mount (statfs(2), and the kernel's ext4, btrfs, f2fs). */
const FSID_FROM_UUID = new Set(['ext2', 'ext3', 'ext4', 'btrfs', 'f2fs', 'erofs', 'bcachefs'])

/**
 * What a file system is known by wherever it is mounted, best evidence first: its UUID, a file system id made of it, the
 * server and export of a network drive; else a guess from type, source and size, marked as such.
 */
export async function identify(
  mount: Mount,
  facts: Pick<DiskFacts, 'uuid'>,
  totalBytes: number
): Promise<{ id: VolumeId; identified: boolean }> {
  if (facts.uuid !== undefined) return { id: `uuid:${facts.uuid.toLowerCase()}` as VolumeId, identified: true }
  if (isNetwork(mount.fileSystem))
    return { id: `net:${mount.fileSystem}:${mount.source}` as VolumeId, identified: true }
  if (process.platform === 'darwin') {
    const uuid = await diskutilUuid(mount.source)
    if (uuid !== undefined) return { id: `uuid:${uuid.toLowerCase()}` as VolumeId, identified: true }
  }
  if (FSID_FROM_UUID.has(mount.fileSystem)) {
    const fsid = await fileSystemId(mount.mountPoint)
    if (fsid !== undefined) return { id: `fsid:${mount.fileSystem}:${fsid}` as VolumeId, identified: true }
  }
  return { id: `weak:${mount.fileSystem}:${mount.source}:${totalBytes}` as VolumeId, identified: false }
}

/** Node's statfs leaves f_fsid out; coreutils' stat prints it. */
async function fileSystemId(mountPoint: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('stat', ['-f', '-c', '%i', '--', mountPoint])
    const fsid = stdout.trim()
    return /^[0-9a-f]+$/.test(fsid) && !/^0+$/.test(fsid) ? fsid : undefined
  } catch {
    return undefined
  }
}

async function diskutilUuid(source: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('diskutil', ['info', source])
    return /Volume UUID:\s+([0-9A-Fa-f-]{36})/.exec(stdout)?.[1]
  } catch {
    return undefined
  }
}
