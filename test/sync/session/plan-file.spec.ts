import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { ContentHash, RelPath } from '../../../storage/base/index.js'
import {
  type Entry,
  foldResults,
  type Leaf,
  type Operation,
  type Outcome,
  type Present,
  type Row,
  type Settle,
  type Shown,
  unreadContent,
  versionOf
} from '../../../sync/reconcile/index.js'
import { KeptRows } from '../../../sync/session/kept-rows.js'
import {
  BLOCKS_FROM,
  operationsIn,
  planWriter,
  readOperations,
  readSettles,
  withPlan
} from '../../../sync/session/plan-file.js'
import { plannedOf } from '../../../sync/session/planned-columns.js'

const RUNS = Number(process.env.SPACEDRIVE_RUNS ?? 100)
const NUMBERS = { numRuns: RUNS }

const path = fc
  .array(fc.constantFrom('a', 'b c', 'é', '日本', '\n', '\ud800', 'x'.repeat(40)), { minLength: 1, maxLength: 4 })
  .map(names => names.join('/') as RelPath)
const ns = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })
const inode = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
const mode = fc.nat(0o7777)
const sizeBytes = fc.nat(Number.MAX_SAFE_INTEGER)
const hash = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map(bytes => Buffer.from(bytes).toString('hex') as ContentHash)
const version = fc.option(fc.dictionary(fc.constantFrom('r1', 'r2', '__proto__x'), fc.nat()), { nil: undefined })
const end = fc.constantFrom('source', 'destination')

/** The arbitraries make objects without a prototype. */
const plain = <T>(value: T): T => structuredClone(value)

/** As a look tells it, under its own name or one that it had before. */
const entry = (kinds: readonly Leaf['kind'][] | readonly ['directory'], at: RelPath): fc.Arbitrary<Entry> =>
  fc
    .record({
      ...{ kind: fc.constantFrom(...kinds), sizeBytes, mtimeNs: ns, ctimeNs: ns, birthNs: ns, inode, mode, hash },
      ...{ target: fc.string(), version, proves: fc.boolean(), unread: fc.boolean(), other: fc.option(path) }
    })
    .map(({ kind, mode, hash, target, version, proves, unread, other, ...stat }) => {
      const content = { hash: unread ? unreadContent(stat.inode, stat.ctimeNs) : hash, target }
      const made = plannedOf({ kind, ...stat }, { mode, at: other ?? at, ...content })
      if (proves) made.identity = { inode: stat.inode, birthNs: stat.birthNs }
      if (version !== undefined) made.version = version
      return made
    })
const anything = (at: RelPath): fc.Arbitrary<Present> =>
  fc.oneof(leaf(at), entry(['directory'], at)) as fc.Arbitrary<Present>
const leaf = (at: RelPath): fc.Arbitrary<Leaf> => entry(['file', 'symlink'], at) as fc.Arbitrary<Leaf>
const thing = (at: RelPath): fc.Arbitrary<Entry> =>
  fc.oneof(
    anything(at),
    fc.constant<Entry>({ kind: 'unknown', reason: 'unreadable', directory: true }),
    fc.constant<Entry>({ kind: 'gone', version: { r1: 3 } })
  )

const needs = fc.array(fc.nat(1e9), { maxLength: 3 })
const anyNeeds = fc.oneof(needs, fc.constant(Array.from({ length: 300 }, (_, i) => i)))

const operation: fc.Arbitrary<Operation> = path.chain(at => {
  const step = {
    id: fc.constant(0),
    end,
    path: fc.constant(at),
    reason: fc.constantFrom('created', 'edited', 'metadata'),
    needs: anyNeeds
  }
  const content = { content: leaf(at), mode: fc.nat(0o777), mtimeNs: ns }
  const from = fc.record({ end, path: fc.constant(at) })
  const versioned = fc.option(fc.record({ version: fc.constant({ r1: 1, r2: 2 }) }), { nil: {} })
  const grouped = fc.option(fc.record({ group: fc.nat() }), { nil: {} })
  const kinds = fc.oneof(
    fc.record({ ...step, kind: fc.constant('create'), ...content, from }),
    fc.record({ ...step, kind: fc.constant('create'), ...content, from: fc.record({ end, path, later: path }) }),
    fc.record({
      ...step,
      kind: fc.constant('replace'),
      expected: leaf(at),
      ...content,
      from: fc.record({ end, path })
    }),
    fc.record({ ...step, kind: fc.constant('make-directory'), mode, mtimeNs: ns }),
    fc.record({ ...step, kind: fc.constant('remove'), expected: leaf(at) }),
    fc.record({ ...step, kind: fc.constant('move'), to: path, expected: anything(at) })
  )
  const attributes = fc.record(
    { ...step, kind: fc.constant('attributes'), mode, mtimeNs: ns, seen: leaf(at) },
    { requiredKeys: ['id', 'kind', 'end', 'path', 'reason', 'needs'] }
  )
  return fc.oneof(
    fc.tuple(kinds, versioned, grouped).map(parts => plain(Object.assign({}, ...parts) as Operation)),
    attributes.map(op => plain(op as Operation))
  )
})

