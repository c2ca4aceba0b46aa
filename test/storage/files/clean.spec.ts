import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { type Clock, systemClock, workerPool } from '../../../storage/base/index.js'
import { isTempName, openFiles, ownerTag } from '../../../storage/files/index.js'
import { ABANDONED_MS } from '../../../storage/files/staging-place.js'
import { type Kit, openKit, rel } from './kit.js'

const stagingName = (owner: string, id: string): string => `.spacedrive-tmp-${ownerTag(owner)}-${id}`

describe('cleaning staging places', () => {
  let kit: Kit
  beforeEach(async () => {
    kit = await openKit()
  })
  afterEach(() => kit.clean())
  const ours = (): string[] => readdirSync(kit.dir).filter(isTempName)

  it('removes what nobody wants any more, keeps what is wanted or open', async () => {
    const [wanted, left] = [randomUUID(), randomUUID()]
    for (const id of [wanted, left]) {
      const staging = await kit.root.openStaging(id, { where: id === left ? 'area' : 'beside' })
      await staging.write([{ kind: 'directory', path: rel('d') }], new Uint8Array(0))
      await staging.close()
    }
    const report = await kit.root.cleanStaging(new Set([wanted]))
    assert.deepEqual(report.removed, [left])
    assert.deepEqual([...report.kept].sort(), [wanted, kit.staging.id].sort())
    await kit.stage({ a: 'still open' })
    assert.deepEqual(readdirSync(kit.at('.spacedrive/staging')), [])
  })
  it('where a crash came while a folder was tried out, the next process takes away what is left of that', async () => {
    const probeOf = (pid: number): string =>
      stagingName('test', `${pid.toString(16).padStart(8, '0')}-0000-8000-8000-0123456789ab`)
    for (const pid of [1, process.pid]) {
      mkdirSync(kit.at(probeOf(pid)))
      writeFileSync(kit.at(`${probeOf(pid)}/a`), 'x')
    }
    await kit.restart()
    assert.deepEqual(ours().sort(), [stagingName('test', kit.staging.id), probeOf(process.pid)].sort())
  })
  it('never leaves a staging place by a link, and takes the link away', async () => {
    mkdirSync(kit.at('mine'))
    writeFileSync(kit.at('mine/file'), 'x')
    const staging = await kit.root.openStaging(randomUUID())
    symlinkSync(kit.at('mine'), `${staging.path}/tree/way-out`)
    symlinkSync(kit.at('mine'), `${staging.path}/way-out`)
    await staging.close()
    await kit.root.cleanStaging(new Set())
    assert.deepEqual(readdirSync(kit.at('mine')), ['file'])
    assert.equal(ours().length, 1)
  })
  it('names that only look like ours are nobody`s to clean', async () => {
    const names = [
      '.spacedrive-tmp-',
      '.spacedrive-tmp-x',
      `${stagingName('test', randomUUID())}x`,
      stagingName('test', '../../..').replaceAll('/', '-'),
      `.spacedrive-tmp-zzzzzzzzzzzz-${randomUUID()}`
    ]
    for (const name of names) mkdirSync(kit.at(name))
    assert.deepEqual((await kit.root.cleanStaging(new Set())).removed, [])
    assert.equal(ours().length, names.length + 1)
  })
  it('another daemon`s is left alone until nobody touched it for thirty days', async () => {
    await kit.staging.discard() // by the clock of this test it is old too
    const [fresh, old] = [randomUUID(), randomUUID()]
    for (const id of [fresh, old]) mkdirSync(kit.at(stagingName('another', id)))
    const nowMs = 2_000_000_000_000
    const seconds = (ms: number): number => ms / 1000
    utimesSync(kit.at(stagingName('another', fresh)), 0, seconds(nowMs - ABANDONED_MS))
    utimesSync(kit.at(stagingName('another', old)), 0, seconds(nowMs - ABANDONED_MS - 1000))
    const pool = workerPool(2)
    const clock: Clock = { ...systemClock, nowMs: () => nowMs }
    const files = openFiles({ pool, owner: ownerTag('one'), clock })
    try {
      const root = await files.openRoot(kit.dir as never)
      const { removed, kept } = await root.cleanStaging(new Set())
      assert.deepEqual(removed, [old])
      assert.deepEqual(kept, [fresh])
    } finally {
      await files.close()
      await pool.close()
    }
  })
  it('what another root of the same folder has open is not cleaned', async () => {
    const pool = workerPool(2)
    const files = openFiles({ pool, owner: ownerTag('two') })
    try {
      const [first, second] = [await files.openRoot(kit.dir as never), await files.openRoot(kit.dir as never)]
      const staging = await first.openStaging(randomUUID())
      assert.deepEqual((await second.cleanStaging(new Set())).removed, [])
      await assert.rejects(second.openStaging(staging.id), { code: 'STAGING_IN_USE' })
    } finally {
      await files.close()
      await pool.close()
    }
  })
})
