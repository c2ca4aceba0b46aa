import assert from 'node:assert/strict'
import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { ContentHash } from '../../../storage/base/index.js'
import {
  type Comparable,
  type CompareBy,
  type ComparedPath,
  compareEntries,
  compareTrees,
  contentHashes,
  type Verdict
} from '../../../sync/analysis/index.js'
import type { HashedFile } from '../../../sync/endpoints/index.js'
import { applyEdit, edits } from '../../storage/indexer/edits.js'
import { gather, rel } from '../endpoints/gather.js'
import { type AnalysisFixture, analysisFixture, write } from './fixture.js'

const HASHES = ['a', 'b'].map(c => c.repeat(64) as ContentHash)
const file = (sizeBytes: number, mtimeNs: bigint, hash?: ContentHash): Comparable => ({
  stat: { kind: 'file', sizeBytes, mtimeNs },
  hash
})
const link = (target?: string): Comparable => ({ stat: { kind: 'symlink', sizeBytes: 1, mtimeNs: 0n }, target })
const dir: Comparable = { stat: { kind: 'directory', sizeBytes: 0, mtimeNs: 0n } }
const say = (v: Verdict): string => (v.is === 'same' ? 'same' : v.is === 'different' ? v.why : `open: ${v.needs}`)

describe('comparing two entries', () => {
  for (const [why, left, right, by, expected] of [
    ['neither is there', undefined, undefined, 'content', 'same'],
    ['one is there', file(1, 1n), undefined, 'existence', 'only-left'],
    ['the other is', undefined, file(1, 1n), 'content', 'only-right'],
    ['both are there, whatever they are', file(1, 1n), dir, 'existence', 'same'],
    ['a file and a directory', file(1, 1n), dir, 'size', 'kind'],
    ['two directories', dir, { stat: { ...dir.stat, mtimeNs: 9n } }, 'content', 'same'],
    ['other sizes', file(1, 1n), file(2, 1n), 'size', 'size'],
    ['the same size', file(1, 1n), file(1, 2n), 'size', 'same'],
    ['other times', file(1, 1n), file(1, 2n), 'mtime', 'mtime'],
    ['other sizes by content', file(1, 1n), file(2, 1n, HASHES[0]), 'content', 'size'],
    ['empty files', file(0, 1n), file(0, 2n), 'content', 'same'],
    ['contents not known', file(1, 1n, HASHES[0]), file(1, 1n), 'content', 'open: content'],
    ['the same content', file(1, 1n, HASHES[0]), file(1, 9n, HASHES[0]), 'content', 'same'],
    ['other contents', file(1, 1n, HASHES[0]), file(1, 1n, HASHES[1]), 'content', 'content'],
    ['links to one place', link('x'), link('x'), 'content', 'same'],
    ['links to two places', link('x'), link('y'), 'size', 'target'],
    ['a link of which the target is not known', link('x'), link(), 'mtime', 'open: target'],
    ['something unknown', { ...file(1, 1n), unknown: 'unreadable' }, dir, 'size', 'open: unknown']
  ] as const) {
    it(`${why} (${by}): ${expected}`, () => {
      assert.equal(say(compareEntries(left as Comparable, right as Comparable, by)), expected)
    })
  }
  it('times are compared at the coarser step', () => {
    const times = (a: bigint, b: bigint, stepNs: bigint): string =>
      say(compareEntries(file(1, a), file(1, b), 'mtime', stepNs))
    assert.deepEqual(
      [times(0n, 1_999_999_999n, 2_000_000_000n), times(0n, 2_000_000_000n, 2_000_000_000n)],
      ['same', 'mtime']
    )
    assert.deepEqual([times(5n, 5n, 0n), times(5n, 6n, 0n)], ['same', 'mtime'])
  })
  it('swapping the ends swaps the ends and nothing else; an entry is never different from itself', () => {
    const comparable = fc.record({
      stat: fc.record({
        kind: fc.constantFrom('file' as const, 'directory' as const, 'symlink' as const, 'other' as const),
        sizeBytes: fc.nat(2),
        mtimeNs: fc.bigInt(0n, 3n)
      }),
      target: fc.constantFrom(undefined, 'x', 'y'),
      hash: fc.constantFrom(undefined, ...HASHES),
      unknown: fc.constantFrom(undefined, 'special')
    })
    const end = fc.option(comparable, { nil: undefined })
    const by = fc.constantFrom<CompareBy>('existence', 'size', 'mtime', 'content')
    const swapped = (v: string): string => (v === 'only-left' ? 'only-right' : v === 'only-right' ? 'only-left' : v)
    fc.assert(
      fc.property(end, end, by, fc.bigInt(0n, 3n), (a, b, how, step) => {
        assert.equal(say(compareEntries(a, b, how, step)), swapped(say(compareEntries(b, a, how, step))))
        assert.notEqual(compareEntries(a, a, how, step).is, 'different')
      })
    )
  })
})

