import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AbsPath,
  type ContentHash,
  type DeviceId,
  type RelPath,
  systemClock,
  workerPool
} from '../../../storage/base/index.js'
import { asidePath, openFiles, ownerTag } from '../../../storage/files/index.js'
import { leftWrites } from '../../../sync/session/left.worker.js'
import { MAX_LEFT_ENDS } from '../../../sync/session/limits.js'
import { VersionStore } from '../../../sync/versions/index.js'
import { gone, hashOf } from '../versions/lines.js'
import { leftTasks } from './left.worker.js'
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

  it('one whose folder is away is removed all the same; what is left there goes when it is back, its old content into the versions', async () => {
    two.put('a/f', 'old')
    await two.add('mirror', { manual: true })
    assert.equal((await two.run()).state, 'converged')
    const { sync } = two
    const hash = await crash(sync.uuid, 'old')
    renameSync(two.at('b'), two.at('elsewhere'))
    // Another folder in its place is none of that sync's.
    mkdirSync(two.at('b/.spacedrive/staging'), { recursive: true })
    await two.peer.syncs.remove(sync)
    assert.deepEqual(two.peer.syncs.list(), [])
    const staging = two.at('elsewhere/.spacedrive/staging')
    const [place] = readdirSync(staging)
    // Of others, who may still want it: another sync of this daemon, and another daemon.
    const others = [place!.replace(sync.uuid, randomUUID()), place!.replace(/tmp-[0-9a-f]{12}/, 'tmp-0123456789ab')]
    for (const name of others) cpSync(join(staging, place!), join(staging, name), { recursive: true })
    rmSync(two.at('b'), { recursive: true })
    await cleaned(false)
    assert.deepEqual(readdirSync(staging).sort(), [place!, ...others].sort())
    renameSync(two.at('elsewhere'), two.at('b'))
    await cleaned(true)
    assert.deepEqual(readdirSync(two.at('b/.spacedrive/staging')).sort(), others.sort())
    assert.ok(existsSync(two.at(`b/.spacedrive/versions/content/${hash.slice(0, 2)}/${hash}`)))
  })

  it('a sync of that name in the database again, as after a copy was put back, keeps what is staged for it', async () => {
    two.put('a/f', 'old')
    await two.add('mirror', { manual: true })
    assert.equal((await two.run()).state, 'converged')
    await crash(two.sync.uuid, 'old')
    const { uuid } = two.sync
    await two.peer.instance.write(leftWrites.leave, {
      left: [{ uuid, place: two.sync.destination, root: null }],
      nowMs: 1
    })
    await cleaned(false)
    assert.equal(readdirSync(two.at('b/.spacedrive/staging')).length, 1)
    assert.equal(two.peer.syncs.list()[0]!.uuid, uuid)
  })

  it('no more ends are remembered than there is room for: the oldest are forgotten', async () => {
    const end = { device: null, inode: '1', birthNs: '1', volume: null, within: null }
    const left = Array.from({ length: MAX_LEFT_ENDS + 1 }, (_, i) => ({
      ...{ uuid: `u${i}`, root: null, place: { ...end, path: `/nowhere/${i}` as AbsPath } }
    }))
    await two.peer.instance.write(leftWrites.leave, { left: left.slice(0, 1), nowMs: 1 })
    await two.peer.instance.write(leftWrites.leave, { left: left.slice(1), nowMs: 2 })
    const rows = two.peer.instance.all<{ uuid: string }>('SELECT uuid FROM syncs_left')
    assert.equal(rows.length, MAX_LEFT_ENDS)
    assert.ok(!rows.some(({ uuid }) => uuid === 'u0'))
  })

  it('one that another device drove, and that is revoked while the folder is away: the same', async () => {
    two.put('b/f', 'old')
    const { served, syncs, instance } = two.peer
    const driver = 'a device' as DeviceId
    const uuid = randomUUID()
    const asked = { uuid, name: 'theirs', mode: 'mirror', side: 'destination', theirs: 'there:/a' } as const
    await instance.write(leftTasks.pair, { device: driver })
    await served.ask(driver, { ...asked, path: two.at('b') as AbsPath })
    await served.accept(served.find(driver, uuid)!, two.at('b') as AbsPath)
    const hash = await crash(uuid, 'old')
    renameSync(two.at('b'), two.at('elsewhere'))
    await served.forget(driver)
    assert.equal(instance.all('SELECT * FROM syncs_left').length, 1)
    renameSync(two.at('elsewhere'), two.at('b'))
    await syncs.leftEnds.sweep()
    assert.equal(instance.all('SELECT * FROM syncs_left').length, 0)
    assert.deepEqual(readdirSync(two.at('b/.spacedrive/staging')), [])
    assert.ok(existsSync(two.at(`b/.spacedrive/versions/content/${hash.slice(0, 2)}/${hash}`)))
  })

  /** A daemon starts anew, and has looked for what is left. */
  async function cleaned(all: boolean): Promise<void> {
    await two.peer.stop()
    await two.start()
    await two.peer.syncs.leftEnds.sweep()
    assert.equal(two.peer.instance.all('SELECT * FROM syncs_left').length, all ? 0 : 1)
  }
})
