import assert from 'node:assert/strict'
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import type { ContentHash, RelPath } from '../../../storage/base/index.js'
import { hashBytes, hashFromBytes } from '../../../storage/content/index.js'
import { withReader } from '../../../storage/sql/index.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import {
  foldResults,
  isUnread,
  type Mode,
  type Outcome,
  type Settle,
  unreadContent
} from '../../../sync/reconcile/index.js'
import { keyPath, readArchive, type SessionInit, type SessionOutcome } from '../../../sync/session/index.js'
import { look, openSync, type SyncFixture } from './fixture.js'

type Done = Extract<SessionOutcome, { state: 'done' }>

describe('a first sync into an empty folder', () => {
  let fixture: SyncFixture
  /** Files that were asked for their hash before anything was planned. */
  let asked: RelPath[]
  const open = async (mode: Mode): Promise<void> => {
    fixture = await openSync({ mode, hook: counting })
    mkdirSync(at('d/empty'), { recursive: true })
    writeFileSync(at('d/one'), 'one')
    writeFileSync(at('d/two'), 'two')
    writeFileSync(at('nothing'), '')
    writeFileSync(at('large'), Buffer.alloc(3_000_000, 'large'))
    linkSync(at('d/one'), at('twin'))
    symlinkSync('d/one', at('link'))
  }
  const counting = (endpoint: Endpoint): void => {
    const hash = endpoint.hash.bind(endpoint)
    endpoint.hash = (paths, options) => {
      asked.push(...paths)
      return hash(paths, options)
    }
  }
  const at = (path: string): string => join(fixture.source, path)
  const run = async (options: Partial<SessionInit> = {}): Promise<Done> => {
    const outcome = await fixture.run(options)
    assert.equal(outcome.state, 'done')
    return outcome as Done
  }
  const problems = ({ result }: Done): string[][] => result.problems.map(({ path, code }) => [path, code])
  const hashes = (rows: Iterable<readonly [string, ContentHash | undefined]>): Record<string, boolean> =>
    Object.fromEntries([...rows].map(([path, hash]) => [path, hash === hashBytes(readFileSync(at(path)))]))
  const FILES = { 'd/one': true, 'd/two': true, large: true, nothing: true, twin: true }
  const archived = (): Record<string, boolean> =>
    withReader(fixture.db.file, sql =>
      hashes([...readArchive(sql, 1)].flatMap(({ path, entry }) => (entry.kind === 'file' ? [[path, entry.hash]] : [])))
    )
  const seen = (end: 0 | 1): Record<string, boolean> =>
    hashes(
      fixture.snapshot
        .all<{ path: Uint8Array; hash: Uint8Array | null }>('SELECT path, hash FROM seen WHERE at = ? AND kind = 0', [
          end
        ])
        .map(({ path, hash }) => [keyPath(path), hash === null ? undefined : hashFromBytes(hash)])
    )

  beforeEach(() => {
    asked = []
  })
  afterEach(() => fixture.close())

  for (const mode of ['mirror', 'bidirectional', 'backup', 'replica'] as const)
    it(`${mode}: reads each file once, while it is copied, and knows the hash of each`, async () => {
      await open(mode)
      const { result } = await run()
      assert.deepEqual([result.problems, asked], [[], []])
      assert.deepEqual(look(fixture.destination), look(fixture.source))
      assert.deepEqual([archived(), seen(0), seen(1)], [FILES, FILES, FILES])
      const written = fixture.db
        .all<{ path: Uint8Array; after: Uint8Array }>("SELECT path, after FROM sync_changes WHERE kind = 'create'")
        .filter(({ path }) => keyPath(path) !== 'link')
        .map(({ path, after }) => [keyPath(path), hashFromBytes(after)] as const)
      assert.deepEqual(hashes(written), FILES)
      assert.equal((await run()).plan.operations, 0)
    })

  it('a plan that is shown, and what is run by its hash, reads everything before', async () => {
    await open('mirror')
    const shown = await fixture.run({ planOnly: true })
    assert.equal(shown.state, 'planned')
    assert.deepEqual(new Set(asked), new Set(Object.keys(FILES)))
    const planHash = shown.state === 'planned' ? shown.plan.hash : ''
    assert.equal((await run({ planHash })).plan.hash, planHash)
    assert.deepEqual(look(fixture.destination), look(fixture.source))
  })

  it('where something is at the other end everything is read before: what is the same is not copied', async () => {
    await open('bidirectional')
    writeFileSync(join(fixture.destination, 'nothing'), '')
    const before = statSync(join(fixture.destination, 'nothing')).ino
    await run()
    assert.ok(asked.includes('large' as RelPath))
    assert.equal(statSync(join(fixture.destination, 'nothing')).ino, before)
  })

  for (const [what, change] of [
    ['written to, and given its time back', (path: string) => writeFileSync(path, 'TWO')],
    ['another file of its name, size and time', (path: string) => exchange(path, 'TWO')],
    ['longer', (path: string) => writeFileSync(path, 'two and more')]
  ] as const)
    it(`a file that is ${what} after the scan is not taken for what was seen; the next run takes it`, async () => {
      await open('mirror')
      utimesSync(at('d/two'), 1_000_000, 1_000_000)
      const first = await run({
        async more() {
          change(at('d/two'))
          utimesSync(at('d/two'), 1_000_000, 1_000_000)
          return undefined
        }
      })
      assert.deepEqual(problems(first), [['d/two', 'CHANGED']])
      const { 'd/two': _, ...rest } = look(fixture.source)
      assert.deepEqual(look(fixture.destination, {}), { ...rest })
      assert.deepEqual(problems(await run()), [])
      assert.deepEqual(look(fixture.destination), look(fixture.source))
      assert.deepEqual([archived(), seen(0), seen(1)], [FILES, FILES, FILES])
    })

  it('a run that was cut off after its first files goes on with what is missing', async () => {
    await open('mirror')
    const stop = new AbortController()
    const reason = new Error('stopped')
    await assert.rejects(
      fixture.run({ signal: stop.signal, onProgress: ({ bytes }) => bytes > 0 && stop.abort(reason) }),
      err => err === reason
    )
    await run()
    assert.deepEqual(look(fixture.destination), look(fixture.source))
    assert.deepEqual([archived(), seen(0), seen(1)], [FILES, FILES, FILES])
  })
})

