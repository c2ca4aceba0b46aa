import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { displayPath, fsPath, SpacedriveError } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'

/** What the databases of the daemon need to go on, whatever another device tells: no listing takes the last of the disk. */
export const LISTING_RESERVE_BYTES = 128 * 1024 * 1024
/** Looked at after so much of a listing: one that is smaller is not asked for room. */
const LOOK_EVERY_BYTES = 8 * 1024 * 1024
/** A row without its path, with its share of the index. */
const ROW_BYTES = 200
const MIB = 1024 * 1024

/** Whether there is room in a snapshot's folder for what is told of another device. */
export class ListingRoom {
  readonly #dir: string
  #bytes = 0

  constructor(snapshot: Pick<Database, 'file'>) {
    this.#dir = dirname(snapshot.file)
  }

  /** These are about to be written. @throws {SpacedriveError} NO_SPACE with the figures */
  async take(paths: readonly string[]): Promise<void> {
    for (const path of paths) this.#bytes += ROW_BYTES + path.length
    if (this.#bytes < LOOK_EVERY_BYTES) return
    this.#bytes = 0
    const { bavail, bsize } = await statfs(fsPath(this.#dir))
    const freeBytes = bavail * bsize
    if (freeBytes >= LISTING_RESERVE_BYTES) return
    const free = Math.floor(freeBytes / MIB)
    throw new SpacedriveError(
      'NO_SPACE',
      `no space on this device for the list of what the folder there holds: ${free} MiB are free at ${displayPath(this.#dir)}, and ${LISTING_RESERVE_BYTES / MIB} MiB stay free`,
      { hint: 'Free some space on the disk of the data directory; it goes on by itself.' }
    )
  }
}
