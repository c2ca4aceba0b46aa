import assert from 'node:assert/strict'
import { renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withReader } from '../../../storage/sql/index.js'
import { readArchive } from '../../../sync/session/archive.worker.js'
import { FOLD_BEGIN, folding } from '../../../sync/session/fold.worker.js'
import { openSync, type SyncFixture } from './fixture.js'
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
    const none = { planFile: join(sync.source, 'none'), sync: 1, batch: 1, from: FOLD_BEGIN }
    await assert.rejects(sync.db.maintain(folding.page, none))
    assert.equal(await synchronous(), FULL)
    assert.equal(sync.db.get<{ batch: number }>('SELECT batch FROM syncs WHERE id = 1')!.batch, 0)
  })
})
