import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type RelPath, textFromBytes } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import type { EntryStat } from '../../../storage/files/index.js'
import { migrate, openSqlite, readMigrations, type Sql } from '../../../storage/sql/index.js'
import { type TreeEntry, toColumns, toContentColumns } from '../../../sync/endpoints/index.js'
import { pathKey } from '../../../sync/session/path-key.js'
import { type SeenValue, seenValueOf, seenWriter } from '../../../sync/session/seen.js'
import { snapshotting } from '../../../sync/session/snapshot.worker.js'

const ns = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n })
const stat: fc.Arbitrary<EntryStat> = fc.record({
  kind: fc.constantFrom('file', 'directory', 'symlink', 'other'),
  sizeBytes: fc.nat(),
  mode: fc.nat(0xffff),
  ...{ mtimeNs: ns, ctimeNs: ns, birthNs: ns, inode: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) },
  ...{ device: fc.constant(1n), mount: fc.constant(1n), links: fc.constant(1), uid: fc.constant(0) }
})
const path = fc
  .uint8Array({ minLength: 1, maxLength: 9 })
  .map(bytes => textFromBytes(bytes.map(b => (b === 0 ? 0x61 : b))) as RelPath)
const entry: fc.Arbitrary<TreeEntry> = fc
  .record({
    path,
    stat,
    unknown: fc.option(fc.constantFrom('special', 'unreadable', 'ours'), { nil: undefined }),
    to: path
  })
  .map(({ to, unknown, ...rest }) => ({
    ...rest,
    ...(unknown !== undefined && { unknown }),
    ...(rest.stat.kind === 'symlink' && unknown === undefined && { target: to })
  }))
const entries = fc.uniqueArray(entry, { selector: e => e.path, maxLength: 150 })

function snapshot(): Sql {
  const sql = openSqlite(':memory:')
  migrate(sql, readMigrations('snapshot'))
  return sql
}

const rowsOf = (sql: Sql): unknown => sql.prepare('SELECT * FROM seen ORDER BY at, path', { bigint: true }).all()

/** The same rows, written one by one from the values that they stand for. */
function byValues(list: readonly (readonly [RelPath, SeenValue])[]): Sql {
  const sql = snapshot()
  const write = seenWriter(sql, 'destination')
  for (const [path, value] of list) write(pathKey(path), value)
  return sql
}

describe('what is written into the snapshot from columns', () => {
  it('of a walk is what its entries say', () => {
    fc.assert(
      fc.property(entries, list => {
        const sql = snapshot()
        snapshotting.changed(sql, { at: 'destination', changed: toColumns(list), quiet: [] })
        const expected = byValues(list.map(e => [e.path, seenValueOf(e)]))
        assert.deepEqual(rowsOf(sql), rowsOf(expected))
      })
    )
  })

  it('of a batch is what it made; what has no content to tell keeps the one that it had', () => {
    fc.assert(
      fc.property(entries, entries, (made, before) => {
        const sql = snapshot()
        snapshotting.changed(sql, { at: 'destination', changed: toColumns(before), quiet: [] })
        const list = made.map(({ path, stat, target }, i) =>
          stat.kind === 'file' && i % 2 === 0
            ? { path, stat, hash: hashBytes(Buffer.from(path)) }
            : { path, stat, target }
        )
        snapshotting.placed(sql, { at: 'destination', rows: toContentColumns(list), moved: [], gone: [] })
        const known = new Map(before.map(e => [e.path, seenValueOf(e)]))
        const values = list.map(({ path, stat, hash, target }): readonly [RelPath, SeenValue] => {
          const kind = stat.kind === 'other' ? 'unknown' : stat.kind
          const kept = kind === 'directory' || hash !== undefined ? undefined : known.get(path)?.target
          return [path, { kind, stat, hash, target: target ?? kept }]
        })
        assert.deepEqual(rowsOf(sql), rowsOf(byValues([...known, ...values])))
      })
    )
  })

  it('hashes come to the files that are there, with the stats that they were read with', () => {
    fc.assert(
      fc.property(entries, list => {
        const sql = snapshot()
        snapshotting.changed(sql, { at: 'destination', changed: toColumns(list), quiet: [] })
        const hashed = list.map(({ path, stat }, i) => ({
          ...{ path, hash: hashBytes(Buffer.from(path)), racy: i % 3 === 0 },
          stat: { ...stat, ctimeNs: 7n }
        }))
        // One more, of what went meanwhile.
        const gone = hashed.slice(0, 1).map(file => ({ ...file, path: 'longer/than/any/of/them' as RelPath }))
        snapshotting.hashed(sql, { at: 'destination', rows: toContentColumns([...hashed, ...gone]) })
        const expected = list.map((e, i): readonly [RelPath, SeenValue] => {
          const value = seenValueOf(e)
          if (value.kind !== 'file') return [e.path, value]
          const { hash, racy, stat } = hashed[i]!
          return [e.path, { ...value, stat, hash, racy }]
        })
        assert.deepEqual(rowsOf(sql), rowsOf(byValues(expected)))
      })
    )
  })
})
