import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type ContentHash, comparePaths, type RelPath } from '../../../storage/base/index.js'
import { type InstanceDatabase, openInstance } from '../../../storage/instance/index.js'
import { withReader } from '../../../storage/sql/index.js'
import { type ArchiveChange, type ArchiveEntry, applyChanges } from '../../../sync/reconcile/index.js'
import { archiving, findInArchive, readArchive, readUnsettled } from '../../../sync/session/archive.worker.js'
import { dropArchive } from '../../../sync/session/fold.js'
import { keyPath, keysBelow, pathKey } from '../../../sync/session/path-key.js'
import { tempDir } from '../../temp.js'
import { addSyncs } from './syncs.worker.js'

const rel = (path: string): RelPath => path as RelPath
const names = fc.oneof(fc.constantFrom('a', 'b', 'a.b', 'a b', 'ä', '\udcff', 'a\u0001'), fc.constantFrom('x', 'y'))
const path = fc.array(names, { minLength: 1, maxLength: 4 }).map(parts => rel(parts.join('/')))
const trace = fc.record(
  {
    mtimeNs: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
    mode: fc.nat(0o7777),
    identity: fc
      .tuple(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 62n }))
      .map(([inode, birthNs]) => ({ inode, birthNs }))
  },
  { requiredKeys: ['mtimeNs', 'mode'], noNullPrototype: true }
)
const ends = { source: trace, destination: trace, keptAt: fc.constantFrom('source' as const, 'destination' as const) }
const required = { requiredKeys: ['kind', 'source', 'destination'] as never[], noNullPrototype: true }
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(b => Buffer.from(b).toString('hex') as ContentHash)
const entry = fc.oneof(
  fc.record({ kind: fc.constant('directory' as const), ...ends }, required),
  fc.record(
    { kind: fc.constant('symlink' as const), target: fc.constantFrom('../x', '\udc80'), ...ends },
    {
      ...required,
      requiredKeys: [...required.requiredKeys, 'target' as never]
    }
  ),
  fc.record(
    { kind: fc.constant('file' as const), hash, sizeBytes: fc.maxSafeNat(), ...ends },
    {
      ...required,
      requiredKeys: [...required.requiredKeys, 'hash' as never, 'sizeBytes' as never]
    }
  )
) as fc.Arbitrary<ArchiveEntry>

