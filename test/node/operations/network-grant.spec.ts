import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { type PairedDaemon, runningPair } from '../../daemons.js'

interface Listing {
  entries: { name: string; nameBytes?: string; kind: string; sizeBytes: number; link?: string }[]
  more: boolean
}

describe('network grant, and file list DEVICE:/path', () => {
  let ada: PairedDaemon
  let bob: PairedDaemon
  let photos: string
  runningPair('ada', 'bob', (a, b) => {
    ada = a
    bob = b
    photos = `${b.downloads}/Photos`
  })

  it('a folder that was granted is listed from the other device, as it is there', async () => {
    mkdirSync(`${photos}/2026`, { recursive: true })
    writeFileSync(`${photos}/a.jpg`, 'xyz')
    writeFileSync(Buffer.concat([Buffer.from(`${photos}/odd`), Buffer.from([0xff])]), '')
    symlinkSync('a.jpg', `${photos}/link`)
    const before = await ada.run('file', 'list', `bob:${photos}`)
    assert.ok(before.stderr.includes(`\`spacedrive network grant ada ${photos} --read\``), before.stderr)
    // All of a disk is not proposed.
    assert.match((await ada.run('file', 'list', 'bob:/')).stderr, /network grant ada DIR --read/)
    assert.match(await bob.ok('network', 'grant', 'ada', photos, '--read'), /ada may read what is in /)
    const { entries } = await ada.json<Listing>('file', 'list', `bob:${photos}`)
    assert.deepEqual(
      entries.map(e => [e.name, e.kind, e.sizeBytes, e.link, e.nameBytes !== undefined]),
      [
        ['2026', 'directory', entries[0]!.sizeBytes, undefined, false],
        ['a.jpg', 'file', 3, undefined, false],
        ['link', 'symlink', 5, 'a.jpg', false],
        ['odd\\xff', 'file', 0, undefined, true]
      ]
    )
    assert.deepEqual((await ada.json<Listing>('file', 'list', `bob:${photos}/2026`)).entries, [])
    assert.match(await bob.ok('network', 'grants'), /ada +read .*Photos/)
  })

  it('every access is in the audit log of the device that was reached, those refused too', async () => {
    const { records } = await bob.json<{
      records: { command: string; outcome: string; origin: string; paths: string[] }[]
    }>('system', 'audit')
    const remote = records.filter(r => r.command.startsWith('remote.'))
    assert.deepEqual(
      remote.map(r => [r.command, r.outcome, r.origin, r.paths[0]]),
      [
        ['remote.read', 'refused', ada.id, photos],
        ['remote.read', 'refused', ada.id, '/'],
        ['remote.read', 'done', ada.id, photos],
        ['remote.read', 'done', ada.id, `${photos}/2026`]
      ]
    )
  })

  it('taken back, it is out of reach; what was wrong is said', async () => {
    await bob.ok('network', 'ungrant', 'ada', photos)
    assert.equal((await ada.run('file', 'list', `bob:${photos}`)).code, 1)
    const again = await bob.run('network', 'ungrant', 'ada', photos)
    assert.match(again.stderr, /no grant for[\s\S]*network grants/)
    assert.match((await bob.run('network', 'grant', 'ada', `${photos}/none`, '--read')).stderr, /not there/)
    assert.match((await bob.run('network', 'grant', 'ada', `${photos}/a.jpg`, '--read')).stderr, /no folder/)
    assert.match((await bob.run('network', 'grant', 'ada', bob.dataDir, '--write')).stderr, /belongs to this program/)
    assert.equal((await bob.run('network', 'grant', 'ada', photos)).code, 2)
    assert.equal((await bob.run('network', 'grant', 'nobody', photos, '--read')).code, 6)
    assert.equal((await ada.run('file', 'list', 'nobody:/x')).code, 6)
    await bob.kill()
    assert.equal((await ada.run('file', 'list', `bob:${photos}`)).code, 6)
  })
})
