import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { ContentHash, RelPath } from '../../../storage/base/index.js'
import { eachStaged, fromStagedColumns, type StagedEntry, toStagedColumns } from '../../../storage/files/index.js'

const path = fc
  .array(fc.constantFrom('a', 'photo.jpg', 'é', '\udc80', ' '), { minLength: 1, maxLength: 3 })
  .map(names => names.join('/') as RelPath)
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(b => Buffer.from(b).toString('hex') as ContentHash)
const mtimeNs = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const entry: fc.Arbitrary<StagedEntry> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      {
        ...{ kind: fc.constant('file' as const), path, offset: fc.maxSafeNat(), length: fc.maxSafeNat() },
        ...{ hash, mode: fc.integer({ min: 0, max: 0o7777 }), mtimeNs }
      },
      { requiredKeys: ['kind', 'path', 'offset', 'length'], noNullPrototype: true }
    )
  },
  fc.record({ kind: fc.constant('directory' as const), path }, { noNullPrototype: true }),
  fc.record(
    { kind: fc.constant('symlink' as const), path, target: fc.string(), mtimeNs },
    { requiredKeys: ['kind', 'path', 'target'], noNullPrototype: true }
  )
)

describe('what is to be staged as columns', () => {
  it('comes out as it went in, in its order', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), entries => {
        const columns = structuredClone(toStagedColumns(entries))
        assert.deepEqual(fromStagedColumns(columns), entries)
        assert.equal(toStagedColumns(columns), columns)
        const told: { path: RelPath; index: number; kind: string }[] = []
        eachStaged(columns, (path, index, kind) => told.push({ path, index, kind }))
        assert.deepEqual(
          told,
          entries.map(({ path, kind }, index) => ({ path, index, kind }))
        )
      })
    )
  })
})
