import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RelPath, systemClock, workerPool } from '../../../storage/base/index.js'
import { hashBytes, hashFromBytes } from '../../../storage/content/index.js'
import { openFiles, ownerTag } from '../../../storage/files/index.js'
import type { Database } from '../../../storage/sql/index.js'
import type { Operation } from '../../../sync/reconcile/index.js'
import type { Done, Step } from '../../../sync/session/achieved.js'
import { ChangeLog, changing, KEEP_RUNS_MS, keyPath } from '../../../sync/session/index.js'
import { VersionStore } from '../../../sync/versions/index.js'
import { openSync, type SyncFixture } from './fixture.js'

interface Row {
  readonly at: number
  readonly path: Uint8Array
  readonly to_path: Uint8Array | null
  readonly kind: string
  readonly before: Uint8Array | null
  readonly after: Uint8Array | null
}

const text = (hash: Uint8Array | null): string => {
  if (hash === null) return '-'
  const found = ['one', 'two', 'three', 'there'].find(t => hashBytes(Buffer.from(t)) === hashFromBytes(hash))
  return found ?? 'other'
}

describe('what a run did is written down', () => {
  let fixture: SyncFixture
  beforeEach(async () => {
    fixture = await openSync({ mode: 'mirror' })
  })
  afterEach(() => fixture.close())
  const at = (path: string): string => join(fixture.source, path)
  const run = async (): Promise<string> => {
    const outcome = await fixture.run()
    assert.equal(outcome.state, 'done')
    return outcome.state === 'done' ? outcome.run : ''
  }
  const rows = (of: string): string[] =>
    fixture.db
      .all<Row>("SELECT * FROM sync_changes WHERE run = ? AND reason <> 'directory-time' ORDER BY path, n", [
        of
      ] as never)
      .map(r => {
        const to = r.to_path === null ? '' : ` -> ${keyPath(r.to_path)}`
        return `${r.at} ${r.kind} ${keyPath(r.path)}${to} ${text(r.before)} ${text(r.after)}`
      })

  it('each path and operation with its contents before and after, by run', async () => {
    mkdirSync(at('d'))
    writeFileSync(at('d/a'), 'one')
    writeFileSync(at('b'), 'two')
    symlinkSync('there', at('l'))
    const first = await run()
    assert.deepEqual(rows(first), [
      '1 create b - two',
      '1 make-directory d - -',
      '1 create d/a - one',
      '1 create l - there'
    ])
    writeFileSync(at('b'), 'three')
    renameSync(at('d/a'), at('d/c'))
    chmodSync(at('d'), 0o700)
    rmSync(at('l'))
    const second = await run()
    assert.deepEqual(rows(second), [
      '1 replace b two three',
      '1 attributes d - -',
      '1 move d/a -> d/c one one',
      '1 remove l there -'
    ])
    await run()
    const runs = fixture.db.all<{ id: string; kind: string }>('SELECT id, kind FROM sync_runs ORDER BY began_at', [])
    assert.deepEqual(runs, [
      { id: first, kind: 'run' },
      { id: second, kind: 'run' }
    ])
  })

  it('what only its permission bits or time changed is in the history of that end', async () => {
    mkdirSync(at('d'))
    writeFileSync(at('a'), 'one')
    chmodSync(at('d'), 0o755)
    chmodSync(at('a'), 0o644)
    await run()
    chmodSync(at('d'), 0o700)
    chmodSync(at('a'), 0o600)
    await run()
    const pool = workerPool(1)
    const files = openFiles({ pool, owner: ownerTag('test') })
    const root = await files.openRoot(fixture.destination as never)
    const lines: string[] = []
    for await (const { path, was } of new VersionStore(root, systemClock).newestFirst())
      if (was?.kind === 'attributes') lines.push(`${path} ${was.mode.toString(8)}`)
    await files.close()
    await pool.close()
    assert.deepEqual(lines.sort(), ['a 644', 'd 755'])
  })

  it('what is too old goes, and of too many those of the oldest runs; the newest run stays', async () => {
    const ids: string[] = []
    for (let i = 0; i < 3; i++) {
      for (const name of ['x', 'y', 'z']) writeFileSync(at(name), `${name} ${i}`)
      ids.push(await run())
    }
    const tidy = async (max: number, nowMs = Date.now()): Promise<void> => {
      while (await fixture.db.write(changing.tidy, { sync: 1, nowMs, max })) {}
    }
    const left = (): number[] => ids.map(id => rows(id).length)
    await tidy(9)
    assert.deepEqual(left(), [3, 3, 3])
    await tidy(8)
    assert.deepEqual(left(), [0, 3, 3])
    await tidy(1)
    assert.deepEqual(left(), [0, 0, 3])
    assert.equal(fixture.db.all('SELECT id FROM sync_runs', []).length, 3)
    await tidy(9, Date.now() + KEEP_RUNS_MS + 1)
    assert.deepEqual(left(), [0, 0, 0])
    assert.equal(fixture.db.all('SELECT id FROM sync_runs', []).length, 0)
  })

  it('a batch that begins at once is written down before what the one before it did', async () => {
    const { db } = fixture
    const order: string[] = []
    const told: Database = {
      ...db,
      write(task, input, options) {
        order.push(task === (changing.intend as unknown) ? 'begins' : 'is done')
        return db.write(task, input, options)
      }
    }
    const batch = (id: number): Done[] => {
      const shared = { path: `d${id}` as RelPath, mode: 0o755, mtimeNs: 1n }
      const op: Operation = { kind: 'make-directory', id, end: 'destination', reason: 'created', needs: [], ...shared }
      return [{ op, step: { kind: 'make-directory', ...shared }, stat: undefined }]
    }
    const stepsOf = (done: Done[]): Step[] => done.map(({ op, step }) => ({ step: step!, ops: [op] }))
    await db.write(changing.begin, { run: 'r', sync: 1, kind: 'run', beganAtMs: 1 })
    const changes = new ChangeLog(told, { run: 'r', sync: 1 }, () => 1)
    const [one, two] = [batch(1), batch(2)]
    await changes.begin(stepsOf(one))
    await Promise.all([changes.add(one), changes.begin(stepsOf(two))])
    await changes.add(two)
    await changes.end()
    assert.deepEqual(order, ['begins', 'begins', 'is done', 'is done'])
    assert.deepEqual(rows('r'), ['1 make-directory d1 - -', '1 make-directory d2 - -'])
    assert.deepEqual(db.all('SELECT n FROM sync_intents', []), [])
  })
})
