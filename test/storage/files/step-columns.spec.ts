import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { RelPath } from '../../../storage/base/index.js'
import { fromStepColumns, type PlaceStep, toStepColumns } from '../../../storage/files/index.js'

const plain = { noNullPrototype: true }
const places = [randomUUID(), randomUUID()]
const path = fc
  .array(fc.constantFrom('a', 'photo.jpg', 'é', '\udc80', ' '), { minLength: 1, maxLength: 3 })
  .map(names => names.join('/') as RelPath)
const source = fc.record(
  { staging: fc.constantFrom(...places), path, sizeBytes: fc.nat() },
  { requiredKeys: ['staging', 'path'], noNullPrototype: true }
)
const expected = fc.constant({ kind: 'file' as const, sizeBytes: 1, mtimeNs: 5n })
const step: fc.Arbitrary<PlaceStep> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('create' as const), path, from: source }, plain) },
  fc.record({ kind: fc.constant('make-directory' as const), path }, plain),
  fc.record({ kind: fc.constant('replace' as const), path, from: source, expected, aside: source }, plain)
)

describe('steps as columns', () => {
  it('come out as they went in, in their order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), steps => {
        assert.deepEqual(fromStepColumns(structuredClone(toStepColumns(steps))), steps)
      })
    )
  })

  it('have no object for what only gets a name', () => {
    const creates = Array.from({ length: 3 }, (_, i): PlaceStep => {
      return { kind: 'create', path: `${i}` as RelPath, from: { staging: places[0]!, path: `new/${i}` as RelPath } }
    })
    assert.deepEqual(toStepColumns(creates).others, [])
  })
})
