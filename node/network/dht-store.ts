import { MemoryDatastore } from 'datastore-core'
import type { Key } from 'interface-datastore/key'

/** All a DHT node keeps of others: their records, address book and provider lists. 4,096 records of 1 KiB are 4 MiB. */
export const MAX_ENTRIES = 4096
/** A record of 1 KiB with its frame; an entry of the address book. */
export const MAX_ENTRY_BYTES = 8 * 1024

/** A datastore in memory with an end: the entry that was not written for longest gives way. */
export class BoundedStore extends MemoryDatastore {
  readonly #order = new Map<string, Key>()

  override put(key: Key, value: Uint8Array): Key | Promise<Key> {
    if (value.byteLength > MAX_ENTRY_BYTES) throw new Error(`an entry has at most ${MAX_ENTRY_BYTES} bytes`)
    const name = key.toString()
    this.#order.delete(name)
    this.#order.set(name, key)
    if (this.#order.size > MAX_ENTRIES) {
      const [oldest, oldKey] = this.#order.entries().next().value!
      this.#order.delete(oldest)
      void super.delete(oldKey)
    }
    return super.put(key, value)
  }

  override delete(key: Key): void | Promise<void> {
    this.#order.delete(key.toString())
    return super.delete(key)
  }

  get size(): number {
    return this.#order.size
  }
}
