import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { workerPool } from '../../../storage/base/index.js'
import { isTempName, openFiles, ownerTag } from '../../../storage/files/index.js'
import { type Kit, openKit } from './kit.js'

const stagingName = (owner: string, id: string): string => `.spacedrive-tmp-${ownerTag(owner)}-${id}`

describe('staging places', () => {
  let kit: Kit
  beforeEach(async () => {
    kit = await openKit()
  })
  afterEach(() => kit.clean())
  const ours = (): string[] => readdirSync(kit.dir).filter(isTempName)

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
    await staging.discard()
    assert.deepEqual(readdirSync(kit.at('mine')), ['file'])
    assert.equal(ours().length, 1)
  })
  it('what another root of the same folder has open is not opened twice', async () => {
    const pool = workerPool(2)
    const files = openFiles({ pool, owner: ownerTag('two') })
    try {
      const [first, second] = [await files.openRoot(kit.dir as never), await files.openRoot(kit.dir as never)]
      const staging = await first.openStaging(randomUUID())
      await assert.rejects(second.openStaging(staging.id), { code: 'STAGING_IN_USE' })
    } finally {
      await files.close()
      await pool.close()
    }
  })
})
