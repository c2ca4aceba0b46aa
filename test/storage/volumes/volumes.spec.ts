import assert from 'node:assert/strict'
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, watch, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  type AbsPath,
  eventBus,
  pathBytes,
  type RelPath,
  silentLog,
  systemClock,
  type WorkerPool,
  workerPool
} from '../../../storage/base/index.js'
import { fileSystemId } from '../../../storage/files/index.js'
import { type InstanceDatabase, openInstance } from '../../../storage/instance/index.js'
import { type VolumeId, type Volumes, volumes } from '../../../storage/volumes/index.js'
import { volumeWrites } from '../../../storage/volumes/volumes.worker.js'
import { canMount, mountImage } from '../../mounts.js'
import { tempDir } from '../../temp.js'

describe('volumes', () => {
  const dir = tempDir()
  const events = eventBus()
  let pool: WorkerPool
  let database: InstanceDatabase
  let service: Volumes

  before(async () => {
    pool = workerPool(2)
    database = await openInstance(`${dir.path}/data` as AbsPath)
    service = volumes({ database, events, clock: systemClock, pool, log: silentLog })
    await service.start()
  })
  after(async () => {
    await service.stop()
    await database.close()
    await pool.close()
    dir.clean()
  })

  it('the volume of a path holds it and knows its size', async () => {
    const volume = await service.volumeOf(dir.path)
    assert.ok(volume)
    assert.ok(volume.mountPoints.some(m => dir.path.startsWith(m)))
    assert.ok(volume.totalBytes >= volume.availableBytes && volume.availableBytes > 0)
    assert.equal((await service.find(volume.mountPoint)).id, volume.id)
  })

  it('two paths of one folder are on the same volume, /proc is on another', async () => {
    assert.equal(await service.sameVolume(dir.path, `${dir.path}/data` as AbsPath), true)
    assert.equal(await service.sameVolume(dir.path, '/proc' as AbsPath), false)
  })

  it('what the kernel makes up lies on no volume', async () => {
    assert.equal(await service.volumeOf('/proc' as AbsPath), undefined)
  })

  it('an unknown one is named, with what to try', async () => {
    await assert.rejects(service.find('nonesuch'), { code: 'UNKNOWN_VOLUME', hint: /volume list/ })
  })

  it('a speed test leaves everything as it was, also a folder that was there before', async () => {
    const place = `${dir.path}/place` as AbsPath
    mkdirSync(`${place}/tmp`, { recursive: true })
    writeFileSync(`${place}/tmp/precious`, 'x')
    const measured = await service.speedTest(place, { bytes: 2 * 2 ** 20 })
    assert.ok(measured.writeBytesPerSecond > 0 && measured.readBytesPerSecond > 0)
    assert.deepEqual(readdirSync(place), ['tmp'])
    assert.deepEqual(readdirSync(`${place}/tmp`), ['precious'])
  })

  it('an aborted speed test removes its file', async () => {
    const place = `${dir.path}/aborted` as AbsPath
    mkdirSync(place)
    const reason = new Error('enough')
    await assert.rejects(service.speedTest(place, { bytes: 2 ** 20, signal: AbortSignal.abort(reason) }), reason)
    assert.deepEqual(readdirSync(place), [])
  })

  it('what a killed speed test left is taken away at the next start, and nothing else', async () => {
    const place = `${dir.path}/killed` as AbsPath
    mkdirSync(place)
    const child = fork(fileURLToPath(new URL('./speed-entry.js', import.meta.url)), [`${dir.path}/other`, place])
    const ended = once(child, 'exit')
    const made = new Promise<string>(resolve => {
      const watching = watch(place, () => {
        const [name] = readdirSync(place)
        if (name === undefined) return
        watching.close()
        resolve(`${place}/${name}`)
      })
    })
    const folder = (await Promise.race([made, ended])) as string
    assert.ok(typeof folder === 'string', 'it ended by itself')
    child.kill('SIGKILL')
    await ended
    mkdirSync(`${place}/.spacedrive-tmp-speed-not-ours`)
    const killed = await openInstance(`${dir.path}/other` as AbsPath)
    const restart = async (): Promise<void> => {
      const next = volumes({ database: killed, events, clock: systemClock, pool, log: silentLog })
      await next.start()
      await next.stop()
    }
    writeFileSync(`${folder}/put-here-by-somebody`, 'x')
    await restart()
    assert.deepEqual(readdirSync(folder), ['put-here-by-somebody'], 'what is not ours stays')
    await restart()
    assert.deepEqual(readdirSync(place).length, 2)
    await killed.close()
  })

  it('what lies on a disk that is away waits for it', async () => {
    const away = `${dir.path}/away` as AbsPath
    const own = `${away}/.spacedrive-tmp-speed-x` as AbsPath
    await database.write(volumeWrites.speedTestBegins, { dir: pathBytes(own), nowMs: 1 })
    const restart = async (): Promise<void> => {
      const next = volumes({ database, events, clock: systemClock, pool, log: silentLog })
      await next.start()
      await next.stop()
    }
    await restart()
    mkdirSync(own, { recursive: true })
    writeFileSync(`${own}/data`, 'x')
    await restart()
    assert.deepEqual(readdirSync(away), [])
    assert.deepEqual(database.all('SELECT * FROM speed_tests'), [])
  })

  it('more than half of what is free is refused before anything is written', async () => {
    await assert.rejects(service.speedTest(dir.path, { bytes: Number.MAX_SAFE_INTEGER }), { code: 'NO_SPACE' })
  })

  canMount('volumes that come and go', () => {
    const seen = (type: 'volume:added' | 'volume:removed', mountPoint: string): Promise<string> =>
      new Promise(resolve => {
        const off = events.on(type, e => {
          if (e.mountPoint !== mountPoint) return
          off()
          resolve(e.volume)
        })
      })

    it('a disk that takes the place of another, with all its numbers, is not taken for it', async () => {
      const images = [mountImage('ext4', 24)]
      const place = `${dir.path}/swapped` as AbsPath
      mkdirSync(place)
      try {
        const added = seen('volume:added', place)
        images[0]!.mount(place)
        const id = (await added) as VolumeId
        assert.equal(await service.pathOf(id, 'folder' as RelPath), `${place}/folder`)
        await images[0]!.unmount()
        // Made now: by then the numbers of the first are free, unless somebody else took them.
        images.push(mountImage('ext4', 24))
        images[1]!.mount(place)
        assert.equal(await service.pathOf(id, 'folder' as RelPath), undefined)
      } finally {
        for (const image of images) image.clean()
      }
    })

    it('a local disk is known, as `stat` knows it, without starting a process', async () => {
      const image = mountImage('ext4', 24)
      const place = `${dir.path}/known` as AbsPath
      const { PATH } = process.env
      mkdirSync(place)
      try {
        image.mount(place)
        const said = spawnSync('stat', ['-f', '-c', '%i', place], { encoding: 'utf8' }).stdout.trim()
        assert.equal(fileSystemId(place), said)
        process.env.PATH = dir.path // there is no program
        const volume = await service.volumeOf(place)
        assert.ok(volume?.identified)
        // Where udev has made a link it is known by its UUID.
        if (volume.id.startsWith('fsid:')) assert.equal(volume.id, `fsid:ext4:${said}`)
      } finally {
        process.env.PATH = PATH
        image.clean()
      }
    })

    it('a disk is noticed when it comes and goes, keeps its id at another place, and is remembered', async () => {
      const image = mountImage('ext4', 24)
      try {
        const first = `${dir.path}/first` as AbsPath
        const second = `${dir.path}/second` as AbsPath
        mkdirSync(first)
        mkdirSync(second)
        const added = seen('volume:added', first)
        image.mount(first)
        const id = await added
        const volume = await service.find(first)
        assert.equal(volume.id, id)
        assert.equal(volume.fileSystem, 'ext4')
        assert.ok(volume.identified)
        assert.equal(await service.sameVolume(first, dir.path), false)
        const tracked = await service.track(volume.id, 'Photos')
        assert.equal(tracked.name, 'Photos')

        const removed = seen('volume:removed', first)
        await image.unmount()
        assert.equal(await removed, id)
        await assert.rejects(service.find(volume.id), { code: 'UNKNOWN_VOLUME' })
        assert.equal(service.tracked()[0]!.lastMountPoint, first)

        const again = seen('volume:added', second)
        image.mount(second)
        assert.equal(await again, id)
        assert.equal((await service.find('Photos')).mountPoint, second)

        const bind = `${dir.path}/bind` as AbsPath
        mkdirSync(bind)
        mkdirSync(`${second}/deep/folder`, { recursive: true })
        spawnSync('mount', ['--bind', `${second}/deep`, bind])
        try {
          assert.equal(await service.sameVolume(second, bind), true)
          assert.equal(await service.canRename(second, bind), false, 'not through a bind mount')
          assert.equal(await service.canRename(second, `${second}/deep` as AbsPath), true)
          const folder = `${bind}/folder` as AbsPath
          assert.equal((await service.placementOf(folder))?.within, 'deep/folder', 'the same through a bind mount')
          assert.equal(await service.pathOf(id as never, 'deep/folder' as never), `${second}/deep/folder`)
        } finally {
          spawnSync('umount', [bind])
        }
        assert.equal(await service.untrack(volume.id), true)
        assert.equal(await service.untrack(volume.id), false)
      } finally {
        image.clean()
      }
    })
  })
})
