import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AbsPath, type RelPath, systemClock } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import { asidePath } from '../../../storage/files/index.js'
import { changing } from '../../../sync/session/index.js'
import { VersionStore } from '../../../sync/versions/index.js'
import { type HistoryFixture, openHistory } from './fixture.js'

describe('a restore that a crash cut short', function () {
  this.timeout(60_000)
  let fixture: HistoryFixture
  afterEach(() => fixture.close())

  it('at the source of a backup: what it had replaced is in the versions after the next start', async () => {
    fixture = await openHistory({ mode: 'backup' })
    const { source, files, db, history } = fixture
    writeFileSync(join(source, 'a'), 'first')
    await fixture.run()
    writeFileSync(join(source, 'a'), 'second')
    await fixture.run()
    await fixture.restore({ path: 'a' as RelPath, to: 'source' })
    assert.equal(readFileSync(join(source, 'a'), 'utf8'), 'first')
    // As if it had ended between placing and keeping: the old content lies aside, and only a line names it.
    const root = await files.openRoot(source as AbsPath)
    const hash = hashBytes(Buffer.from('lost'))
    const was = { kind: 'file', hash, sizeBytes: 4, mtimeNs: 1n, mode: 0o644 } as const
    const store = new VersionStore(root, systemClock)
    await store.record([{ run: 'cut', path: 'a' as RelPath, was, why: 'test' }])
    const staging = await root.openStaging(fixture.sync().uuid, { where: 'area' })
    const entry = {
      kind: 'file',
      path: asidePath(hash, 0),
      offset: 0,
      length: 4,
      hash,
      mode: 0o644,
      mtimeNs: 1n
    } as const
    await staging.write([entry], new Uint8Array(Buffer.from('lost')))
    await staging.close()
    await root.close()
    await db.write(changing.begin, { run: 'cut', sync: fixture.sync().id, kind: 'restore', beganAtMs: fixture.now() })
    assert.equal((await history.verify(fixture.sync())).problemCount, 1)
    await history.start()
    await history.stop()
    assert.equal((await history.verify(fixture.sync())).problemCount, 0)
  })
})
