import type { DirHandle, Disk } from './disk.js'
import { type Group, type Journal, removeJournal, type Temp, writeJournal } from './journal.js'
import { diskError } from './problems.js'

/** The journal of a batch, for those of its steps that the file system cannot do in one. Written when the first comes. */
export class BatchJournal {
  readonly #disk: Disk
  readonly #place: DirHandle
  readonly #groups: Group[] = []
  readonly #temps: Temp[] = []
  #written = false

  /** @param place - the staging place that holds it */
  constructor(disk: Disk, place: DirHandle) {
    this.#disk = disk
    this.#place = place
  }

  /** Durable on return. */
  add(groups: readonly Group[], temps: readonly Temp[] = []): void {
    if (groups.length === 0 && temps.length === 0) return
    try {
      this.#groups.push(...groups)
      this.#temps.push(...temps)
      const journal: Journal = { purpose: 'group', groups: this.#groups, temps: this.#temps }
      writeJournal(this.#disk, this.#place, journal)
      this.#written = true
    } catch (err) {
      throw diskError('write the journal in', this.#place.path, err)
    }
  }

  /** Everything in it happened (or was taken back) and is durable. */
  end(): void {
    if (!this.#written) return
    removeJournal(this.#disk, this.#place)
    this.#written = false
  }
}
