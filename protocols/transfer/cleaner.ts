/** What transfers leave behind when they end: staging places, journals, cancellations that were not told yet. */
import { join } from 'node:path'
import { type AbsPath, hasCode, type TransferId } from '../../storage/base/index.js'
import { removeFile } from '../../storage/files/index.js'
import type { PeerSession } from '../wire/index.js'
import type { TransferParts } from './components.js'
import { KEEP_FINISHED_MS } from './limits.js'
import type { TransferRow } from './rows.js'
import { transferWrites } from './rows.worker.js'
import { tellCancelled } from './send/tell-cancelled.js'

/** Where a receiver remembers what arrived; the id is a UUID, so nothing else can be meant. */
export function journalFile(dataDir: AbsPath, id: TransferId): AbsPath {
  return join(dataDir, 'transfers', `${id}.journal`) as AbsPath
}

export class Cleaner {
  readonly #parts: TransferParts
  readonly #signal: AbortSignal
  /** Under way: two at once would make the staging place anew under each other's hands. */
  readonly #cleaning = new Map<TransferId, Promise<void>>()

  constructor(parts: TransferParts, signal: AbortSignal) {
    this.#parts = parts
    this.#signal = signal
  }

  /** At start: what a crash or a disk that was away left behind. */
  async sweep(): Promise<void> {
    const { database, clock, rows } = this.#parts
    const nowMs = clock.nowMs()
    await database.write(transferWrites.expire, { beforeMs: nowMs - KEEP_FINISHED_MS, nowMs })
    for (const row of rows.toClean()) await this.clean(row)
  }

  /** Removes the staging place of a transfer that has ended. A folder that is away is tried again at the next start. */
  clean(row: TransferRow): Promise<void> {
    const underWay = this.#cleaning.get(row.id)
    if (underWay !== undefined) return underWay
    const cleaning = this.#clean(row).finally(() => this.#cleaning.delete(row.id))
    this.#cleaning.set(row.id, cleaning)
    return cleaning
  }

  async #clean(row: TransferRow): Promise<void> {
    const { files, log } = this.#parts
    try {
      if (row.staged && row.into !== undefined) {
        const root = await files.openRoot(row.into, { signal: this.#signal })
        try {
          await root.recover({ signal: this.#signal })
          await (await root.openStaging(row.id, { signal: this.#signal })).discard()
        } finally {
          await root.close()
        }
      }
      await this.finished(row.id)
    } catch (err) {
      this.#signal.throwIfAborted()
      log.warn('could not clean up after a transfer', { transfer: row.id, err })
    }
  }

  /** Nothing of it is in staging any more. */
  async finished(id: TransferId): Promise<void> {
    await removeFile(journalFile(this.#parts.dataDir, id))
    await this.#parts.database.write(transferWrites.unstaged, id)
  }

  /** Tells a device that just connected, or is, what was cancelled here. */
  async tell(peer: PeerSession): Promise<void> {
    const { rows, database, log, ...parts } = this.#parts
    for (const row of rows.untold(peer.device)) {
      try {
        await tellCancelled(row.id, peer, { ...parts, signal: this.#signal })
        await database.write(transferWrites.told, row.id)
      } catch (err) {
        if (this.#signal.aborted || hasCode(err, 'DEVICE_AWAY', 'STREAM_CLOSED')) return // when it is connected again
        log.info('could not tell a device that a transfer was cancelled', { transfer: row.id, err })
      }
    }
  }
}
