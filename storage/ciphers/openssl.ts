/**
 * Node's own OpenSSL, called directly: the program exports it for native modules, and these functions are the same in every
 * version since 1.1. Not there (another build of Node, no koffi for the platform): the caller does without.
 *
 * Memory goes over as a pointer to its first byte, and is written as far as the lengths say that `checked` has compared.
 */
import { createRequire } from 'node:module'
import {
  type Aead,
  type AeadName,
  type AeadParameters,
  KEY_BYTES,
  NONCE_BYTES,
  type Pieces,
  piecesOf,
  TAG_BYTES
} from './aead.js'
import { nodeAead } from './node-aead.js'

interface Evp {
  readonly newContext: () => unknown
  readonly freeContext: (context: unknown) => void
  readonly cipher: Readonly<Record<AeadName, () => unknown>>
  readonly init: (
    context: unknown,
    cipher: unknown,
    engine: null,
    key: Uint8Array | null,
    nonce: Uint8Array,
    seal: number
  ) => number
  readonly update: (
    context: unknown,
    into: Uint8Array | null,
    length: Uint8Array,
    from: Uint8Array,
    bytes: number
  ) => number
  readonly final: (context: unknown, into: Uint8Array, length: Uint8Array) => number
  readonly control: (context: unknown, command: number, bytes: number, value: Uint8Array) => number
  readonly clearErrors: () => void
}

const GET_TAG = 0x10
const SET_TAG = 0x11

let loaded: { evp: Evp | undefined } | undefined

/** undefined: there is none here, or it does not do what node:crypto does. */
export function findOpensslAead(name: AeadName): Aead | undefined {
  loaded ??= { evp: load() }
  if (loaded.evp === undefined) return undefined
  try {
    const cipher = opensslAead(loaded.evp, name)
    return agrees(cipher, nodeAead(name)) ? cipher : undefined
  } catch {
    return undefined
  }
}

function load(): Evp | undefined {
  if (process.platform !== 'linux' && process.platform !== 'darwin') return undefined
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
    const lib = koffi.load(null)
    return {
      newContext: lib.func('void *EVP_CIPHER_CTX_new()'),
      freeContext: lib.func('void EVP_CIPHER_CTX_free(void *)'),
      cipher: {
        'aes-256-gcm': lib.func('void *EVP_aes_256_gcm()'),
        'chacha20-poly1305': lib.func('void *EVP_chacha20_poly1305()')
      },
      init: lib.func('int EVP_CipherInit_ex(void *, void *, void *, void *, void *, int)'),
      update: lib.func('int EVP_CipherUpdate(void *, void *, void *, void *, int)'),
      final: lib.func('int EVP_CipherFinal_ex(void *, void *, void *)'),
      control: lib.func('int EVP_CIPHER_CTX_ctrl(void *, int, int, void *)'),
      clearErrors: lib.func('void ERR_clear_error()')
    }
  } catch {
    return undefined // no koffi for this platform, or a Node that does not export its OpenSSL
  }
}

function opensslAead(evp: Evp, name: AeadName): Aead {
  const cipher = evp.cipher[name]()
  const length = new Uint8Array(4)
  const rest = new Uint8Array(32)

  /** A context for one record: one that is kept would be lost with each thread that ends. */
  function once<T>({ key, nonce, aad }: AeadParameters, seal: boolean, work: (context: unknown) => T): T {
    const context = evp.newContext()
    if (!context) throw failed('make a context')
    try {
      ok(evp.init(context, cipher, null, key, nonce, seal ? 1 : 0), 'take the key')
      if (aad.length > 0) ok(evp.update(context, null, length, aad, aad.length), 'take what it vouches for')
      return work(context)
    } finally {
      evp.freeContext(context)
    }
  }

  function through(context: unknown, from: Pieces, into: Uint8Array | 'in place'): void {
    let at = 0
    for (const piece of piecesOf(from)) {
      if (piece.length === 0) continue
      const place = into === 'in place' ? piece : at === 0 ? into : into.subarray(at)
      ok(evp.update(context, place, length, piece, piece.length), 'take a piece')
      at += piece.length
    }
  }

  function ok(result: number, what: string): void {
    if (result === 1) return
    evp.clearErrors()
    throw failed(what)
  }

  return {
    seal(parameters, from, into, tag) {
      once(parameters, true, context => {
        through(context, from, into)
        ok(evp.final(context, rest, length), 'finish')
        ok(evp.control(context, GET_TAG, TAG_BYTES, tag), 'give the tag')
      })
    },
    open: (parameters, from, into, tag) =>
      once(parameters, false, context => {
        ok(evp.control(context, SET_TAG, TAG_BYTES, tag), 'take the tag')
        through(context, from, into)
        if (evp.final(context, rest, length) === 1) return true
        evp.clearErrors()
        return false
      })
  }
}

const failed = (what: string): Error => new Error(`OpenSSL could not ${what}`)

/** Both seal alike and open what the other sealed, in place; and neither opens what was changed. */
function agrees(one: Aead, other: Aead): boolean {
  const parameters = {
    key: new Uint8Array(KEY_BYTES).fill(7),
    nonce: new Uint8Array(NONCE_BYTES).fill(9),
    aad: Buffer.from('aad')
  }
  const content = Buffer.from('what both of them seal, over more than one block of the cipher')
  const [a, b] = [Buffer.from(content), Buffer.from(content)]
  const [tagA, tagB] = [Buffer.alloc(TAG_BYTES), Buffer.alloc(TAG_BYTES)]
  one.seal(parameters, a, a, tagA)
  other.seal(parameters, content, b, tagB)
  if (!a.equals(b) || !tagA.equals(tagB)) return false
  const cut = [b.subarray(0, 20), b.subarray(20)]
  if (!one.open(parameters, cut, 'in place', tagB) || !b.equals(content)) return false
  a[0]! ^= 1
  return !one.open(parameters, a, a, tagA)
}
