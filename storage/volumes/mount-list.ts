/** Parses what `mount` prints on macOS: `/dev/disk3s1 on /Volumes/Photos (apfs, local, read-only, journaled)`. */
import type { AbsPath } from '../base/index.js'
import type { Mount } from './volume.js'

export function parseMountList(text: string): Mount[] {
  const mounts: Mount[] = []
  for (const line of text.split('\n')) {
    const m = /^(.+?) on (\/.*) \(([^)]*)\)$/.exec(line)
    if (m === null) continue
    const [fileSystem = '', ...flags] = m[3]!.split(', ')
    mounts.push({
      id: null,
      source: m[1]!,
      mountPoint: m[2]! as AbsPath,
      root: '/',
      fileSystem,
      device: m[1]!,
      readOnly: flags.includes('read-only')
    })
  }
  return mounts
}
