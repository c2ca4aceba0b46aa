import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Mode } from '../../../sync/reconcile/index.js'
import { canMount, mountImage, type TestImage } from '../../mounts.js'
import { look, openSync } from './fixture.js'
import { TwoFolders } from './two-folders.js'

const DEBUGFS = '/usr/sbin/debugfs'
const MIB = 2 ** 20
/** Half a gibibyte of any disk that is written to stays free. */
const ROOMY_MIB = 1024

canMount('a sync with disks of their own', function (this: Mocha.Suite) {
  let two: TwoFolders
  const images: TestImage[] = []
  const at = (path: string): string => two.at(path)
  const disk = (place: string, mib: number, asMade = false): TestImage => {
    const image = mountImage('ext4', mib, '-m', '0') // no blocks for root alone
    images.push(image)
    mkdirSync(at(place), { recursive: true })
    image.mount(at(place))
    if (!asMade) rmSync(at(`${place}/lost+found`), { recursive: true })
    return image
  }
  /** Takes all room but so much; who writes there meanwhile may have taken some of it. */
  const fill = (file: string, leaving: number): void => {
    for (let done = false; !done; ) {
      const { bavail, bsize } = statfsSync(dirname(file))
      const more = bavail * bsize - leaving
      const has = (statSync(file, { throwIfNoEntry: false })?.blocks ?? 0) * 512
      done = more <= 0 || spawnSync('fallocate', ['-l', String(has + more), file]).status === 0
    }
  }

  beforeEach(async () => {
    two = new TwoFolders()
    await two.start()
  })
  afterEach(async () => {
    await two.peer.stop()
    for (const image of images.splice(0)) image.clean()
    await two.clean()
  })

  if (!existsSync(DEBUGFS)) process.stderr.write('\n  NOT RUN: "a damaged place of a disk": debugfs is missing\n\n')
  else
    for (const mode of ['bidirectional', 'mirror'] as Mode[])
      it(`${mode}: a damaged place of a disk is the problem of what lies there; nothing of it is taken for gone`, async () => {
        const image = disk('a', mode === 'mirror' ? 16 : ROOMY_MIB)
        for (const path of ['album/1', 'album/2', 'other/3', 'photo']) two.put(`a/${path}`, path)
        await two.add(mode, { manual: true })
        assert.equal((await two.run()).state, 'converged')
        two.put('a/new photo', 'new'.repeat(1000))
        two.put('a/photo', 'edited'.repeat(1000))
        two.put('a/other/3', 'edited')
        const before = look(at('b'), { times: false })
        await image.unmount()
        // Where the blocks of two files and of a folder lie is written over.
        for (const path of ['/new photo', '/photo', '/album'])
          execFileSync(DEBUGFS, ['-w', '-R', `set_inode_field "${path}" block[0] 0`, image.file], { stdio: 'ignore' })
        image.mount(at('a'))
        const report = await two.run()
        assert.equal(report.state, 'problems', JSON.stringify(report))
        assert.deepEqual(report.problems.map(({ path, code }) => `${path} ${code}`).sort(), [
          'album READ_ERROR',
          'new photo READ_ERROR',
          'photo READ_ERROR'
        ])
        assert.match(report.problems[0]!.message, /the disk could not read it, at the source/)
        assert.deepEqual(look(at('b'), { times: false }), { ...before, 'other/3': 'edited 644' })
        const again = await two.run()
        assert.deepEqual([again.state, again.operations, again.problems.length], ['problems', 0, 3])
      })

  for (const mode of ['bidirectional', 'mirror'] as Mode[])
    it(`${mode}: from disk to disk, what each file system has for itself is neither carried nor taken for an extra`, async () => {
      for (const place of ['a', 'b']) disk(place, ROOMY_MIB, true)
      two.put('a/photo', 'photo')
      two.put('a/found/lost+found/mine', 'a folder of a person that has the name')
      await two.add(mode, { manual: true })
      assert.equal((await two.run()).state, 'converged')
      assert.deepEqual(readdirSync(at('b')).sort(), ['.spacedrive', 'found', 'lost+found', 'photo'])
      assert.deepEqual(readdirSync(at('b/found/lost+found')), ['mine'])
      writeFileSync(at('a/lost+found/#4711'), 'what a repair of the disk found')
      assert.equal((await two.run()).operations, 0)
      assert.deepEqual(readdirSync(at('b/lost+found')), [])
    })

  for (const mode of ['bidirectional', 'mirror'] as Mode[])
    it(`${mode}: a disk that may only be read is told, with the cure; nothing is done, and all of it once it may be written`, async () => {
      disk('b', ROOMY_MIB)
      for (const name of ['a/edited', 'a/goes', 'a/stays']) two.put(name, name)
      await two.add(mode, { manual: true })
      await two.run()
      const before = [look(at('b')), look(at('b/.spacedrive'))]
      two.put('a/edited', 'again')
      rmSync(at('a/goes'))
      execFileSync('mount', ['-o', 'remount,ro', at('b')])
      await assert.rejects(two.run(), /the file system is read-only/)
      assert.deepEqual([look(at('b')), look(at('b/.spacedrive'))], before)
      const { state, text, advice } = two.status()
      assert.equal(state, 'failed')
      assert.match(text, /the last run failed: .*\/b: the file system is read-only/)
      assert.equal(advice, 'Mount it writable, or choose another place.')
      execFileSync('mount', ['-o', 'remount,rw', at('b')])
      assert.equal((await two.run()).state, 'converged')
      assert.deepEqual(look(at('b')), look(at('a')))
    })

  it('a full disk: it halts before the batch that has no room, keeps what was done, and goes on when there is some', async () => {
    disk('b', ROOMY_MIB)
    for (let i = 0; i < 1100; i++) two.put(`a/first/${i}`, String(i))
    writeFileSync(at('a/second'), 'large')
    truncateSync(at('a/second'), 100 * MIB)
    fill(at('b/filler'), (512 + 60) * MIB)
    await two.add('replica', { manual: true })
    const report = await two.run()
    assert.deepEqual([report.state, report.reason], ['halted', 'no-space'])
    assert.match(report.halts!.join(), /could not begin: 101 MiB are needed .* must stay free/)
    assert.match(report.hint!, /Free some space/)
    assert.match(two.status().text, /^halted/)
    assert.equal(existsSync(at('b/second')), false)
    rmSync(at('b/filler'))
    assert.equal((await two.run()).state, 'converged')
    assert.equal(statSync(at('b/second')).size, 100 * MIB)
  })

  for (const mode of ['bidirectional', 'mirror'] as Mode[])
    it(`${mode}: a disk that fills up while it is written to has nothing half; with room again the rest comes`, async () => {
      disk('own/destination', ROOMY_MIB)
      const fixture = await openSync({ mode, at: at('own') })
      try {
        const content = (i: number): string => `content ${i} `.repeat(300_000)
        for (let i = 0; i < 48; i++) writeFileSync(`${fixture.source}/${i}`, content(i))
        const filler = `${fixture.destination}/.spacedrive-tmp-filler`
        const full = fixture.run({
          onProgress({ bytes }) {
            if (bytes > 0 && !existsSync(filler)) fill(filler, 20 * MIB)
          }
        })
        await assert.rejects(full, { code: 'NO_SPACE' })
        for (const [path, is] of Object.entries(look(fixture.destination, { times: false })))
          assert.equal(is, `${content(Number(path))} 644`, path)
        rmSync(filler, { force: true })
        const outcome = await fixture.run()
        assert.deepEqual(outcome.state === 'done' && outcome.result.problems, [])
        assert.deepEqual(look(fixture.destination), look(fixture.source))
      } finally {
        await fixture.close()
      }
    })

  for (const [mode, end] of [
    ['bidirectional', 'a'],
    ['bidirectional', 'b'],
    ['mirror', 'a'],
    ['mirror', 'b']
  ] as const)
    it(`${mode}: the disk of ${end} goes while a session runs: nothing is deleted, nothing lands below it, back again it goes on`, async () => {
      const image = disk(end, ROOMY_MIB)
      const other = end === 'a' ? 'b' : 'a'
      for (let i = 0; i < 40; i++) two.put(`a/kept/${i}`, String(i))
      await two.add(mode, { manual: true })
      assert.equal((await two.run()).state, 'converged')
      for (let i = 0; i < 1300; i++) two.put(`a/new/${i}`, `new ${i}`)
      rmSync(at('a/kept/7'))
      const wanted = look(at('a'))
      const off = two.peer.events.on('sync:progress', () => {
        off()
        execFileSync('umount', ['-l', at(end)])
      })
      await two.run().catch(() => {})
      off()
      assert.ok(!readdirSync(at(end)).some(name => name !== '.spacedrive'), 'below the mount point')
      const kept = look(at(other))
      for (let i = 0; i < 40; i++) assert.ok(i === 7 || kept[`kept/${i}`] !== undefined, String(i))
      const away = await two.run()
      assert.deepEqual([away.state, away.reason], ['halted', 'root-replaced'])
      assert.deepEqual(look(at(other)), kept)
      image.mount(at(end))
      assert.equal((await two.run()).state, 'converged')
      assert.deepEqual([look(at('a')), look(at('b'))], [wanted, wanted])
    })

  for (const [mode, end] of [
    ['bidirectional', 'destination'],
    ['mirror', 'source'],
    ['backup', 'destination']
  ] as const)
    it(`${mode}: the disk of the ${end} is followed to where it is mounted now`, async () => {
      const image = disk('usb 1', ROOMY_MIB)
      mkdirSync(at('usb 1/photos'))
      mkdirSync(at('here'))
      const [here, there] = end === 'source' ? ['usb 1/photos', 'here'] : ['here', 'usb 1/photos']
      for (let i = 0; i < 12; i++) two.put(`${here}/f${i}`, String(i))
      await two.add(mode, { manual: true, ends: [here, there] })
      assert.equal((await two.run()).state, 'converged')
      await image.unmount()
      assert.deepEqual([(await two.run()).reason], ['root-missing'])
      mkdirSync(at('usb 2'))
      image.mount(at('usb 2'))
      const source = end === 'source' ? 'usb 2/photos' : 'here'
      const destination = end === 'source' ? 'here' : 'usb 2/photos'
      two.put(`${source}/new`, 'new')
      rmSync(at(`${source}/f1`))
      const report = await two.run()
      assert.deepEqual([report.state, report.operations], ['converged', 2], JSON.stringify(report))
      assert.deepEqual(look(at(destination)), look(at(source)))
      assert.equal(two.sync[end].path, at('usb 2/photos'))
      assert.deepEqual(readdirSync(at('usb 1')), [])
    })
})
