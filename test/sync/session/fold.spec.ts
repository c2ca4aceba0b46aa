import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withReader } from '../../../storage/sql/index.js'
import type { Mode } from '../../../sync/reconcile/index.js'
import { readArchive } from '../../../sync/session/archive.worker.js'
import { FOLD_BEGIN, type FoldedPage, folding } from '../../../sync/session/fold.worker.js'
import { look, openSync, type SyncFixture } from './fixture.js'
import { addSyncs } from './syncs.worker.js'

describe('what a run achieved goes into the archive', () => {
  let sync: SyncFixture
  beforeEach(async () => {
    sync = await openSync({ mode: 'mirror' })
  })
  afterEach(() => sync.close())

  /** How the thread that writes the instance database waits for the disk. */
  const synchronous = (): Promise<number> => sync.db.maintain(addSyncs.synchronous, undefined)
  const FULL = 2

  it('afterwards each write is waited for again, the one that ends the run first of all', async () => {
    const maintain = sync.db.maintain.bind(sync.db)
    const seen: string[] = []
    sync.db.maintain = async (task, input) => {
      const result = await maintain(task, input)
      if ((task as unknown) !== folding.page) return result
      seen.push(`page, then ${await maintain(addSyncs.synchronous, undefined)}`)
      return result
    }
    writeFileSync(join(sync.source, 'file'), 'content')
    assert.equal((await sync.run()).state, 'done')
    assert.deepEqual(seen, [`page, then ${FULL}`])
    assert.equal(sync.db.get<{ n: number }>('SELECT count(*) n FROM sync_archive')!.n, 1)
  })

  it('a file that was edited and swapped with another: what came, not what left its name', async () => {
    const at = (name: string): string => join(sync.source, name)
    for (const name of ['one', 'other']) writeFileSync(at(name), name)
    await sync.run()
    writeFileSync(at('one'), 'one edited')
    for (const [from, to] of [
      ['one', 'aside'],
      ['other', 'one'],
      ['aside', 'other']
    ] as const)
      renameSync(at(from), at(to))
    assert.equal((await sync.run()).state, 'done')
    withReader(sync.db.file, sql => {
      for (const { path, entry } of readArchive(sql, 1)) {
        const { mtimeNs, ino, mode } = statSync(join(sync.destination, path), { bigint: true })
        const { identity, ...trace } = entry.destination
        assert.deepEqual(
          { ...trace, inode: identity?.inode },
          { mtimeNs, mode: Number(mode & 0o7777n), inode: ino },
          path
        )
      }
    })
  })

  it('also where a page cannot be folded, of which nothing is there then', async () => {
    const none = { planFile: join(sync.source, 'none'), sync: 1, from: FOLD_BEGIN, decided: 0 }
    await assert.rejects(sync.db.maintain(folding.page, none))
    assert.equal(await synchronous(), FULL)
    assert.equal(sync.db.get<{ batch: number }>('SELECT batch FROM syncs WHERE id = 1')!.batch, 0)
  })
})

describe('the archive of a first run', () => {
  let sync: SyncFixture
  const pages = new EventEmitter()
  /** What the destination held when the first page that holds something was asked for, and whether an archive counted. */
  let first: { readonly files: number; readonly archive: number } | undefined
  /** Which batch is not placed. */
  let stopAt = Number.POSITIVE_INFINITY

  async function open(mode: Mode): Promise<void> {
    first = undefined
    let batches = 0
    sync = await openSync({
      mode,
      hook: endpoint => {
        const place = endpoint.place.bind(endpoint)
        endpoint.place = async (steps, options) => {
          if (++batches === stopAt) {
            if (rows() === 0) await once(pages, 'written')
            throw new Error('cut off')
          }
          return place(steps, options)
        }
      }
    })
    const maintain = sync.db.maintain.bind(sync.db)
    sync.db.maintain = async (task, input) => {
      if ((task as unknown) !== folding.page) return maintain(task, input)
      const now = { files: there().length, archive: counts() }
      const result = await maintain(task, input)
      if ((result as FoldedPage).changes > 0) {
        first ??= now
        pages.emit('written')
      }
      return result
    }
    for (let i = 0; i < FILES; i++) writeFileSync(join(sync.source, `file ${i}`), `content ${i}`)
    mkdirSync(join(sync.source, 'folder'))
    chmodSync(join(sync.source, 'folder'), 0o500)
  }
  afterEach(() => sync.close())

  /** More than one block of settles, in several batches. */
  const [FILES, STEPS] = [600, 60]
  const run = () => sync.run({ batchSteps: STEPS })
  const counts = (): number => sync.db.get<{ archive: number }>('SELECT archive FROM syncs')!.archive
  const rows = (): number => sync.db.get<{ n: number }>('SELECT count(*) n FROM sync_archive')!.n
  const there = (): string[] => readdirSync(sync.destination).filter(name => name.startsWith('file'))

  it('is written while the run goes on, and counts from its end', async () => {
    await open('bidirectional')
    assert.equal((await run()).state, 'done')
    assert.ok(first!.files < FILES, `the first page when ${first!.files} were there`)
    assert.deepEqual([first!.archive, counts(), rows()], [0, 1, FILES + 1])
    const again = await run()
    assert.equal(again.state === 'done' && again.plan.operations, 0)
  })

  for (const mode of ['bidirectional', 'mirror', 'backup', 'replica'] as const)
    it(`${mode}: of one that was cut off nothing is left to the next plan: what is gone since comes back`, async () => {
      stopAt = 8
      await open(mode)
      await assert.rejects(run(), /cut off/)
      stopAt = Number.POSITIVE_INFINITY
      assert.equal(counts(), 0)
      const known = withReader(sync.db.file, sql => [...readArchive(sql, 1)].map(({ path }) => path))
      const gone = known.find(path => there().includes(path))!
      rmSync(join(sync.destination, gone))
      const shown = await sync.run({ planOnly: true })
      assert.deepEqual([shown.state, rows()], ['planned', 0])
      const outcome = await run()
      assert.equal(outcome.state, 'done')
      assert.ok(existsSync(join(sync.source, gone)), `${gone} was deleted at the source`)
      assert.deepEqual(look(sync.destination), look(sync.source))
      assert.deepEqual([counts(), rows()], [1, FILES + 1])
    })
})
