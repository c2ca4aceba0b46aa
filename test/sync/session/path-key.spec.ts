import assert from 'node:assert/strict'
import fc from 'fast-check'
import { comparePaths, pathBytes, type RelPath, textFromBytes } from '../../../storage/base/index.js'
import { keyPath, keysBelow, pathKey, pathKeys } from '../../../sync/session/path-key.js'

/** Any names a file system may hold: plain ones, others, and bytes that are no text. */
const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
  fc.uint8Array({ minLength: 1, maxLength: 12 }).map(textFromBytes)
)
const path = fc
  .array(name, { minLength: 1, maxLength: 4 })
  .map(names => names.map(n => textFromBytes(pathBytes(n.replace(/[/\0]/g, '_')))).join('/') as RelPath)

describe('keys of paths', () => {
  it('stand for any path: its bytes with a zero for each slash', () => {
    fc.assert(
      fc.property(path, p => {
        const key = pathKey(p)
        assert.equal(keyPath(key), p)
        const bytes = Uint8Array.from(pathBytes(p)).map(b => (b === 0x2f ? 0 : b))
        assert.deepEqual(key, bytes)
        assert.equal(key.buffer.byteLength, key.length, 'nothing else goes along with it to another thread')
      })
    )
  })

  it('of many paths in one are those of each', () => {
    fc.assert(
      fc.property(fc.array(path, { minLength: 1 }), paths => {
        assert.deepEqual(pathKeys(paths.join('\0')).map(keyPath), paths)
      })
    )
  })

  it('are in the order of the tree, what lies below a path between two of them', () => {
    fc.assert(
      fc.property(path, path, name, (a, b, child) => {
        assert.equal(Math.sign(Buffer.compare(pathKey(a), pathKey(b))), Math.sign(comparePaths(a, b)))
        const below = pathKey(`${a}/${child.replace(/[/\0]/g, '_')}` as RelPath)
        const [from, to] = keysBelow(pathKey(a))
        assert.ok(Buffer.compare(from, below) <= 0 && Buffer.compare(below, to) < 0)
      })
    )
  })
})
