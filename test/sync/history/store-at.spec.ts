import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AbsPath, RelPath } from '../../../storage/base/index.js'
import { openStoreAt, type StoreAt } from '../../../sync/history/index.js'
import { formatLine } from '../../../sync/versions/index.js'
import { tempDir } from '../../temp.js'
import { type LocalParts, localParts } from '../endpoints/local-fixture.js'

describe('versions that are read where they lie', () => {
  const temp = tempDir()
  let parts: LocalParts
  let store: StoreAt
  before(async () => {
    parts = await localParts()
  })
  after(async () => {
    await parts.close()
    temp.clean()
  })
  const lists = join(temp.path, '.spacedrive/versions/lists')
  const line = (atMs: number) =>
    formatLine({ atMs, run: 'run', path: `f${atMs}` as RelPath, was: null, why: 'created' })
  beforeEach(async () => {
    mkdirSync(lists, { recursive: true })
    for (const day of [1, 2, 3]) writeFileSync(join(lists, `2026-01-0${day}`), line(day))
    store = (await openStoreAt(path => parts.open(path), temp.path as AbsPath, {}))!
  })
  afterEach(() => store.close())

  /** What came of reading all, when `meanwhile` was done after the first line. */
  async function lines(meanwhile: () => void): Promise<number[]> {
    const found: number[] = []
    for await (const { atMs } of store.log.newestFirst()) if (found.push(atMs) === 1) meanwhile()
    return found
  }

  it('a list that thinning wrote anew, or took away, meanwhile ends it: no state is put together of two histories', async () => {
    const anew = () => {
      writeFileSync(join(lists, '2026-01-02.new'), line(2))
      renameSync(join(lists, '2026-01-02.new'), join(lists, '2026-01-02'))
    }
    await assert.rejects(lines(anew), { code: 'CHANGED' })
    await assert.rejects(
      lines(() => rmSync(join(lists, '2026-01-01'))),
      { code: 'CHANGED' }
    )
  })

  it('what a run appends meanwhile does not', async () => {
    assert.deepEqual(await lines(() => writeFileSync(join(lists, '2026-01-02'), line(4), { flag: 'a' })), [3, 2, 1])
  })
})
