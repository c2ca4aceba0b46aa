import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { ContentHash, RelPath } from '../../../storage/base/index.js'
import { fromPackColumns, toPackColumns } from '../../../sync/endpoints/pack-columns.js'

const problem = { path: 'a', code: 'MISSING', message: 'it is not there' }

describe('what is told of a pack as columns', () => {
  it('comes out as it went in, and each file lies behind the one before', () => {
    const one = fc.option(fc.nat({ max: 2 ** 20 }), { nil: undefined })
    fc.assert(
      fc.property(fc.array(one, { maxLength: 20 }), lengths => {
        let offset = 0
        const files = lengths.map((length, i) => {
          const path = `${i}` as RelPath
          if (length === undefined) return { path, problem }
          const stat = {
            ...{ kind: 'file' as const, sizeBytes: length, mtimeNs: -1n, ctimeNs: 2n, birthNs: 3n, device: 4n },
            ...{ inode: 2n ** 64n - 1n, mount: 0n, mode: 0o644, links: 1, uid: i }
          }
          const hash = Buffer.alloc(32, i).toString('hex') as ContentHash
          const file = { path, offset, length, hash, stat }
          offset += length
          return file
        })
        const paths = [...files.map(f => f.path), 'not read' as RelPath]
        assert.deepEqual(fromPackColumns(paths, structuredClone(toPackColumns(files))), files)
      })
    )
  })
})
