import { type AbsPath, errorCode, SpacedriveError } from '../base/index.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import type { ManifestItem, TrashBatchHeader } from './trash-files.js'

export const MANIFEST_NAME = 'manifest.jsonl'
/** A thousand items of the longest paths are some ten megabytes: whoever put more there, it was not us. */
const MAX_MANIFEST_BYTES = 32 * 1024 * 1024
const VERSION = 1

export interface Manifest {
  readonly header: TrashBatchHeader
  readonly items: readonly ManifestItem[]
}

/** Durable on return, its name too. Paths are JSON text, in which an odd byte stays what it is (storage/base/paths). */
export function writeManifest(disk: Disk, batch: DirHandle, { header, items }: Manifest): void {
  const lines = [{ version: VERSION, ...header }, ...items].map(line => `${JSON.stringify(line)}\n`)
  const fd = disk.open(batch, MANIFEST_NAME, 'create')
  try {
    disk.write(fd, Buffer.from(lines.join('')), 0)
    disk.sync(fd)
  } finally {
    disk.close(fd)
  }
  disk.sync(batch)
}

/** undefined when there is none: nothing was thrown away yet. @throws {SpacedriveError} MANIFEST_DAMAGED */
export function readManifest(disk: Disk, batch: DirHandle): Manifest | undefined {
  try {
    const lines = readSmallFile(disk, batch, MANIFEST_NAME, MAX_MANIFEST_BYTES)?.trimEnd().split('\n')
    if (lines === undefined) return undefined
    const [head, ...items] = lines.map(line => JSON.parse(line) as Record<string, unknown>)
    const { version, id, atMs, command, job } = head as unknown as TrashBatchHeader & { version: number }
    if (version !== VERSION || typeof atMs !== 'number') throw new Error(`unknown version ${version}`)
    return { header: { id, atMs, command, job }, items: items.map(itemOf) }
  } catch (cause) {
    throw new SpacedriveError('MANIFEST_DAMAGED', `could not read ${batch.path}/${MANIFEST_NAME}: ${String(cause)}`, {
      cause,
      hint: 'What lies beside it is whole: move it where it belongs.'
    })
  }
}

function itemOf({ origin, kind, sizeBytes, files }: Record<string, unknown>): ManifestItem {
  if (typeof origin !== 'string' || !origin.startsWith('/')) throw new Error('an item without its place')
  return {
    origin: origin as AbsPath,
    kind: kind as ManifestItem['kind'],
    sizeBytes: Number(sizeBytes),
    files: Number(files)
  }
}

/** A file of ours as text; undefined when there is none. */
export function readSmallFile(disk: Disk, dir: DirHandle, name: string, maxBytes: number): string | undefined {
  if (findStat(disk, dir, name) === undefined) return undefined
  const fd = disk.open(dir, name, 'read')
  try {
    const { sizeBytes } = disk.stat(fd)
    if (sizeBytes > maxBytes) throw new Error(`it holds ${sizeBytes} bytes`)
    const bytes = Buffer.alloc(sizeBytes)
    for (let n = 0; n < sizeBytes; ) {
      const got = disk.read(fd, bytes.subarray(n), n)
      if (got === 0) throw new Error('it ends early')
      n += got
    }
    return bytes.toString()
  } finally {
    disk.close(fd)
  }
}

/** Takes a name away that may not be there. */
export function unlinkIfThere(disk: Disk, dir: DirHandle, name: string): void {
  try {
    disk.unlink(dir, name)
  } catch (err) {
    if (errorCode(err) !== 'ENOENT') throw err
  }
}
