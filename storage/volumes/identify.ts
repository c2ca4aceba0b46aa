import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { AbsPath } from '../base/index.js'
import type { DiskFacts } from './disk.js'
import { isNetwork } from './kinds.js'
import type { Mount, VolumeId } from './volume.js'

const run = promisify(execFile)

/** The id of the file system at a place, in hexadecimal; undefined where it cannot be had without a process. */
export type AskFileSystemId = (mountPoint: AbsPath) => Promise<string | undefined>

/** File systems whose f_fsid is made of their UUID: the same at every mount (statfs(2), and the kernel's ext4, btrfs, f2fs). */
const FSID_FROM_UUID = new Set(['ext2', 'ext3', 'ext4', 'btrfs', 'f2fs', 'erofs', 'bcachefs'])

/** Not a row of zeros: that is what those say that have none. */
const FSID = /^(?!0+$)[0-9a-f]+$/

/**
 * What a file system is known by wherever it is mounted, best evidence first: its UUID, a file system id made of it, the
 * server and export of a network drive; else a guess from type, source and size, marked as such.
 */
export async function identify(
  mount: Mount,
  facts: Pick<DiskFacts, 'uuid'>,
  totalBytes: number,
  ask: AskFileSystemId
): Promise<{ id: VolumeId; identified: boolean }> {
  if (facts.uuid !== undefined) return { id: `uuid:${facts.uuid.toLowerCase()}` as VolumeId, identified: true }
  if (isNetwork(mount.fileSystem))
    return { id: `net:${mount.fileSystem}:${mount.source}` as VolumeId, identified: true }
  if (process.platform === 'darwin') {
    const uuid = await diskutilUuid(mount.source)
    if (uuid !== undefined) return { id: `uuid:${uuid.toLowerCase()}` as VolumeId, identified: true }
  }
  if (FSID_FROM_UUID.has(mount.fileSystem)) {
    const fsid = (await ask(mount.mountPoint)) ?? (await askByProcess(mount.mountPoint))
    if (fsid !== undefined && FSID.test(fsid))
      return { id: `fsid:${mount.fileSystem}:${fsid}` as VolumeId, identified: true }
  }
  return { id: `weak:${mount.fileSystem}:${mount.source}:${totalBytes}` as VolumeId, identified: false }
}

/** Node's statfs leaves f_fsid out; coreutils' stat prints it. Starting a process holds up a large one that starts it. */
async function askByProcess(mountPoint: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('stat', ['-f', '-c', '%i', '--', mountPoint])
    return stdout.trim()
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
