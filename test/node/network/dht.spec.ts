import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  checkRecord,
  dayOf,
  MAX_RECORD_BYTES,
  makeRecord,
  openRecord,
  RECORD_LIFETIME_MS,
  recordKeys
} from '../../../node/network/address-record.js'
import { type Dht, startDht } from '../../../node/network/dht.js'
import { type DeviceId, silentLog, systemClock, systemRandom } from '../../../storage/base/index.js'

const root = new Uint8Array(randomBytes(32))
const ada = '12D3KooWada' as DeviceId
const bob = '12D3KooWbob' as DeviceId
const NOW = Date.UTC(2026, 5, 1, 12)
const addresses = ['/ip4/192.168.1.7/tcp/4001', '/ip6/fd00::7/tcp/4001']

describe('an address record', () => {
  const keys = recordKeys(root, ada, dayOf(NOW))
  const value = makeRecord(keys, addresses, NOW, systemRandom)

  it('opens for who holds the pair secret, to what was put in', () => {
    assert.deepEqual(openRecord(keys, value, NOW), { addresses, seq: NOW })
  })
  it('of eight long addresses is within the limit', () => {
    const long = Array.from({ length: 8 }, () => '/ip6/fd00:1111:2222:3333:4444:5555:6666:7777/tcp/65535')
    assert.ok(makeRecord(keys, long, NOW, systemRandom).length <= MAX_RECORD_BYTES)
  })
  it('lies under another key for the other device, another day, another pair', () => {
    const other = [
      recordKeys(root, bob, dayOf(NOW)),
      recordKeys(root, ada, dayOf(NOW) + 1),
      recordKeys(new Uint8Array(32), ada, dayOf(NOW))
    ]
    assert.equal(new Set([keys, ...other].map(k => k.dhtKey)).size, 4)
    for (const k of other) assert.throws(() => openRecord(k, value, NOW), /another key/)
  })
  for (const [why, at, pattern] of [
    ['past', NOW + RECORD_LIFETIME_MS + 11 * 60_000, /past/],
    ['of the future', NOW - 11 * 60_000, /future/]
  ] as const) {
    it(`that is ${why} is refused`, () => assert.throws(() => checkRecord(keys.dhtKey, value, at), pattern))
  }
  it('is taken within ten minutes of tolerance for clocks', () => {
    checkRecord(keys.dhtKey, value, NOW - 9 * 60_000)
    checkRecord(keys.dhtKey, value, NOW + RECORD_LIFETIME_MS + 9 * 60_000)
  })
  it('with any one bit changed is refused', () => {
    for (let i = 0; i < value.length; i++) {
      const bent = value.slice()
      bent[i]! ^= 1 << (i % 8)
      assert.throws(() => openRecord(keys, bent, NOW), `byte ${i}`)
    }
  })
  it('one byte too long is refused', () => {
    assert.throws(() => checkRecord(keys.dhtKey, new Uint8Array(MAX_RECORD_BYTES + 1), NOW), /at most/)
  })
})

describe('the DHT node', () => {
  const nodes: Dht[] = []
  let bootstrap: string[] = []
  const start = async (serve: boolean): Promise<Dht> => {
    const init = { clock: systemClock, log: silentLog, listen: ['/ip4/127.0.0.1/tcp/0'] }
    const node = await startDht({ ...init, serve, bootstrap })
    nodes.push(node)
    return node
  }
  let server: Dht
  let writer: Dht
  let reader: Dht
  before(async () => {
    server = await start(true)
    bootstrap = [...server.status().listening]
    writer = await start(false)
    reader = await start(false)
  })
  after(() => Promise.all(nodes.map(n => n.stop())))

  /** Until the node that bootstraps has met the others there is nobody to ask. */
  async function putUntilTaken(key: string, value: Uint8Array): Promise<void> {
    while (!(await writer.put(key, value, {}))) await systemClock.sleep(50)
  }
  async function read(key: string): Promise<Uint8Array[]> {
    const found: Uint8Array[] = []
    for await (const value of reader.lookup(key, {})) found.push(value)
    return found
  }
  async function readUntilFound(key: string): Promise<Uint8Array[]> {
    for (;;) {
      const found = await read(key)
      if (found.length > 0) return found
      await systemClock.sleep(50)
    }
  }

  it('what one node puts another finds through a third', async () => {
    const now = Date.now()
    const keys = recordKeys(root, ada, dayOf(now))
    await putUntilTaken(keys.dhtKey, makeRecord(keys, addresses, now, systemRandom))
    const [value] = await readUntilFound(keys.dhtKey)
    assert.deepEqual(openRecord(keys, value!, Date.now()).addresses, addresses)
  })

  it('an older value does not replace a newer one', async () => {
    const now = Date.now()
    const keys = recordKeys(root, bob, dayOf(now))
    const older = makeRecord(keys, ['/ip4/10.0.0.1/tcp/1'], now - 60_000, systemRandom)
    await putUntilTaken(keys.dhtKey, makeRecord(keys, addresses, now, systemRandom))
    assert.equal(await writer.put(keys.dhtKey, older, {}), false)
    const values = await readUntilFound(keys.dhtKey)
    assert.deepEqual(
      values.map(v => openRecord(keys, v, Date.now()).seq),
      [now]
    )
  })

  it('garbage, a foreign key and a foreign namespace are not taken', async () => {
    const keys = recordKeys(root, ada, dayOf(Date.now()) + 7)
    assert.equal(await writer.put(keys.dhtKey, new Uint8Array([1, 2, 3]), {}), false)
    const good = makeRecord(keys, addresses, Date.now(), systemRandom)
    assert.equal(await writer.put(recordKeys(root, bob, 1).dhtKey, good, {}), false)
    await read('/other/abc')
    assert.deepEqual(await read(keys.dhtKey), [])
  })

  it('a key that nobody has put ends without a value', async () => {
    assert.deepEqual(await read(recordKeys(new Uint8Array(32), ada, 1).dhtKey), [])
  })
})
