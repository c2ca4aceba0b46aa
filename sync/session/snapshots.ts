import { join } from 'node:path'
import type { AbsPath, Clock } from '../../storage/base/index.js'
import { ensurePrivateDir, removeEmptyDir, removeFile } from '../../storage/files/index.js'
import { type Database, openDatabase } from '../../storage/sql/index.js'

/** A snapshot that nobody used for so long is closed: it keeps up to 10 MiB of pages, and opening it takes a few milliseconds. */
export const SNAPSHOT_IDLE_MS = 20_000
/** So many stay open at most that nobody uses, the ones that were used last: after a start every sync looks at its folders once. */
export const MAX_IDLE_SNAPSHOTS = 16

interface Held {
  readonly opening: Promise<Database>
  users: number
  timer: { clear(): void } | undefined
}

/**
 * The folders of syncs in the data directory, with their snapshots: opened when they are needed, and kept for a while. Those of syncs that
 * this device drives are in `syncs`, what it serves of others in `served`.
 */
export class Snapshots {
  readonly #dataDir: AbsPath
  readonly #clock: Clock
  readonly #name: string
  /** Those that nobody uses in the order in which that began. */
  readonly #held = new Map<string, Held>()
  readonly #closing = new Map<string, Promise<void>>()

  constructor(dataDir: AbsPath, clock: Clock, name: 'syncs' | 'served' = 'syncs') {
    this.#dataDir = dataDir
    this.#name = name
    this.#clock = clock
  }

  dirOf(uuid: string): AbsPath {
    return join(this.#dataDir, this.#name, uuid) as AbsPath
  }

  async use<T>(uuid: string, work: (snapshot: Database) => Promise<T>): Promise<T> {
    const held = this.#held.get(uuid) ?? { opening: this.#open(uuid), users: 0, timer: undefined }
    this.#held.set(uuid, held)
    held.timer?.clear()
    held.users++
    try {
      return await work(await held.opening)
    } catch (err) {
      // One that is damaged is read from the disk anew the next time, or made again there.
      if (held.users === 1) await this.#close(uuid)
      throw err
    } finally {
      held.users--
      if (held.users === 0 && this.#held.get(uuid) === held) this.#keep(uuid, held)
    }
  }

  /** For a while, in case it is wanted again soon. */
  #keep(uuid: string, held: Held): void {
    this.#held.delete(uuid)
    this.#held.set(uuid, held)
    held.timer = this.#clock.timer(() => void this.#close(uuid), SNAPSHOT_IDLE_MS)
    const idle = [...this.#held].filter(([, { users }]) => users === 0)
    for (const [oldest] of idle.slice(0, -MAX_IDLE_SNAPSHOTS)) void this.#close(oldest)
  }

  /** The folder of a sync that is no more, with all in it. Nobody uses it meanwhile. */
  async remove(uuid: string): Promise<void> {
    await this.#close(uuid)
    const dir = this.dirOf(uuid)
    for (const file of ['snapshot.db', 'plan.db', 'vectors.db', 'history.db', 'history-archive.db', 'history-plan.db'])
      for (const end of ['', '-wal', '-shm', '-journal']) await removeFile(join(dir, `${file}${end}`))
    await removeEmptyDir(dir)
  }

  async close(): Promise<void> {
    for (const uuid of [...this.#held.keys(), ...this.#closing.keys()]) await this.#close(uuid)
  }

  async #open(uuid: string): Promise<Database> {
    await this.#closing.get(uuid)
    const dir = this.dirOf(uuid)
    await ensurePrivateDir(dir)
    return openDatabase({
      file: join(dir, 'snapshot.db'),
      schema: 'snapshot',
      synchronous: 'NORMAL',
      sharesThread: true
    })
  }

  #close(uuid: string): Promise<void> {
    const held = this.#held.get(uuid)
    this.#held.delete(uuid)
    held?.timer?.clear()
    const before = this.#closing.get(uuid)
    if (held === undefined) return before ?? Promise.resolve()
    const closing = (async () => {
      await before
      const snapshot = await held.opening.catch(() => undefined)
      await snapshot?.close()
    })().finally(() => {
      if (this.#closing.get(uuid) === closing) this.#closing.delete(uuid)
    })
    this.#closing.set(uuid, closing)
    return closing
  }
}
