import assert from 'node:assert/strict'
import {
  advertisementKey,
  checkAdvertisement,
  makeAdvertisement,
  openAdvertisement,
  selectAdvertisement
} from '../../../protocols/pairing/advertisement.js'
import { codeKeys } from '../../../protocols/pairing/derive.js'
import { seal } from '../../../protocols/pairing/exchange.js'
import { labelled } from '../../../protocols/pairing/kdf.js'
import { CLOCK_TOLERANCE_MS, CODE_LIFETIME_MS, MAX_ADVERTISEMENT_BYTES } from '../../../protocols/pairing/limits.js'
import { publicKeyOf, sign } from '../../../protocols/pairing/signature.js'
import { encode } from '../../../protocols/wire/index.js'
import type { DeviceId } from '../../../storage/base/index.js'
import { fixed, ZERO_KEYS } from './handshake.js'

const NOW = 1_800_000_000_000
const init = {
  device: '12D3KooWGvbcbVvLTNmvPmuGnD4C9WJVMZQmpbtbHhPxNTCXdPGZ' as DeviceId,
  addresses: ['/ip4/192.168.1.7/tcp/4001'],
  seq: 1,
  notAfterMs: NOW + CODE_LIFETIME_MS,
  nonce: fixed(7, 12)
}
const key = advertisementKey(ZERO_KEYS)
const value = makeAdvertisement(ZERO_KEYS, init)

describe('pairing advertisement (E4)', () => {
  it('passes its validator and opens with the words', () => {
    checkAdvertisement(key, value, NOW)
    assert.deepEqual(openAdvertisement(ZERO_KEYS, value, NOW), {
      device: init.device,
      addresses: init.addresses,
      seq: 1
    })
  })

  it('shows neither device nor addresses to who has no words', () => {
    for (const secret of [init.device, '192.168.1.7', '4001'])
      assert.ok(!Buffer.from(value).includes(secret), `${secret} can be read`)
    const other = codeKeys(fixed(9, 16))
    assert.throws(() => openAdvertisement(other, value, NOW), /another key/)
    const resealed = { ...ZERO_KEYS, rendezvousKey: other.rendezvousKey }
    assert.throws(() => openAdvertisement(resealed, value, NOW), /does not open/)
  })

  it('fits 1 KiB with eight of the longest addresses, and leaves out the ninth', () => {
    const long = Array.from({ length: 9 }, (_, i) => `/ip6/2a01:4f8:1234:5678:9abc:def0:1234:567${i}/tcp/65535`)
    const full = makeAdvertisement(ZERO_KEYS, { ...init, addresses: long, seq: Number.MAX_SAFE_INTEGER })
    assert.ok(full.length <= MAX_ADVERTISEMENT_BYTES, `${full.length}`)
    assert.deepEqual(openAdvertisement(ZERO_KEYS, full, NOW).addresses, long.slice(0, 8))
  })

  it('E6: addresses that nobody should dial are left out by the writer, and dropped by the reader when a writer did not', () => {
    const bad = ['/ip4/127.0.0.1/tcp/22', '/ip4/169.254.169.254/tcp/80', '/dns4/x.example/tcp/1']
    const mixed = [...bad, '/ip4/10.0.0.1/tcp/1']
    const own = makeAdvertisement(ZERO_KEYS, { ...init, addresses: mixed })
    assert.deepEqual(openAdvertisement(ZERO_KEYS, own, NOW).addresses, ['/ip4/10.0.0.1/tcp/1'])
    assert.deepEqual(openAdvertisement(ZERO_KEYS, hostile(mixed), NOW).addresses, ['/ip4/10.0.0.1/tcp/1'])
    assert.throws(() => openAdvertisement(ZERO_KEYS, hostile(Array(25).fill('/ip4/10.0.0.1/tcp/1')), NOW), {
      code: 'MALFORMED'
    })
  })

  it('is checked with ten minutes of tolerance for clocks, at both edges', () => {
    const past = init.notAfterMs + CLOCK_TOLERANCE_MS
    checkAdvertisement(key, value, past)
    assert.throws(() => checkAdvertisement(key, value, past + 1), /past/)
    const early = init.notAfterMs - CODE_LIFETIME_MS - CLOCK_TOLERANCE_MS
    checkAdvertisement(key, value, early)
    assert.throws(() => checkAdvertisement(key, value, early - 1), /future/)
  })

  it('every byte counts: with any one changed it is refused', () => {
    for (let i = 0; i < value.length; i++) {
      const changed = value.slice()
      changed[i]! ^= 1
      assert.throws(() => checkAdvertisement(key, changed, NOW), `byte ${i}`)
    }
  })

  it('is refused under another key, unsigned, too long, or of no form', () => {
    assert.throws(() => checkAdvertisement(advertisementKey(codeKeys(fixed(9, 16))), value, NOW), /another key/)
    assert.throws(() => checkAdvertisement('/sdpair/', value, NOW), /another key/)
    assert.throws(() => checkAdvertisement(key, new Uint8Array(MAX_ADVERTISEMENT_BYTES + 1), NOW), /at most 1024/)
    assert.throws(() => checkAdvertisement(key, new Uint8Array(2 * 1024 * 1024), NOW), /at most 1024/)
    for (const bad of [new Uint8Array(0), encode({}), encode([]), encode({ v: 1, rendezvous: fixed(1) })]) {
      assert.throws(() => checkAdvertisement(key, bad, NOW), { code: 'MALFORMED' })
    }
  })

  it('the selector takes the highest seq, and of equals the same one everywhere', () => {
    const at = (seq: number, nonce: number): Uint8Array =>
      makeAdvertisement(ZERO_KEYS, { ...init, seq, nonce: fixed(nonce, 12) })
    const [a, b, c] = [at(1, 1), at(3, 1), at(2, 1)]
    assert.equal(selectAdvertisement([a, b, c]), 1)
    assert.equal(selectAdvertisement([b, c, a]), 0)
    assert.equal(selectAdvertisement([fixed(1, 10), a]), 1)
    const [x, y] = [at(5, 1), at(5, 2)]
    assert.deepEqual([x, y][selectAdvertisement([x, y])], [y, x][selectAdvertisement([y, x])])
  })
})

/** What somebody with the words may write who does not keep to the rules of `makeAdvertisement`. */
function hostile(addresses: readonly string[]): Uint8Array {
  const number64 = (n: number): Uint8Array => {
    const out = Buffer.alloc(8)
    out.writeBigUInt64BE(BigInt(n))
    return out
  }
  const rendezvous = publicKeyOf(ZERO_KEYS.rendezvousSeed)
  const head = [Buffer.from(key), fixed(1, 1), rendezvous, number64(init.seq), number64(init.notAfterMs)]
  const content = encode({ device: init.device, addresses })
  const sealed = seal(ZERO_KEYS.rendezvousKey, init.nonce, content, labelled('/advertisement-seal', ...head))
  const signature = sign(ZERO_KEYS.rendezvousSeed, labelled('/advertisement', ...head, init.nonce, sealed))
  const fields = { v: 1, rendezvous, seq: init.seq, notAfter: init.notAfterMs, nonce: init.nonce }
  return encode({ ...fields, sealed, signature })
}
