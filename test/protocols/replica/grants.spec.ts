import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { MAX_GRANTS } from '../../../protocols/replica/index.js'
import { type AbsPath, type RelPath, ROOT } from '../../../storage/base/index.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import { bytesOf, gather, rel } from '../../sync/endpoints/gather.js'
import { tempDir } from '../../temp.js'
import { type ReplicaPair, remoteFolder, replicaPair } from './fixture.js'

describe('what a device may reach', () => {
  let pair: ReplicaPair
  before(async () => {
    pair = await replicaPair()
  })
  after(() => pair.stop())

  const connect = (path: string, access: 'read' | 'write' = 'read'): Promise<Endpoint> =>
    pair.driver.replicas.connect(pair.server.peer.id, path, access)
  const refused = { code: 'NOT_GRANTED' }

  it('nothing, unless it was granted; what is there is not told from what is not', async () => {
    const temp = tempDir()
    await assert.rejects(connect(temp.path), refused)
    await assert.rejects(connect(`${temp.path}/none`), refused)
    await assert.rejects(connect('relative'), refused)
    await assert.rejects(connect('/'), refused)
    assert.deepEqual(
      pair.server.seen.map(a => [a.device, a.path, a.refused !== undefined]),
      [temp.path, `${temp.path}/none`, 'relative', '/'].map(path => [pair.driver.peer.id, path, true])
    )
    temp.clean()
  })

  it('a granted folder and what is below it, by no link to another place', async () => {
    const folder = await remoteFolder(pair, 'read')
    mkdirSync(`${folder.root}/sub`)
    const outside = `${dirname(folder.root)}/outside`
    mkdirSync(outside)
    writeFileSync(`${outside}/secret`, 'secret')
    symlinkSync(outside, `${folder.root}/out`)
    await (await folder.open(`${folder.root}/sub`)).close()
    await assert.rejects(folder.open(outside), refused)
    await assert.rejects(folder.open(`${folder.root}/out`), refused)
    await assert.rejects(folder.open(`${folder.root}/../outside`), refused)
    await assert.rejects(folder.open(`${folder.root}x`), refused)
    await assert.rejects(folder.open(`${folder.root}/none`), { code: 'MISSING' })
    const endpoint = await folder.open()
    await assert.rejects(bytesOf(endpoint.read(rel('out/secret'))), { code: 'LINK_IN_PATH' })
    const [looked] = await endpoint.look([rel('out/secret')])
    assert.equal(looked!.problem?.code, 'LINK_IN_PATH')
    await folder.close()
  })

  it('what may be read is not written, by any of the calls that write', async () => {
    const folder = await remoteFolder(pair, 'read')
    writeFileSync(`${folder.root}/file`, 'x')
    const endpoint = await folder.open()
    const { stat: expected } = (await endpoint.look([rel('file')]))[0]!.entry!
    const writes: [string, () => Promise<unknown>][] = [
      ['openStage', () => endpoint.openStage(randomUUID())],
      ['place', () => endpoint.place([{ kind: 'make-directory', path: rel('made') }])],
      ['placeGroup', () => endpoint.placeGroup([{ kind: 'move', path: rel('file'), to: rel('moved'), expected }])],
      ['trash', () => endpoint.trash([{ path: rel('file'), expected }], { command: 'test' })],
      ['capabilities', () => endpoint.capabilities()],
      ['ensureSpace', () => endpoint.ensureSpace(1)]
    ]
    for (const [name, write] of writes) await assert.rejects(write(), refused, name)
    await assert.rejects(folder.open(folder.root, 'write'), refused)
    assert.deepEqual(readdirSync(folder.root), ['file'])
    await folder.close()
  })

  it('what belongs to the program there is neither read nor changed, wherever it lies', async () => {
    const folder = await remoteFolder(pair)
    for (const dir of ['lib', 'synced/.spacedrive', 'theirs/.spacedrive'])
      mkdirSync(`${folder.root}/${dir}`, { recursive: true })
    for (const file of [
      'lib/database',
      'synced/.spacedrive/root.json',
      'theirs/.spacedrive/notes',
      '.spacedrive-tmp-1'
    ])
      writeFileSync(`${folder.root}/${file}`, '{}')
    pair.parts.ours.push(`${folder.root}/lib`)
    const endpoint = await folder.open()
    for (const path of ['lib/database', 'lib', 'synced/.spacedrive/root.json', '.spacedrive-tmp-1'].map(rel)) {
      await assert.rejects(bytesOf(endpoint.read(path)), refused, path)
      await assert.rejects(endpoint.readPack([path]), refused, path)
      await assert.rejects(gather(endpoint.walk(path)), refused, path)
      await assert.rejects(async () => {
        for await (const _ of endpoint.hash([path])) void _
      }, refused)
      await assert.rejects(endpoint.place([{ kind: 'make-directory', path: `${path}/x` as RelPath }]), refused, path)
    }
    await assert.rejects(endpoint.place([{ kind: 'make-directory', path: rel('new/.spacedrive') }]), refused)
    await assert.rejects(endpoint.look([rel('lib/database')]), refused)
    assert.equal((await bytesOf(endpoint.read(rel('theirs/.spacedrive/notes')))).toString(), '{}')
    pair.parts.ours.length = 0
    await folder.close()
  })

  it('a staging place is used by the session that opened it, and by no other', async () => {
    const folder = await remoteFolder(pair)
    const local = await pair.parts.open(folder.root)
    const mine = await local.openStage(randomUUID())
    const endpoint = await folder.open()
    const path = rel('file')
    await assert.rejects(endpoint.place([{ kind: 'create', path, from: { staging: mine.id, path } }]), refused)
    await mine.discard()
    await local.close()
    await folder.close()
  })

  it('what is taken back ends at once, and what was given is counted', async () => {
    const folder = await remoteFolder(pair)
    const endpoint = await folder.open()
    await pair.server.grants.remove(pair.driver.peer.id, folder.root)
    await pair.server.replicas.cut(pair.driver.peer.id)
    await assert.rejects(gather(endpoint.walk(ROOT)), { code: 'UNREACHABLE' })
    await assert.rejects(folder.open(), refused)
    const { grants } = pair.server
    const root = realpathSync('/') as AbsPath
    const give = (i: number): Promise<void> => grants.add(pair.driver.peer.id, `${root}${i}` as AbsPath, 'read')
    await Promise.all(Array.from({ length: MAX_GRANTS }, (_, i) => give(i)))
    await assert.rejects(grants.add(pair.driver.peer.id, `${root}more` as AbsPath, 'read'), { code: 'TOO_MANY' })
    await grants.add(pair.driver.peer.id, `${root}0` as AbsPath, 'write') // one that is there may change
    assert.equal(grants.list(pair.driver.peer.id).length, MAX_GRANTS)
    await Promise.all(grants.list().map(({ device, path }) => grants.remove(device, path)))
    await folder.close()
  })

  it('a device that is revoked has nothing any more', async () => {
    const folder = await remoteFolder(pair)
    const endpoint = await folder.open()
    await pair.server.peer.devices.revoke(pair.driver.peer.id)
    await assert.rejects(gather(endpoint.walk(ROOT)), { code: 'UNREACHABLE' })
    assert.deepEqual(pair.server.grants.list(), [])
    await assert.rejects(folder.open(), { code: 'DEVICE_AWAY' })
    await folder.close()
  })
})
