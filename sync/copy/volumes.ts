import { stat } from 'node:fs/promises'
import { type AbsPath, displayPath, fsPath, SpacedriveError } from '../../storage/base/index.js'
import type { Layout } from './layout.js'
import type { CopyComponents } from './ports.js'

/** Which volume each folder of a copy lies on, as far as volumes can be told apart. Of a root that is still to be made: its parent. */
export async function volumesOf(
  { volumes }: Pick<CopyComponents, 'volumes'>,
  { root, makeRoot, trees }: Layout
): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  const parent = (root.slice(0, root.lastIndexOf('/')) || '/') as AbsPath
  const devices = new Set<bigint>()
  for (const folder of new Set([makeRoot ? parent : root, ...trees.map(t => t.folder)])) {
    const { dev } = await stat(fsPath(folder), { bigint: true })
    if (devices.has(dev)) continue // one folder stands for all of its disk
    devices.add(dev)
    const volume = await volumes.volumeOf(folder)
    if (volume?.identified === true) found[folder] = volume.id
  }
  return found
}

/**
 * A copy that goes on does so with the disks it began with: what lies below a mount point where one was pulled out is another.
 * @throws {SpacedriveError} VOLUME_AWAY
 */
export async function ensureVolumes(
  { volumes }: Pick<CopyComponents, 'volumes'>,
  known: Readonly<Record<string, string>>
): Promise<void> {
  for (const [folder, id] of Object.entries(known)) {
    const volume = await volumes.volumeOf(folder as AbsPath)
    if (volume?.id === id) continue
    throw new SpacedriveError('VOLUME_AWAY', `could not go on: the disk of ${displayPath(folder)} is not connected`, {
      hint: 'Connect it and `job resume` it: what was copied is not copied again.'
    })
  }
}
