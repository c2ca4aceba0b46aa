import { type AbsPath, textFromBytes } from '../base/index.js'
import type { Mount } from './volume.js'

/**
 * Parses /proc/self/mountinfo (proc(5)): later mounts shadow earlier ones at the same place. Space, tab, newline and
 * backslash are written as octal escapes; names may be any bytes.
 */
export function parseMountinfo(bytes: Uint8Array): Mount[] {
  const byPlace = new Map<string, Mount>()
  for (const line of textFromBytes(bytes).split('\n')) {
    const fields = line.split(' ')
    const dash = fields.indexOf('-', 6)
    if (dash < 0) continue
    const mountPoint = unescapeOctal(fields[4]!) as AbsPath
    const superOptions = (fields[dash + 3] ?? '').split(',')
    byPlace.delete(mountPoint) // so that the later one is also later in order
    byPlace.set(mountPoint, {
      id: Number(fields[0]),
      mountPoint,
      root: unescapeOctal(fields[3]!),
      fileSystem: fields[dash + 1]!,
      source: unescapeOctal(fields[dash + 2]!),
      device: fields[2]!,
      readOnly: fields[5]!.split(',').includes('ro') || superOptions.includes('ro')
    })
  }
  return [...byPlace.values()]
}

function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}
