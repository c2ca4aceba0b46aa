import assert from 'node:assert/strict'
import { createPrivateKey, sign as nodeSign } from 'node:crypto'
import { publicKeyOf, sign, verify } from '../../../protocols/pairing/signature.js'
import { fixed } from './handshake.js'

const seed = fixed(1)
const publicKey = publicKeyOf(seed)
const message = fixed(2, 50)

describe('pairing signatures (A11)', () => {
  it('are those of Ed25519: Node makes the same', () => {
    const key = createPrivateKey({
      key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
      format: 'der',
      type: 'pkcs8'
    })
    assert.deepEqual(Buffer.from(sign(seed, message)), nodeSign(null, message, key))
    assert.ok(verify(publicKey, message, sign(seed, message)))
  })

  it('with any bit changed are refused', () => {
    const right = sign(seed, message)
    for (let bit = 0; bit < right.length * 8; bit++) {
      const changed = right.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      assert.ok(!verify(publicKey, message, changed), `bit ${bit}`)
    }
  })

  it('with S + L instead of S are refused', () => {
    const right = sign(seed, message)
    const L = 2n ** 252n + 27742317777372353535851937790883648493n
    let s = 0n
    for (let i = 63; i >= 32; i--) s = (s << 8n) | BigInt(right[i]!)
    s += L
    const changed = right.slice()
    for (let i = 32; i < 64; i++, s >>= 8n) changed[i] = Number(s & 255n)
    assert.ok(!verify(publicKey, message, changed))
  })

  it('of keys of small order are refused', () => {
    for (const hex of [
      '0100000000000000000000000000000000000000000000000000000000000000',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      '0000000000000000000000000000000000000000000000000000000000000000',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'
    ]) {
      const small = new Uint8Array(Buffer.from(hex, 'hex'))
      const forged = new Uint8Array(64) // R of small order, S = 0: holds for many messages where such keys are taken
      forged.set(small)
      for (let n = 0; n < 16; n++) assert.ok(!verify(small, fixed(n, 40), forged), hex)
    }
  })

  it('of another length, or by what is no point, are refused without an exception', () => {
    for (const bad of [new Uint8Array(0), fixed(1, 63), fixed(1, 65)]) assert.ok(!verify(publicKey, message, bad))
    assert.ok(!verify(fixed(255), message, sign(seed, message)))
    assert.ok(!verify(fixed(1, 31), message, sign(seed, message)))
  })
})