describe('the archive of a sync', () => {
  let temp: ReturnType<typeof tempDir>
  let db: InstanceDatabase
  before(async () => {
    temp = tempDir()
    db = await openInstance(temp.path)
    await db.write(addSyncs.add, {})
  })
  after(async () => {
    await db.close()
    temp.clean()
  })
  const all = (sync: number): Map<RelPath, ArchiveEntry> =>
    withReader(db.file, sql => new Map([...readArchive(sql, sync)].map(({ key, entry }) => [keyPath(key), entry])))

  it('keys are in tree order and come back as paths, whatever the names', () => {
    fc.assert(
      fc.property(path, path, (a, b) => {
        assert.equal(keyPath(pathKey(a)), a)
        assert.equal(Math.sign(Buffer.compare(pathKey(a), pathKey(b))), Math.sign(comparePaths(a, b)))
        const [from, to] = keysBelow(pathKey(a))
        const below = Buffer.compare(pathKey(b), from) >= 0 && Buffer.compare(pathKey(b), to) < 0
        assert.equal(below, b.startsWith(`${a}/`))
      })
    )
  })

  it('does what the pure archive does, and another sync is not touched', async () => {
    const change: fc.Arbitrary<ArchiveChange> = fc.oneof(
      path.map(p => ({ change: 'forget' as const, path: p })),
      fc.tuple(path, path).map(([p, to]) => ({ change: 'move' as const, path: p, to })),
      fc.tuple(path, entry).map(([p, e]) => ({ change: 'put' as const, path: p, entry: e }))
    )
    const one: ArchiveChange = { change: 'put', path: rel('a/x'), entry: fc.sample(entry, 1)[0]! }
    await db.write(addSyncs.change, { sync: 2, changes: [one] })
    const other = all(2)
    const order = { forget: 0, move: 1, put: 2 }
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(path, entry), { maxLength: 12 }),
        fc.array(change, { maxLength: 8 }),
        async (there, list) => {
          await dropArchive(db, 1)
          const base = new Map(there)
          const put = [...base].map(([p, e]) => ({ change: 'put' as const, path: p, entry: e }))
          await db.write(addSyncs.change, { sync: 1, changes: put })
          assert.deepEqual(all(1), new Map([...base].sort(([a], [b]) => comparePaths(a, b))))
          const unique = new Map(
            list.map(c => [`${c.change === 'move' ? 'to' : c.change} ${c.change === 'move' ? c.to : c.path}`, c])
          )
          const moved = new Map([...unique.values()].filter(c => c.change === 'move').map(c => [c.path, c]))
          const changes = [...unique.values()]
            .filter(c => c.change !== 'move' || moved.get(c.path) === c)
            .filter(c => c.change !== 'move' || !hitsAnother(c, base, [...moved.values()]))
            .sort((a, b) => order[a.change] - order[b.change])
          const expected = applyChanges(base, changes)
          await db.write(addSyncs.change, { sync: 1, changes })
          assert.deepEqual(all(1), new Map([...expected].sort(([a], [b]) => comparePaths(a, b))))
          for (const [p, e] of expected)
            assert.deepEqual(
              withReader(db.file, sql => findInArchive(sql, 1, p)),
              e
            )
        }
      ),
      { numRuns: 60 }
    )
    assert.deepEqual(all(2), other)
  })

  it('what a run leaves unsettled is all that is, and a run that agreed on nothing makes no archive of it', async () => {
    const counts = () => db.get<{ archive: number; batch: number }>('SELECT archive, batch FROM syncs WHERE id = 1')!
    const left = (): string[] => withReader(db.file, sql => readUnsettled(sql, 1).map(u => u.path))
    const agree = (batch: number, agreed: boolean, paths: string[]): Promise<unknown> => {
      const unsettled = paths.map(p => ({ path: rel(p), why: 'problem' }))
      return db.write(archiving.agree, { sync: 1, batch, agreed, unsettled, windowFrom: null })
    }
    await agree(3, false, ['a', 'a/x', 'b'])
    assert.deepEqual([left(), counts()], [['a', 'a/x', 'b'], { archive: 0, batch: 3 }])
    await agree(4, true, ['a/x', 'c'])
    await agree(4, false, ['a/x', 'c'])
    assert.deepEqual([left(), counts()], [['a/x', 'c'], { archive: 1, batch: 4 }])
    await dropArchive(db, 1)
    assert.deepEqual([left(), counts()], [[], { archive: 0, batch: 4 }])
  })

  it('one that is not trusted counts no more at once; its rows go while others write, and no other sync loses any', async () => {
    const ROWS = 25_000
    const [put] = fc.sample(entry, 1)
    const rows = (sync: number): number =>
      db.get<{ n: number }>('SELECT count(*) n FROM sync_archive WHERE sync = ?', [sync])!.n
    const changes = Array.from({ length: ROWS }, (_, i) => ({
      change: 'put' as const,
      path: rel(`f${i}`),
      entry: put!
    }))
    await dropArchive(db, 1)
    for (const sync of [1, 2]) await db.write(addSyncs.change, { sync, changes })
    await db.write(archiving.agree, { sync: 1, batch: 7, agreed: true, unsettled: [], windowFrom: null })
    const there = rows(2)
    const dropped = dropArchive(db, 1, { batch: 9 })
    await db.write(archiving.rooted, { sync: 2, end: 'source', root: 'x' })
    assert.ok(rows(1) > 0, 'who writes waits for all of it')
    assert.deepEqual(
      db.get('SELECT archive, batch FROM syncs WHERE id = 1'),
      { archive: 0, batch: 9 },
      'it counts until it is gone'
    )
    await dropped
    assert.deepEqual([rows(1), rows(2)], [0, there])
  })
})

/** Two things under one name, which no plan makes: which of them wins would be a matter of taste. */
function hitsAnother(
  move: Extract<ArchiveChange, { change: 'move' }>,
  base: ReadonlyMap<RelPath, ArchiveEntry>,
  moves: readonly ArchiveChange[]
): boolean {
  const within = (p: string, top: string): boolean => p === top || p.startsWith(`${top}/`)
  return (
    [...base.keys()].some(p => within(p, move.to) || within(move.to, p)) ||
    moves.some(m => m.change === 'move' && m !== move && (within(m.to, move.to) || within(move.to, m.to)))
  )
}
