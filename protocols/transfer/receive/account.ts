import { bitmapFor, isSelected, setBit } from '../manifest/selection.js'

/** Which files of a transfer are there, which will not come, and how much that is. Files without content are not counted here. */
export class Account {
  /** A bit for each entry whose content is there, whole. */
  readonly have: Uint8Array
  /** Entries that one end could not handle, with the code. Directories and links among them, too. */
  readonly failed = new Map<number, { code: string; by: 'sender' | 'receiver' }>()
  readonly #settled: Uint8Array
  #wanted = 0
  #settledFiles = 0
  doneFiles = 0
  doneBytes = 0

  constructor(entries: number, have?: Uint8Array) {
    this.have = have?.slice() ?? bitmapFor(entries)
    this.#settled = bitmapFor(entries)
  }

  /** A selected file with content: it is settled once it is there or failed. */
  expect(index: number, sizeBytes: number): void {
    this.#wanted++
    if (isSelected(this.have, index)) this.#settle(index, sizeBytes)
  }

  arrived(index: number, sizeBytes: number): void {
    setBit(this.have, index)
    this.#settle(index, sizeBytes)
  }

  /** @returns false when it was known already */
  fail(index: number, code: string, by: 'sender' | 'receiver', hasContent: boolean): boolean {
    if (this.failed.has(index)) return false
    this.failed.set(index, { code, by })
    if (hasContent && !isSelected(this.#settled, index)) {
      setBit(this.#settled, index)
      this.#settledFiles++
    }
    return true
  }

  isSettled(index: number): boolean {
    return isSelected(this.#settled, index)
  }

  get complete(): boolean {
    return this.#settledFiles === this.#wanted
  }

  /** What the sender need not send: a copy, for the wire. */
  get settled(): Uint8Array {
    return this.#settled.slice()
  }

  #settle(index: number, sizeBytes: number): void {
    if (isSelected(this.#settled, index)) return
    setBit(this.#settled, index)
    this.#settledFiles++
    this.doneFiles++
    this.doneBytes += sizeBytes
  }
}
