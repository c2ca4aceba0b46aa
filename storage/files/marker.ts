import { randomUUID } from 'node:crypto'
import { displayPath, isUuid, type RelPath, SpacedriveError } from '../base/index.js'
import { openArea } from './area.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import { AREA_NAME, MARKER_NAME } from './ours.js'
import type { RootAccess } from './root.js'
import { ifThere } from './staging-place.js'

/** What `.spacedrive/root.json` says: which root this is, and for each sync of it the number of its last batch (SYNC.md 6). */
export interface Marker {
  readonly root: string
  readonly syncs: Readonly<Record<string, number>>
}

/** Room for ten thousand syncs; what is larger was not written by this program. */
const MAX_MARKER_BYTES = 1024 * 1024

/**
 * The marker of a folder that is open for reading; undefined where there is none.
 * @throws {SpacedriveError} MARKER_DAMAGED
 */
export function readMarkerIn(disk: Disk, dir: DirHandle): Marker | undefined {
  if (findStat(disk, dir, AREA_NAME)?.kind !== 'directory') return undefined
  const area = disk.openDir(dir, AREA_NAME as RelPath)
  try {
    return readMarker(disk, area)
  } finally {
    disk.close(area)
  }
}

/**
 * Sets the number of a sync, making area and marker where they are missing; durable on return.
 * @param known - whoever asks has made both durable before: only the marker is written
 * RACE: two daemons that share a root and write at the same moment: the later one's marker stands, and the other's sync halts
 * as rolled back rather than going on.
 */
export function countInMarker(
  { disk, root }: RootAccess,
  sync: string,
  counter: number,
  { known = false } = {}
): Marker {
  // On the way it makes two directories durable, one of them the root: the disk waits for all that was written since.
  if (!known || readMarkerIn(disk, root.dir) === undefined) disk.close(openArea(disk, root.dir, 'staging'))
  const area = disk.openDir(root.dir, AREA_NAME as RelPath)
  try {
    const before = readMarker(disk, area)
    if (before === undefined) throw damaged(root.path)
    if (before.syncs[sync] === counter) return before
    const marker: Marker = { root: before.root, syncs: { ...before.syncs, [sync]: counter } }
    const temp = `${MARKER_NAME}.${randomUUID()}`
    const fd = disk.open(area, temp, 'create')
    try {
      disk.write(fd, Buffer.from(`${JSON.stringify({ version: 1, ...marker })}\n`), 0)
      disk.sync(fd)
    } finally {
      disk.close(fd)
    }
    disk.rename(area, temp, area, MARKER_NAME, 'replace')
    disk.sync(area)
    return marker
  } finally {
    disk.close(area)
  }
}

/** Half a marker: how old it is when whoever wrote it is certainly gone. */
const OLD_MS = 60 * 60 * 1000
const MARKER_TEMP = /^root\.json\.[0-9a-f-]{36}$/

/** Removes what a crash left of markers that were being written. */
export function removeOldMarkers({ disk, dirs }: RootAccess, nowMs: number): void {
  const area = ifThere(() => dirs.open(AREA_NAME as RelPath))
  if (area === undefined) return
  for (const name of disk.list(area)) {
    if (!MARKER_TEMP.test(name)) continue
    const stat = findStat(disk, area, name)
    if (stat?.kind === 'file' && Number(stat.mtimeNs / 1_000_000n) < nowMs - OLD_MS) disk.unlink(area, name)
  }
}

function readMarker(disk: Disk, area: DirHandle): Marker | undefined {
  const stat = findStat(disk, area, MARKER_NAME)
  if (stat === undefined) return undefined
  if (stat.kind !== 'file' || stat.sizeBytes > MAX_MARKER_BYTES) throw damaged(area.path)
  const bytes = new Uint8Array(stat.sizeBytes)
  const fd = disk.open(area, MARKER_NAME, 'read')
  try {
    for (let at = 0; at < bytes.length; ) {
      const n = disk.read(fd, bytes.subarray(at), at)
      if (n === 0) break
      at += n
    }
  } finally {
    disk.close(fd)
  }
  return parseMarker(bytes) ?? raise(damaged(area.path))
}

function parseMarker(bytes: Uint8Array): Marker | undefined {
  try {
    const { root, syncs } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<Marker>
    if (typeof root !== 'string' || !isUuid(root) || typeof syncs !== 'object' || syncs === null) return undefined
    return Object.values(syncs).every(n => Number.isSafeInteger(n) && n >= 0) ? { root, syncs } : undefined
  } catch {
    return undefined
  }
}

function raise(err: Error): never {
  throw err
}

const damaged = (path: string): SpacedriveError =>
  new SpacedriveError('MARKER_DAMAGED', `could not read the marker of ${displayPath(path)}: it is damaged`, {
    hint: `It is \`${AREA_NAME}/${MARKER_NAME}\` there, and tells which folder this is.`
  })
