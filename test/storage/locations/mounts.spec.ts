import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { AbsPath } from '../../../storage/base/index.js'
import { canMount, mountImage } from '../../mounts.js'
import { tempDir } from '../../temp.js'
import { type LocationsFixture, openLocations } from './fixture.js'

canMount('locations on disks that come and go', () => {
  const dir = tempDir()
  let f: LocationsFixture | undefined
  afterEach(async () => {
    await f?.close()
    f = undefined
  })
  after(() => dir.clean())

  it('unmounted it is offline and keeps its entries; mounted elsewhere it follows; another disk is not taken for it', async () => {
    const [first, second] = [`${dir.path}/first`, `${dir.path}/second`]
    mkdirSync(first)
    mkdirSync(second)
    const disk = mountImage('ext4', 16)
    const other = mountImage('ext4', 16)
    try {
      disk.mount(first)
      mkdirSync(`${first}/photos/2024`, { recursive: true })
      writeFileSync(`${first}/photos/2024/a.jpg`, 'x')
      f = await openLocations(`${dir.path}/one` as AbsPath)
      const id = await f.indexedFolder(`${first}/photos`)
      const mounted = await f.indexedFolder(first, { name: 'root of the disk' })

      await disk.unmount()
      await f.until(
        async () => (await f!.info(id)).activity === 'offline' && (await f!.info(mounted)).activity === 'offline'
      )
      assert.deepEqual(f.paths(id), ['2024', '2024/a.jpg'])
      assert.ok(
        f.paths(mounted).includes('photos/2024/a.jpg'),
        'the empty folder below the mount point deletes nothing'
      )

      other.mount(first)
      mkdirSync(`${first}/photos`)
      writeFileSync(`${first}/photos/other.jpg`, 'x')
      await f.locations.rescan(id).then(
        () => assert.fail('another disk was taken for it'),
        err => assert.equal(err.code, 'LOCATION_OFFLINE')
      )
      assert.equal((await f.info(id)).problem?.code, 'OTHER_DISK')
      assert.deepEqual(f.paths(id), ['2024', '2024/a.jpg'])

      disk.mount(second)
      await f.until(async () => (await f!.info(id)).path === `${second}/photos` && f!.same(id))
      await f.until(async () => (await f!.info(mounted)).path === second)
      writeFileSync(`${second}/photos/new.jpg`, 'x')
      await f.until(() => f!.paths(id).includes('new.jpg'))
    } finally {
      await f?.close() // watches keep a disk busy
      f = undefined
      disk.clean()
      other.clean()
    }
  })

  it('a memory disk under a location that goes is offline', async () => {
    const place = `${dir.path}/memory`
    mkdirSync(place)
    const disk = mountImage('tmpfs', 4)
    try {
      disk.mount(place)
      writeFileSync(`${place}/f`, 'x')
      f = await openLocations(`${dir.path}/two` as AbsPath)
      const id = await f.indexedFolder(place)
      await disk.unmount()
      await f.until(async () => (await f!.info(id)).activity === 'offline')
      assert.deepEqual(f.paths(id), ['f'])
    } finally {
      disk.clean()
    }
  })
})
