import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { RelPath } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import type { Leaf, Operation } from '../../../sync/reconcile/index.js'
import { Batch, type BatchLimits, LIMITS_FAR } from '../../../sync/session/batch.js'

const LIMITS: BatchLimits = { steps: 8, letters: 900, takenBytes: 1_000 }
const file = (sizeBytes: number): Leaf =>
  ({ kind: 'file', hash: hashBytes(Buffer.from('x')), sizeBytes, mtimeNs: 0n, mode: 0o644 }) as Leaf
const common = { end: 'destination', reason: 'edited', needs: [] } as const

const operation: fc.Arbitrary<Omit<Operation, 'id'>> = fc
  .record({
    kind: fc.constantFrom('create', 'replace', 'remove', 'move'),
    name: fc.integer({ min: 1, max: 300 }),
    bytes: fc.integer({ min: 0, max: 600 }),
    counters: fc.integer({ min: 0, max: 6 })
  })
  .map(({ kind, name, bytes, counters }) => {
    const path = 'x'.repeat(name) as RelPath
    const version = Object.fromEntries(Array.from({ length: counters }, (_, i) => [`ada.000000000000000${i}`, i + 1]))
    const from = { path, end: 'source' }
    const more = {
      create: { content: file(bytes), mode: 0o644, mtimeNs: 0n, from },
      replace: { content: file(bytes), mode: 0o644, mtimeNs: 0n, from, expected: file(bytes) },
      remove: { expected: file(bytes) },
      move: { to: path, expected: file(bytes) }
    }[kind]
    return { kind, path, version, ...common, ...more } as never
  })

/** What a message tells of it at least: its names, and the names of the counters of its version. */
const told = (op: Operation): number =>
  op.path.length +
  (op.kind === 'move' ? op.to.length : 0) +
  Object.keys('version' in op ? (op.version ?? {}) : {}).reduce((n, name) => n + name.length, 0)
const taken = (op: Operation): number =>
  (op.kind === 'replace' || op.kind === 'remove') && op.expected.kind === 'file' ? op.expected.sizeBytes : 0
const sum = (ops: readonly Operation[], of: (op: Operation) => number): number => ops.reduce((n, op) => n + of(op), 0)

describe('operations that are placed together', () => {
  it('stay within every limit, unless one alone is beyond it; none is left out', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), list => {
        const batches = [new Batch(LIMITS)]
        const ops = list.map((op, id) => ({ ...op, id }) as Operation)
        for (const op of ops) {
          if (!batches.at(-1)!.takes(op)) batches.push(new Batch(LIMITS))
          batches.at(-1)!.add(op)
        }
        for (const { ops: some } of batches) {
          assert.ok(some.length <= LIMITS.steps)
          if (some.length < 2) continue
          assert.ok(sum(some, told) <= LIMITS.letters)
          assert.ok(sum(some, taken) <= LIMITS.takenBytes)
        }
        assert.deepEqual(
          batches.flatMap(batch => batch.ops),
          ops
        )
      })
    )
  })

  it('of another device: what it reads before it takes anything away, it reads in time', () => {
    const batch = new Batch(LIMITS_FAR)
    const removal = (id: number): Operation => ({
      ...{ ...common, kind: 'remove', id, path: `video ${id}` as RelPath, expected: file(4 * 2 ** 30) }
    })
    let id = 0
    while (batch.takes(removal(id))) batch.add(removal(id++))
    assert.equal(id, 4)
  })
})
