import assert from 'node:assert/strict'
import fc from 'fast-check'
import { pathBytes, type RelPath, textFromBytes } from '../../../storage/base/index.js'
import { inParts, PART_NAMES, unpack } from '../../../storage/indexer/listing.js'
import type { WalkItem } from '../../../storage/indexer/walk.worker.js'
import { WalkStack } from '../../../storage/indexer/walk-stack.js'

describe('a huge directory in parts', () => {
  it('up to twice a part it is one listing', () => {
    assert.equal(inParts(Array.from({ length: 2 * PART_NAMES }, (_, i) => `${i}`)), undefined)
    assert.equal(inParts(Array.from({ length: 2 * PART_NAMES + 1 }, (_, i) => `${i}`))?.length, 3)
  })

  it('each name lies in the range of its part, and the ranges leave no gap, whatever bytes the names have', () => {
    const odd = fc.uint8Array({ minLength: 1, maxLength: 6 }).filter(b => !b.includes(0) && !b.includes(0x2f))
    fc.assert(
      fc.property(fc.uniqueArray(odd, { minLength: 1, maxLength: 40, selector: b => b.join() }), odds => {
        const names = Array.from({ length: 2 * PART_NAMES + 1 }, (_, i) => `n${(i * 7919) % 100_003}`)
        names.push(...odds.map(b => `${textFromBytes(b)}+`))
        const parts = inParts(names)!
        assert.equal(parts[0]!.range.from, null)
        assert.equal(parts.at(-1)!.range.to, null)
        parts.forEach(({ packed, range }, i) => {
          if (i > 0) assert.equal(range.from, parts[i - 1]!.range.to)
          for (const name of unpack(packed)) {
            assert.ok(range.from === null || Buffer.compare(pathBytes(name), range.from) >= 0)
            assert.ok(range.to === null || Buffer.compare(pathBytes(name), range.to) < 0)
          }
        })
        assert.deepEqual(parts.flatMap(p => unpack(p.packed)).sort(), names.sort())
      }),
      { numRuns: 5 }
    )
  })
})

describe('the stack of a walk', () => {
  const item = (rel: string, part = false): WalkItem => ({
    ...{ kind: part ? 'part' : 'directory', id: 1, rel: rel as RelPath, excluded: false, all: true, depth: 9 },
    ...(part ? { part: { packed: Buffer.from(rel), range: { from: null, to: null } } } : {})
  })
  const rels = (items: readonly WalkItem[] | undefined): string[] => (items ?? []).map(i => i.rel)

  it('takers share what there is, the last first', () => {
    const stack = new WalkStack(['a', 'b', 'c', 'd', 'e'].map(rel => item(rel)))
    const first = stack.take(2)
    assert.deepEqual(rels(first), ['c', 'd', 'e'])
    assert.deepEqual(rels(stack.take(1)), ['a', 'b'])
    assert.equal(stack.take(1), undefined)
    stack.give(first!, [item('f')])
    assert.deepEqual(rels(stack.take(2)), ['f'])
  })

  it('of parts one is out at a time, in order; what lies beneath them need not wait', () => {
    const stack = new WalkStack([item('a'), item('p2', true), item('p1', true)])
    const part = stack.take(2)
    assert.deepEqual(rels(part), ['p1'])
    const other = stack.take(2)
    assert.deepEqual(rels(other), ['a'])
    assert.equal(stack.take(2), undefined)
    stack.give(other!, [])
    assert.equal(stack.take(2), undefined)
    stack.give(part!, [item('in p1')])
    assert.deepEqual(rels(stack.take(1)), ['in p1'])
    assert.deepEqual(rels(stack.take(1)), ['p2'])
  })
})
