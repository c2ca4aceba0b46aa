import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { canMount, mountImage, type TestImage } from '../../mounts.js'
import { look } from './fixture.js'
import { TwoFolders } from './two-folders.js'

/** What this process holds open in the two folders. */
const openBeneath = (dir: string): string[] =>
  readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return ['a', 'b'].some(end => path === join(dir, end) || path.startsWith(join(dir, end, '/'))) ? [path] : []
    } catch {
      return []
    }
  })

describe('a sync that runs by itself', () => {
  let two: TwoFolders
  let image: TestImage | undefined
  const at = (path: string): string => two.at(path)
  const put = (path: string, text: string): void => two.put(path, text)
  const add: TwoFolders['add'] = (mode, more) => two.add(mode, more)
  const status: TwoFolders['status'] = () => two.status()
  const same = (): boolean => two.same()
  const until: TwoFolders['until'] = (what, fits) => two.until(what, fits)
  /** It took up what changes from now on, or left it for later. */
  const rests = (): Promise<void> =>
    new Promise(resolve => {
      const off = two.peer.events.on('sync:changed', ({ working }) => {
        if (working) return
        off()
        resolve()
      })
    })
  const inStep: TwoFolders['inStep'] = what => two.inStep(what)

  beforeEach(async () => {
    two = new TwoFolders()
    await two.start()
  })
  afterEach(async () => {
    await two.peer.stop()
    image?.clean()
    image = undefined
    await two.clean()
  })

  it('what changes at either end is at the other one; then it is quiet', async () => {
    for (let i = 0; i < 30; i++) put(`a/d${i % 3}/f${i}`, `content ${i}`)
    await add('bidirectional')
    await inStep()
    put('b/d1/new', 'from there')
    put('a/d2/f2', 'edited')
    await until('both edits', () => look(at('a'))['d1/new'] !== undefined && same())
    renameSync(at('a/d0'), at('a/renamed'))
    rmSync(at('b/d1/f1'))
    await until('a rename', () => look(at('b'))['renamed/f0'] !== undefined)
    await inStep('a deletion')
    assert.equal(look(at('a'))['d1/f1'], undefined)
    if (process.platform === 'linux')
      assert.deepEqual(openBeneath(at('')), [], 'nothing keeps a disk from being unmounted')
    const runs = (): number => two.peer.syncs.lastRuns(two.sync, 100).length
    const before = runs()
    for (const n of [1, 2, 3]) {
      put('last', `once more, ${n}`)
      renameSync(at('last'), at('a/last'))
      await until(`change ${n}`, () => same() && runs() >= before + n)
      // The echo of one change comes before the next one.
      assert.equal(runs(), before + n, 'what it wrote itself is no change')
    }
    assert.equal(two.peer.syncs.standing(two.sync).state, 'watching')
  })

  it('what changed while the daemon was off is taken up after the start', async () => {
    put('a/kept', '1')
    await add('mirror')
    await inStep()
    await two.peer.stop()
    put('a/new', '2')
    put('a/kept', 'edited')
    await two.start()
    await inStep()
    assert.match(look(at('b')).kept ?? '', /^edited/)
  })

  it('paused it rests, over a restart too; resumed it goes on; a manual one never runs by itself', async () => {
    put('a/f', '1')
    const sync = await add('mirror')
    await inStep()
    await two.peer.syncs.pause(sync)
    put('a/f', 'edited')
    await two.peer.stop()
    await two.start()
    assert.equal(status().state, 'paused')
    assert.equal(two.peer.syncs.standing(two.sync).state, 'off')
    assert.equal(same(), false)
    await two.peer.syncs.resume(two.sync)
    await inStep()
    await two.peer.syncs.remove(two.sync)
    await add('mirror', { manual: true })
    assert.equal(two.peer.syncs.standing(two.sync).state, 'off')
  })

  it('how it stands is told each time that it is otherwise, and at no other time', async () => {
    const told: string[] = []
    const off = two.peer.events.on('sync:changed', ({ name, state, standing, working, text }) => {
      assert.equal(name, 'notes')
      assert.deepEqual([state, text], [status().state, status().text])
      assert.equal(standing, two.peer.syncs.standing(two.sync).state)
      told.push(`${state} ${standing}${working ? ' at work' : ''}`)
    })
    put('a/f', '1')
    const sync = await add('mirror')
    await inStep()
    put('a/f', 'edited')
    await until('the edit', () => same() && !two.working)
    await two.peer.syncs.pause(sync)
    off()
    assert.ok(told.includes('running watching at work'), 'the look at everything is a job')
    assert.ok(told.includes('converged watching'), 'at rest')
    assert.equal(told.at(-1), 'paused off')
    const twice = told.filter((one, i) => one === told[i - 1])
    assert.deepEqual(twice, [])
  })

  it('a mass deletion is judged whole, however it is spread; what comes back lets it go on', async () => {
    for (let i = 0; i < 40; i++) put(`a/f${i}`, String(i))
    await add('mirror')
    await inStep()
    const before = look(at('b'))
    for (let i = 0; i < 25; i++) {
      renameSync(at(`a/f${i}`), at(`gone-${i}`))
      // Each in a turn of its own: they come as many hints.
      await new Promise(resolve => setImmediate(resolve))
    }
    await until('the guard', () => status().state === 'halted')
    assert.equal(status().reason, 'too-many-deletions')
    assert.deepEqual(look(at('b')), before)
    for (let i = 0; i < 25; i++) renameSync(at(`gone-${i}`), at(`a/f${i}`))
    await inStep()
  })

  it('deletions spread over an hour are judged together', async () => {
    for (let i = 0; i < 20; i++) put(`a/f${i}`, String(i))
    await add('mirror')
    await inStep()
    for (let i = 0; i < 10; i++) {
      rmSync(at(`a/f${i}`))
      await until(`deletion ${i}`, () => same())
    }
    rmSync(at('a/f10'))
    await until('the guard', () => status().state === 'halted')
    assert.match(status().text, /11 of 20 files at the destination would be gone, with the 10 of the last hour/)
    assert.equal(Object.keys(look(at('b'))).length, 10)
  })

  it('a small file that grows piece by piece is only ever what it was at one moment', async () => {
    put('a/log', 'begin\n')
    await add('mirror')
    await inStep()
    const seen: string[] = []
    const copy = (): string => readFileSync(at('b/log'), 'utf8')
    const off = two.peer.events.on('sync:finished', () => void seen.push(copy()))
    for (let piece = 0; piece < 30; piece++) {
      const before = copy().length
      for (let part = 0; part < 4; part++) {
        appendFileSync(at('a/log'), `${piece}.${part} ${'x'.repeat(10_000)}\n`)
        await new Promise(resolve => setImmediate(resolve))
      }
      // Now while it is still written to, now when it rests.
      if (piece % 3 > 0) await until(`piece ${piece}`, () => copy().length > before)
    }
    await inStep()
    off()
    const whole = readFileSync(at('a/log'), 'utf8')
    for (const held of seen) assert.ok(whole.startsWith(held), 'it held just that at one moment')
    assert.equal(copy(), whole)
  })

  it('a large file that grows is taken when it rests, whole', async () => {
    put('a/f', '1')
    await add('mirror')
    await inStep()
    const seen: Buffer[] = []
    const off = two.peer.events.on('sync:finished', () => {
      if (existsSync(at('b/large'))) seen.push(readFileSync(at('b/large')))
    })
    for (let i = 0; i < 12; i++) {
      const dealtWith = rests()
      appendFileSync(at('a/large'), Buffer.alloc(1024 * 1024, `piece ${i} `))
      await dealtWith
    }
    await inStep()
    off()
    const whole = readFileSync(at('a/large'))
    for (const held of seen) assert.ok(whole.subarray(0, held.length).equals(held), 'it held just that at one moment')
    assert.ok(readFileSync(at('b/large')).equals(whole))
  })

  canMount('on a disk of its own', () => {
    for (const [mode, end] of [
      ['bidirectional', 'b'],
      ['mirror', 'a']
    ] as const) {
      it(`${mode}: unmounted it is away, and nothing is deleted; it goes on when it is back`, async () => {
        image = mountImage('ext4', 1024) // half a gibibyte of any disk stays free
        image!.mount(at(end))
        rmSync(at(`${end}/lost+found`), { recursive: true })
        for (let i = 0; i < 12; i++) put(`a/f${i}`, String(i))
        await add(mode)
        await inStep()
        const other = end === 'a' ? 'b' : 'a'
        const before = look(at(other))
        await image.unmount()
        await until('its being away', () => status().state === 'halted')
        assert.match(status().reason ?? '', /^root-/)
        assert.match(status().text, /nothing was changed/)
        assert.deepEqual(look(at(other)), before)
        if (mode === 'bidirectional') put(`${other}/meanwhile`, 'made while it was away')
        image!.mount(at(end))
        await inStep()
        assert.ok(look(at(end)).f1)
        assert.equal(look(at(end)).meanwhile !== undefined, mode === 'bidirectional')
      })
    }
  })
})