describe('comparing two trees', () => {
  let f: AnalysisFixture
  let n = 0
  before(async () => {
    f = await analysisFixture()
  })
  after(() => f.close())

  async function compared(left: string, right: string, by: CompareBy): Promise<ComparedPath[]> {
    const [a, b] = [await f.endpoint(left as never), await f.endpoint(right as never)]
    const all: ComparedPath[] = []
    const ends = { left: { endpoint: a }, right: { endpoint: b } }
    for await (const pairs of compareTrees({ ...ends, by, pool: f.index.pool })) all.push(...pairs)
    return all
  }
  const told = (pairs: readonly ComparedPath[]): [string, string][] => pairs.map(p => [p.path, say(p.verdict)])

  it('each path that either has, in tree order, by content', async () => {
    const [left, right] = [f.folder('left'), f.folder('right')]
    write(left, ['a/same', 'a/other', 'a/left', 'kind/', 'size'])
    write(right, ['a/same', 'a/right', 'kind', 'z/new'])
    writeFileSync(join(right, 'a/other'), 'CONTENT')
    writeFileSync(join(right, 'size'), 'longer content')
    const expected = [
      ['', 'same'],
      ['a', 'same'],
      ['a/left', 'only-left'],
      ['a/other', 'content'],
      ['a/right', 'only-right'],
      ['a/same', 'same'],
      ['kind', 'kind'],
      ['size', 'size'],
      ['z', 'only-right'],
      ['z/new', 'only-right']
    ]
    assert.deepEqual(told(await compared(left, right, 'content')), expected)
    for (const path of ['a/same', 'a/other']) for (const end of [left, right]) utimesSync(join(end, path), 5, 5)
    const byTime = expected.map(([p, v]) => [p, v === 'content' ? 'same' : v])
    assert.deepEqual(told(await compared(left, right, 'mtime')), byTime)
  })
  it('is symmetric on random trees, and finds nothing in a tree against itself', async () => {
    const by = fc.constantFrom<CompareBy>('existence', 'size', 'mtime', 'content')
    await fc.assert(
      fc.asyncProperty(edits(), edits(), by, async (first, then, how) => {
        const [left, right] = [f.folder(`l${n}`), f.folder(`r${n++}`)]
        let serial = 0
        for (const edit of first) for (const end of [left, right]) applyEdit(end, edit, serial++ >> 1)
        for (const edit of then) applyEdit(right, edit, serial++)
        const one = await compared(left, right, how)
        const other = await compared(right, left, how)
        const swap = (v: string): string => (v === 'only-left' ? 'only-right' : v === 'only-right' ? 'only-left' : v)
        assert.deepEqual(
          told(one),
          told(other).map(([p, v]) => [p, swap(v)])
        )
        assert.ok((await compared(right, right, how)).every(p => p.verdict.is === 'same'))
      }),
      { numRuns: 12 }
    )
  })
  it('a hash of the index counts where a look confirms its stat, and not where the file was written to', async () => {
    const path = f.folder('hashed')
    write(path, ['kept', 'edited', 'touched', 'new'])
    for (const name of ['kept', 'edited', 'touched']) utimesSync(join(path, name), 5, 5)
    const place = await f.indexed(path)
    const { library, indexer } = f.index
    const row = library.database.get<{ id: number }>('SELECT id FROM locations WHERE path = ?', [Buffer.from(path)])!
    const endpoint = await f.endpoint(path)
    const files = (await gather(endpoint.walk(rel('')))).filter(e => e.stat.kind === 'file')
    const told = async (entries = files): Promise<unknown[]> => {
      const all: unknown[] = []
      for await (const one of contentHashes(entries, { endpoint, place, pool: f.index.pool })) {
        all.push([one.path, one.problem === undefined ? one.from : one.problem.code])
      }
      return all
    }
    assert.deepEqual(
      await told(),
      ['edited', 'kept', 'new', 'touched'].map(p => [p, 'disk']),
      'nothing was hashed yet'
    )
    const location = { ...(await f.index.location(join(path, 'none'))), number: row.id, id: place.location, path }
    await until(() => files.every(e => e.stat.ctimeNs < BigInt(Date.now() - 100) * 1_000_000n))
    await indexer.index({ library, location, mode: 'content' })
    await indexer.settled(library)
    assert.deepEqual(
      await told(),
      ['edited', 'kept', 'new', 'touched'].map(p => [p, 'index'])
    )
    writeFileSync(join(path, 'edited'), 'CONTENT')
    utimesSync(join(path, 'touched'), 6, 6)
    const now = (await gather(endpoint.walk(rel('')))).filter(e => e.stat.kind === 'file')
    assert.deepEqual(await told(now), [
      ['edited', 'disk'],
      ['kept', 'index'],
      ['new', 'index'],
      ['touched', 'disk']
    ])
    const [hash] = await all(endpoint.hash([rel('kept')]))
    const copies = await f.places.copiesOf((hash as { hash: ContentHash }).hash)
    assert.deepEqual(
      copies.filter(c => c.path.startsWith(path)).map(c => [c.path, c.vouched]),
      ['edited', 'kept', 'new', 'touched'].map(name => [join(path, name), true]),
      'as of the last look of the index'
    )
  })
})

async function all(stream: AsyncIterable<HashedFile>): Promise<HashedFile[]> {
  const values: HashedFile[] = []
  for await (const value of stream) values.push(value)
  return values
}

/** Turns the event loop until it holds: the clock goes on by itself. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}