const shown: fc.Arbitrary<Shown> = fc.oneof(
  fc.record({ by: fc.nat(9) }),
  fc.record({
    now: fc.record(
      { mtimeNs: ns, mode, identity: fc.record({ inode, birthNs: ns }) },
      { requiredKeys: ['mtimeNs', 'mode'] }
    )
  })
)
const settle: fc.Arbitrary<Settle> = path.chain(at =>
  fc.oneof(
    fc.record({ kind: fc.constant('forget' as const), path: fc.constant(at), needs }),
    fc.record({ kind: fc.constant('move' as const), path: fc.constant(at), to: path, needs }),
    fc
      .record(
        { what: anything(at), source: shown, destination: shown, keptAt: end, needs },
        { requiredKeys: ['what', 'source', 'needs'] }
      )
      .map(put => {
        // What made it is needed.
        const by = [put.source, put.destination].flatMap(s => (s !== undefined && 'by' in s ? [s.by] : []))
        return plain({ kind: 'put', path: at, ...put, needs: [...put.needs, ...by] } as Settle)
      })
  )
)

describe('the file of a plan', () => {
  let dir: string
  let files = 0
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'spacedrive-plan-'))
  })
  after(() => rmSync(dir, { recursive: true }))
  const newFile = (): string => join(dir, `plan-${files++}.db`)

  it('gives back every operation as it was put in', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 20 }), fc.nat(19), (made, from) => {
        // Numbers may be left out; a thing of the other end comes from there.
        const ops = made.map((op, i) => ({ ...op, id: 3 * i }) as Operation)
        const read = withPlan(newFile(), sql => {
          const writer = planWriter(sql)
          for (const op of ops) writer.put({ row: 'operation', operation: op })
          writer.end()
          return operationsIn(readOperations(sql, from, 1_000), from, 1_000)
        })
        assert.deepEqual(
          read,
          ops.filter(op => op.id >= from)
        )
      }),
      NUMBERS
    )
  })

  it('gives back of what is settled all that the archive takes up', () => {
    fc.assert(
      fc.property(fc.array(settle, { maxLength: 20 }), fc.array(fc.boolean(), { minLength: 10 }), (settles, done) => {
        const achieved = (id: number): Outcome | undefined =>
          done[id] === true ? { mtimeNs: BigInt(id), mode: id, hash: String(id).repeat(64) as ContentHash } : undefined
        const read = withPlan(newFile(), sql => {
          const writer = planWriter(sql)
          for (const one of settles) writer.put({ row: 'settle', settle: one })
          writer.end()
          return (['forget', 'move', 'put'] as const).flatMap(kind =>
            readSettles(sql, kind, { after: 0, limit: -1, decided: 1e9 }).blocks.flatMap(block => block.settles)
          )
        })
        const inOrder = (['forget', 'move', 'put'] as const).flatMap(kind => settles.filter(s => s.kind === kind))
        assert.deepEqual(foldResults(read, achieved), foldResults(inOrder, achieved))
      }),
      NUMBERS
    )
  })

  it('is read from a number on without a look at all that comes before', () => {
    const steps = withPlan(join(dir, 'found.db'), sql => {
      planWriter(sql).end()
      return sql.prepare<{ detail: string }>(`EXPLAIN QUERY PLAN ${BLOCKS_FROM}`).all([7, 1])
    })
    const scans = steps.filter(({ detail }) => /^SCAN operations/.test(detail))
    assert.deepEqual(scans, [], JSON.stringify(steps))
  })

  it('is read from the middle of a block on', () => {
    const ops = Array.from({ length: 600 }, (_, i): Operation => {
      const needed = i === 0 ? [] : [0]
      return {
        ...{ kind: 'make-directory', id: i, end: 'destination', path: `d/${i}` as RelPath, reason: 'created' },
        ...{ mode: 0o755, mtimeNs: 1n, needs: needed }
      }
    })
    const read = withPlan(newFile(), sql => {
      const writer = planWriter(sql)
      for (const op of ops) writer.put({ row: 'operation', operation: op })
      writer.end()
      return operationsIn(readOperations(sql, 260, 300), 260, 300)
    })
    assert.deepEqual(read, ops.slice(260, 560))
  })
})

describe('rows that are kept', () => {
  const row: fc.Arbitrary<Row> = path
    .chain(at =>
      fc.record(
        {
          path: fc.constant(at),
          source: thing(at),
          destination: thing(at),
          base: fc.constant({
            kind: 'directory',
            source: { mtimeNs: 1n, mode: 7 },
            destination: { mtimeNs: 2n, mode: 7 }
          })
        },
        { requiredKeys: ['path'] }
      )
    )
    .map(made => plain(made as Row))

  it('are the same each time', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), fc.constantFrom(1, 40), (some, times) => {
        const kept = new KeptRows()
        const rows = Array.from({ length: times }, () => some).flat()
        for (const one of rows) kept.add(one)
        const versions = rows.flatMap(({ source, destination }) => [source, destination]).filter(versionOf)
        assert.deepEqual([kept.count, kept.weight], [rows.length, rows.length + versions.length])
        for (let pass = 0; pass < 2; pass++) assert.deepEqual([...kept], rows)
      }),
      NUMBERS
    )
  })
})
