import assert from 'node:assert/strict'
import { existsSync, readdirSync, renameSync } from 'node:fs'
import { type AbsPath, type ContentHash, type RelPath, systemClock, workerPool } from '../../../storage/base/index.js'
import { asidePath, openFiles, ownerTag } from '../../../storage/files/index.js'
import { VersionStore } from '../../../sync/versions/index.js'
import { gone, hashOf } from '../versions/lines.js'
import { TwoFolders } from './two-folders.js'

describe('a sync that is removed after a crash', () => {
  let two: TwoFolders
  beforeEach(async () => {
    two = new TwoFolders()
    await two.start()
  })
  afterEach(() => two.clean())

  /** What a crash in the middle of a batch leaves: an old content lies aside, and is not in the versions yet. */
  async function crash(uuid: string, text: string): Promise<ContentHash> {
    const pool = workerPool(1)
    const files = openFiles({ pool, owner: ownerTag(two.at('data')) })
    const root = await files.openRoot(two.at('b') as AbsPath)
    await root.openStaging(uuid, { where: 'area' })
    const hash = hashOf(text)
    await new VersionStore(root, systemClock).record([gone('f', text)])
    const aside = { staging: uuid, path: asidePath(hash, 0) }
    const [result] = await root.place([{ kind: 'remove', path: 'f' as RelPath, expected: { kind: 'file' }, aside }])
    assert.equal(result!.done, true)
    await files.close()
    await pool.close()
    return hash
  }

  it('its staging place goes, and what lay aside in it is in the versions', async () => {
    two.put('a/f', 'old')
    const sync = await two.add('mirror', { manual: true })
    assert.equal((await two.run()).state, 'converged')
    const hash = await crash(sync.uuid, 'old')
    assert.equal(readdirSync(two.at('b/.spacedrive/staging')).length, 1)
    await two.peer.syncs.remove(two.sync)
    assert.deepEqual(readdirSync(two.at('b/.spacedrive/staging')), [])
    assert.ok(existsSync(two.at(`b/.spacedrive/versions/content/${hash.slice(0, 2)}/${hash}`)))
    assert.deepEqual(two.peer.syncs.list(), [])
  })

  it('one whose folder is away is removed all the same', async () => {
    two.put('a/f', 'old')
    await two.add('mirror', { manual: true })
    assert.equal((await two.run()).state, 'converged')
    const { sync } = two
    renameSync(two.at('b'), two.at('elsewhere'))
    await two.peer.syncs.remove(sync)
    assert.deepEqual(two.peer.syncs.list(), [])
  })
})
