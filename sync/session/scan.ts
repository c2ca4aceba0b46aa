import { type AbortOptions, nameOf, type RelPath, ROOT } from '../../storage/base/index.js'
import { AREA_NAME } from '../../storage/files/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Endpoint, TreeEntry } from '../endpoints/index.js'
import type { End } from '../reconcile/index.js'
import { type HashedRow, snapshotting } from './snapshot.worker.js'

/** Paths handed to an end at once for hashing; its answers come as they are ready. */
const HASH_BATCH = 500

export interface ScanProgress {
  readonly entries: number
  /** Hashed so far, of files whose content no stat vouched for. */
  readonly hashedFiles: number
  readonly hashedBytes: number
}

export interface ScanInit extends AbortOptions {
  readonly at: End
  readonly endpoint: Endpoint
  /** Of schema `snapshot`. */
  readonly snapshot: Database
  onProgress?(progress: ScanProgress): void
}

/**
 * Brings the snapshot of one end up to date: walks all of it, and hashes what no stat vouches for. What the walk did not meet is
 * gone, except below a directory that could not be listed: that one is unknown, with all there is in it.
 * @throws what the endpoint throws; then the snapshot still holds the last whole scan's rows
 */
export async function scanEnd({ at, endpoint, snapshot, signal, onProgress }: ScanInit): Promise<ScanProgress> {
  const progress = { entries: 0, hashedFiles: 0, hashedBytes: 0 }
  const tell = (): void => onProgress?.({ ...progress })
  const scan = await snapshot.write(snapshotting.begin, { at })
  let writing: Promise<unknown> = Promise.resolve()
  for await (const { entries } of endpoint.walk(ROOT, { signal })) {
    const page: TreeEntry[] = entries.filter(e => e.path !== ROOT && !isArea(e))
    await writing // one page ahead
    writing = snapshot.write(snapshotting.record, { at, scan, entries: page })
    writing.catch(() => {}) // awaited with the next page
    progress.entries += page.length
    tell()
  }
  await writing
  await snapshot.write(snapshotting.end, { at, scan })
  await hashAll()
  return progress

  async function hashAll(): Promise<void> {
    for (let after: RelPath | undefined; ; ) {
      const paths = await snapshot.maintain(snapshotting.unhashed, { at, after, limit: HASH_BATCH })
      if (paths.length === 0) return
      after = paths.at(-1)
      const rows: HashedRow[] = []
      const unread: RelPath[] = []
      const onBytes = (bytes: number): void => {
        progress.hashedBytes += bytes
        tell()
      }
      for await (const { path, ...found } of endpoint.hash(paths, { signal, onBytes })) {
        if (found.problem !== undefined) unread.push(path)
        else rows.push({ path, hash: found.hash, stat: found.stat, racy: found.racy })
        progress.hashedFiles++
      }
      await snapshot.write(snapshotting.hashed, { at, rows })
      await snapshot.write(snapshotting.unread, { at, paths: unread })
      tell()
    }
  }
}

/** `.spacedrive` with its marker is nobody's business; other things of ours are unknown. */
const isArea = ({ path, unknown }: TreeEntry): boolean => unknown === 'ours' && nameOf(path) === AREA_NAME
