import assert from 'node:assert/strict'
import { Key } from 'interface-datastore/key'
import { BoundedStore, MAX_ENTRIES, MAX_ENTRY_BYTES } from '../../../node/network/dht-store.js'

describe('what a DHT node keeps of others', () => {
  const one = new Uint8Array(1)
  const key = (n: number): Key => new Key(`/n/${n}`)

  it(`${MAX_ENTRIES} entries; then the longest unwritten gives way`, async () => {
    const store = new BoundedStore()
    for (let i = 0; i < MAX_ENTRIES; i++) await store.put(key(i), one)
    await store.put(key(0), one)
    assert.equal(await store.has(key(1)), true)
    await store.put(key(MAX_ENTRIES), one)
    assert.deepEqual([await store.has(key(0)), await store.has(key(1)), await store.has(key(2))], [true, false, true])
    assert.equal(store.size, MAX_ENTRIES)
    await store.delete(key(2))
    await store.put(key(MAX_ENTRIES + 1), one)
    assert.equal(await store.has(key(3)), true, 'there was room')
  })

  it('an entry at its limit is kept, one byte more is refused', async () => {
    const store = new BoundedStore()
    await store.put(key(1), new Uint8Array(MAX_ENTRY_BYTES))
    assert.throws(() => store.put(key(2), new Uint8Array(MAX_ENTRY_BYTES + 1)), /at most/)
    assert.equal(store.size, 1)
  })
})
