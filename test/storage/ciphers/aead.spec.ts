import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  type Aead,
  type AeadName,
  aead,
  checked,
  KEY_BYTES,
  NONCE_BYTES,
  TAG_BYTES
} from '../../../storage/ciphers/index.js'
import { nodeAead } from '../../../storage/ciphers/node-aead.js'
import { findOpensslAead } from '../../../storage/ciphers/openssl.js'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const parameters = fc.record({
  key: bytes(KEY_BYTES),
  nonce: bytes(NONCE_BYTES),
  aad: fc.uint8Array({ maxLength: 40 })
})
/** Memory as content comes in: of its own, in the middle of other memory, and shared between threads. */
const memories = [
  (n: number) => new Uint8Array(n),
  (n: number) => new Uint8Array(new ArrayBuffer(n + 7), 3, n),
  (n: number) => new Uint8Array(new SharedArrayBuffer(n + 64), 22, n)
]

describe('ciphers in the memory they are given', () => {
  it('on Linux Node lets its OpenSSL be called', () => {
    assert.ok(process.platform !== 'linux' || findOpensslAead('aes-256-gcm') !== undefined)
  })

  for (const name of ['aes-256-gcm', 'chacha20-poly1305'] as AeadName[]) {
    const plain = checked(nodeAead(name))

    it(`${name}: the same bytes as node:crypto, whatever the content and the memory, and each opens what the other sealed`, () => {
      const fast = aead(name)
      fc.assert(
        fc.property(
          parameters,
          fc.oneof(
            fc.uint8Array({ maxLength: 100 }),
            fc.integer({ min: 0, max: 200_000 }).map(n => Buffer.alloc(n, n))
          ),
          fc.constantFrom(...memories),
          (p, content, memory) => {
            const into = memory(content.length)
            const [tag, reference] = [new Uint8Array(TAG_BYTES), new Uint8Array(TAG_BYTES)]
            const sealed = new Uint8Array(content.length)
            fast.seal(p, content, into, tag)
            plain.seal(p, content, sealed, reference)
            assert.deepEqual([Buffer.from(into), tag], [Buffer.from(sealed), reference])
            assert.ok(fast.open(p, into, into, tag))
            assert.deepEqual(Buffer.from(into), Buffer.from(content))
            assert.ok(plain.open(p, sealed, sealed, tag))
            assert.deepEqual(Buffer.from(sealed), Buffer.from(content))
          }
        )
      )
    })

    it(`${name}: content in several pieces is sealed as if it were one`, () => {
      fc.assert(
        fc.property(parameters, fc.array(fc.uint8Array({ maxLength: 200 })), (p, pieces) => {
          const content = Buffer.concat(pieces)
          for (const cipher of [aead(name), plain]) {
            const [one, several] = [new Uint8Array(content.length), new Uint8Array(content.length)]
            const [tag, other] = [new Uint8Array(TAG_BYTES), new Uint8Array(TAG_BYTES)]
            cipher.seal(p, content, one, tag)
            cipher.seal(p, pieces, several, other)
            assert.deepEqual([several, other], [one, tag])
            const cuts = [one.subarray(0, one.length >> 1), one.subarray(one.length >> 1)]
            assert.ok(cipher.open(p, cuts, several, tag))
            assert.deepEqual(Buffer.from(several), content)
            assert.ok(cipher.open(p, cuts, 'in place', tag))
            assert.deepEqual(Buffer.from(one), content)
          }
        })
      )
    })

    for (const [how, cipher] of [
      ['as it is called', () => aead(name)],
      ['by node:crypto', () => plain]
    ] as [string, () => Aead][]) {
      it(`${name} ${how}: nothing opens that differs in one bit, and the next one opens all the same`, () => {
        fc.assert(
          fc.property(parameters, fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(), (p, content, at) => {
            const sealed = new Uint8Array(content.length)
            const tag = new Uint8Array(TAG_BYTES)
            cipher().seal(p, content, sealed, tag)
            const bit = (from: Uint8Array): Uint8Array => {
              const other = Uint8Array.from(from)
              other[at % other.length]! ^= 1 << (at & 7)
              return other
            }
            const into = new Uint8Array(content.length)
            assert.equal(cipher().open(p, bit(sealed), into, tag), false)
            assert.equal(cipher().open(p, bit(sealed), 'in place', tag), false)
            assert.equal(cipher().open(p, sealed, into, bit(tag)), false)
            assert.equal(cipher().open({ ...p, key: bit(p.key) }, sealed, into, tag), false)
            assert.equal(cipher().open({ ...p, nonce: bit(p.nonce) }, sealed, into, tag), false)
            if (p.aad.length > 0) assert.equal(cipher().open({ ...p, aad: bit(p.aad) }, sealed, into, tag), false)
            assert.equal(cipher().open(p, sealed, into, tag), true)
            assert.deepEqual(into, content)
          })
        )
      })
    }

    it(`${name}: memory of another length than it says is refused before anything is written`, () => {
      const p = { key: new Uint8Array(KEY_BYTES), nonce: new Uint8Array(NONCE_BYTES), aad: new Uint8Array(0) }
      const [content, tag] = [new Uint8Array(10), new Uint8Array(TAG_BYTES)]
      const seal =
        (...[q, from, into, t]: Parameters<Aead['seal']>) =>
        () =>
          aead(name).seal(q, from, into, t)
      assert.throws(seal(p, content, new Uint8Array(9), tag), RangeError)
      assert.throws(seal(p, content, new Uint8Array(10), new Uint8Array(15)), RangeError)
      assert.throws(seal({ ...p, key: new Uint8Array(16) }, content, content, tag), RangeError)
      assert.throws(seal({ ...p, nonce: new Uint8Array(11) }, content, content, tag), RangeError)
    })
  }
})
