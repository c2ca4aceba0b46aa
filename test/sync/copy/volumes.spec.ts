import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import type { AbsPath, JobId } from '../../../storage/base/index.js'
import type { CopyInput, CopyOutput } from '../../../sync/copy/index.js'
import { canMount, kindMissing, mountImage, type TestImage } from '../../mounts.js'
import { type OperationsFixture, openOperations } from '../operations/fixture.js'
import { readTree } from './trees.js'

const FILES = 120
const FILE_BYTES = 200_000

canMount('copy: disks of all kinds', () => {
  let fixture: OperationsFixture
  const images: TestImage[] = []
  beforeEach(async () => {
    fixture = await openOperations()
  })
  afterEach(async () => {
    for (const image of images.splice(0)) image.clean()
    await fixture.close()
  })

  /** Mounts a new image at `usb`. */
  function disk(fileSystem: string, mib: number, ...mkfs: string[]): TestImage {
    mkdirSync(fixture.at('usb'), { recursive: true })
    const image = mountImage(fileSystem, mib, ...mkfs)
    images.push(image)
    image.mount(fixture.at('usb'))
    return image
  }
  /** A test with such a disk at `usb`; named where it is not to be had. */
  function itOn(on: readonly [string, number, ...string[]], title: string, body: () => Promise<void>): void {
    const missing = kindMissing(...on)
    if (missing !== undefined) process.stderr.write(`\n  NOT RUN: "${title}": ${missing}\n\n`)
    else
      it(title, async () => {
        disk(...on)
        await body()
      })
  }
  const begin = (source: string, destination: string, more: Partial<CopyInput> = {}): Promise<JobId> =>
    fixture.peer.copies.begin({
      ...{ operation: 'copy', into: false, overwrite: 'skip', verify: false, keepTimes: true, include: [] },
      ...{ exclude: [], prepare: 'scan', keep: true, owner: false, xattrs: false },
      ...{ sources: [fixture.at(source) as AbsPath], destination: fixture.at(destination) as AbsPath },
      ...more
    })
  async function copied(source: string, destination: string, more: Partial<CopyInput> = {}) {
    const info = await fixture.ended(await begin(source, destination, more))
    return { ...info, output: info.output as unknown as CopyOutput }
  }
  const fill = (folder: string): void => {
    mkdirSync(fixture.at(folder), { recursive: true })
    for (let i = 0; i < FILES; i++) writeFileSync(join(fixture.at(folder), `f${i}`), Buffer.alloc(FILE_BYTES, i + 1))
  }
  /** Begins a copy and pauses it as soon as it copies. */
  async function paused(source: string, destination: string): Promise<JobId> {
    const pausing = new Promise<void>((resolve, reject) => {
      const off = fixture.peer.events.on('job:progress', ({ job, phase }) => {
        if (phase !== 'Copying') return
        off()
        fixture.peer.jobs.pause(job as JobId).then(() => resolve(), reject)
      })
    })
    const job = await begin(source, destination)
    await pausing
    return job
  }
  const pull = (): void => void execFileSync('umount', ['-l', fixture.at('usb')])

  it('the destination is pulled out half way: nothing is written to the folder it was mounted at, and it goes on when it is back', async () => {
    const image = disk('ext4', 64)
    fill('from')
    const job = await paused('from', 'usb/to')
    pull()
    await fixture.peer.jobs.resume(job)
    await fixture.ended(job)
    assert.deepEqual(readdirSync(fixture.at('usb')), [], 'below the mount point')
    assert.equal(fixture.peer.jobs.info(job).state, 'failed')
    assert.match(fixture.peer.jobs.info(job).error!.message, /not connected/)
    image.mount(fixture.at('usb'))
    await fixture.peer.jobs.resume(job)
    const { state } = await fixture.ended(job)
    assert.equal(state, 'completed')
    assert.deepEqual(readTree(fixture.at('usb/to')), readTree(fixture.at('from')))
  })

  it('the source is pulled out half way: that is no finished copy', async () => {
    const image = disk('ext4', 64)
    fill('usb/from')
    const job = await paused('usb/from', 'to')
    pull()
    await fixture.peer.jobs.resume(job)
    const ended = await fixture.ended(job)
    assert.equal(ended.state, 'failed')
    assert.match(ended.error!.message, /not connected/)
    image.mount(fixture.at('usb'))
    await fixture.peer.jobs.resume(job)
    assert.equal((await fixture.ended(job)).state, 'completed')
    assert.deepEqual(readTree(fixture.at('to')), readTree(fixture.at('usb/from')))
  })

  itOn(['vfat', 40], 'names that the destination cannot hold are listed, the rest is copied', async () => {
    mkdirSync(fixture.at('from/sub:folder'), { recursive: true })
    for (const name of ['plain', 'a:b', 'what?', 'sub:folder/in']) writeFileSync(fixture.at(`from/${name}`), name)
    symlinkSync('plain', fixture.at('from/link'))
    const { state, problemList } = await copied('from', 'usb/to')
    assert.equal(state, 'completed-with-problems')
    assert.deepEqual(readdirSync(fixture.at('usb/to')), ['plain'])
    for (const name of ['a:b', 'what?', 'link']) {
      assert.ok(
        problemList.some(p => p.path.includes(name)),
        `${name}: ${JSON.stringify(problemList)}`
      )
    }
  })

  const folding = ['ext4', 40, '-O', 'casefold', '-E', 'encoding=utf8'] as const
  itOn(folding, 'of two names that the destination takes for one the first is there, the other is listed', async () => {
    mkdirSync(fixture.at('usb/to'))
    execFileSync('chattr', ['+F', fixture.at('usb/to')])
    mkdirSync(fixture.at('from'))
    for (const name of ['Photo', 'photo', 'other']) writeFileSync(fixture.at(`from/${name}`), name)
    const { state, problemList, output } = await copied('from', 'usb/to', { overwrite: 'skip' })
    const there = readdirSync(fixture.at('usb/to/from')).sort()
    assert.equal(there.length, 2, `${state} ${there} ${JSON.stringify(problemList)}`)
    const photo = there.find(n => n.toLowerCase() === 'photo')!
    assert.equal(readFileSync(fixture.at(`usb/to/from/${photo}`), 'utf8'), photo)
    assert.ok(problemList.length + output.skipped.exists === 1, JSON.stringify(problemList))
  })

  for (const on of [
    ['btrfs', 128],
    ['xfs', 320]
  ] as const) {
    itOn(on, `files share their blocks where they can (${on[0]})`, async () => {
      mkdirSync(fixture.at('usb/from'))
      writeFileSync(fixture.at('usb/from/large'), Buffer.alloc(8_000_000, 7))
      writeFileSync(fixture.at('usb/from/small'), 'x')
      const { output, state } = await copied('usb/from', 'usb/to')
      assert.equal(state, 'completed')
      assert.deepEqual(output.strategies, { reflink: 1, stream: 1 })
      assert.deepEqual(readTree(fixture.at('usb/to')), readTree(fixture.at('usb/from')))
    })
  }

  it('--owner keeps owners, groups and set-id bits; without it they are those of a new file', async () => {
    mkdirSync(fixture.at('from/d'), { recursive: true })
    writeFileSync(fixture.at('from/d/f'), 'x')
    symlinkSync('f', fixture.at('from/d/l'))
    for (const path of ['from/d', 'from/d/f']) chownSync(fixture.at(path), 12_345, 54_321)
    execFileSync('chown', ['-h', '12345:54321', fixture.at('from/d/l')])
    execFileSync('chmod', ['4755', fixture.at('from/d/f')])
    await copied('from', 'with', { owner: true })
    await copied('from', 'without')
    for (const path of ['d', 'd/f', 'd/l']) {
      const [kept, plain] = [lstatSync(fixture.at(`with/${path}`)), lstatSync(fixture.at(`without/${path}`))]
      assert.deepEqual([kept.uid, kept.gid], [12_345, 54_321], path)
      assert.deepEqual([plain.uid, plain.gid], [process.getuid!(), process.getgid!()], path)
    }
    assert.equal(statSync(fixture.at('with/d/f')).mode & 0o7777, 0o4755)
    assert.equal(statSync(fixture.at('without/d/f')).mode & 0o7777, 0o755)
  })

  it('verified and to another disk, names of one file stay names of one file', async () => {
    disk('ext4', 40)
    mkdirSync(fixture.at('from'))
    writeFileSync(fixture.at('from/a'), Buffer.alloc(300_000, 3))
    linkSync(fixture.at('from/a'), fixture.at('from/b'))
    for (const [name, more] of [
      ['verified', { verify: true }],
      ['moved', { operation: 'move' as const }]
    ] as const) {
      const { state } = await copied('from', `usb/${name}`, more)
      assert.equal(state, 'completed')
      const [a, b] = ['a', 'b'].map(n => statSync(fixture.at(`usb/${name}/${n}`)).ino)
      assert.equal(a, b, name)
    }
    assert.equal(existsSync(fixture.at('from')), false)
  })
})
