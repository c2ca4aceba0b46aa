import assert from 'node:assert/strict'
import { linkSync, lstatSync, symlinkSync, truncateSync } from 'node:fs'
import { fileInfo } from '../../../node/operations/file-info.js'
import type { SpacedriveError } from '../../../storage/base/index.js'
import { type OperationsFixture, openOperations } from '../../sync/operations/fixture.js'

describe('file info', () => {
  let fixture: OperationsFixture
  before(async () => {
    fixture = await openOperations()
  })
  after(() => fixture.close())

  const info = (path: string, options: { count?: boolean } = {}) =>
    fileInfo.run(
      { peer: fixture.peer, signal: new AbortController().signal, emit: () => {} },
      fileInfo.input.parse({ path: fixture.at(path), ...options })
    )

  it('what the disk tells: names, holes, owner, where a link leads, the volume', async () => {
    fixture.write({ file: 'x' })
    truncateSync(fixture.at('file'), 8 * 1024 * 1024)
    linkSync(fixture.at('file'), fixture.at('again'))
    symlinkSync('away/it leads', fixture.at('link'))
    const file = await info('file')
    const stat = lstatSync(fixture.at('file'))
    assert.deepEqual([file.sizeBytes, file.disk?.links, file.disk?.uid], [stat.size, 2, stat.uid])
    assert.equal(file.disk?.allocatedBytes, stat.blocks * 512)
    assert.ok(file.disk.volume !== null && file.disk.volume.fileSystem !== '')
    const link = await info('link')
    assert.deepEqual([link.form, link.disk?.target], ['symlink', 'away/it leads'])
  })

  it('a folder that is not indexed is counted when asked for; what was deleted from it is told', async () => {
    fixture.write({ 'folder/a': '1', 'folder/b/c': '22', 'folder/d': '333' })
    assert.equal((await info('folder')).counted, null)
    assert.deepEqual((await info('folder', { count: true })).counted, { files: 3, bytes: 6 })
    const paths = [fixture.at('folder/a'), fixture.at('folder/b')]
    const plan = await fixture.peer.operations.planDelete(paths, { permanent: false })
    await fixture.ended(await fixture.peer.operations.beginDelete(plan, { permanent: false, paths }))
    assert.equal((await info('folder')).inTrash, 2)
    await assert.rejects(
      info('folder/a'),
      (err: SpacedriveError) => err.code === 'NOT_FOUND' && /trash restore/.test(err.hint ?? '')
    )
  })
})