/** Puts another file in its place. */
function exchange(path: string, text: string): void {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

describe('what nobody had read when it was planned', () => {
  const hash = hashBytes(Buffer.from('one'))
  const what = { kind: 'file' as const, hash: unreadContent(1n, 2n), sizeBytes: 3, mtimeNs: 4n, mode: 0o644 }
  const now = { mtimeNs: 4n, mode: 0o644 }
  const settle = {
    kind: 'put',
    path: 'f',
    what,
    source: { now },
    destination: { by: 7 },
    needs: [7]
  } as unknown as Settle
  const fold = (outcome: Outcome) => foldResults([settle], id => (id === 7 ? outcome : undefined))

  it('is archived by the hash that was learnt', () => {
    const { changes, unsettled } = fold({ ...now, hash })
    assert.deepEqual(unsettled, [])
    assert.deepEqual(changes, [
      { change: 'put', path: 'f', entry: { kind: 'file', hash, sizeBytes: 3, source: now, destination: now } }
    ])
  })

  it('is never archived without one', () => {
    assert.deepEqual(fold(now), { changes: [], unsettled: ['f'] })
  })

  it('is equal to nothing else', () => {
    assert.ok(isUnread(what.hash) && !isUnread(hash))
    assert.notEqual(unreadContent(1n, 2n), unreadContent(1n, 3n))
    assert.notEqual(unreadContent(1n, 2n), unreadContent(2n, 2n))
  })
})
