import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Peer } from '../../../node/compose.js'
import type { AbsPath, AnyEvent } from '../../../storage/base/index.js'
import { deadline } from '../../../storage/base/index.js'
import type { Mode } from '../../../sync/reconcile/index.js'
import type { Sync } from '../../../sync/session/index.js'
import { canMount, mountImage, type TestImage } from '../../mounts.js'
import { testPeer } from '../../node/peer.js'
import { tempDir } from '../../temp.js'
import { look } from './fixture.js'

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

/** Longer than anything here takes on a busy machine. */
const LONG_MS = 40_000

describe('a sync that runs by itself', () => {
  let temp: ReturnType<typeof tempDir>
  let peer: Peer
  let image: TestImage | undefined
  const at = (path: string): string => join(temp.path, path)
  const put = (path: string, text: string): void => {
    mkdirSync(join(at(path), '..'), { recursive: true })
    writeFileSync(at(path), text)
  }
  const start = async (): Promise<void> => {
    peer = await testPeer(at('data') as AbsPath)
    await peer.start()
  }
  const add = (mode: Mode, more: { manual?: boolean } = {}): Promise<Sync> =>
    peer.syncs.add({
      ...{ name: 'notes', mode, policy: 'keep-both', ignore: [], maxDeletePercent: 50, manual: false, ...more },
      ...{ source: at('a') as AbsPath, destination: at('b') as AbsPath }
    })
  const status = () => peer.syncs.status(peer.syncs.find('notes'))
  const same = (): boolean => JSON.stringify(look(at('a'))) === JSON.stringify(look(at('b')))

  /** Asks again after each run, and now and then for what has no event. */
  async function until(what: string, fits: () => boolean): Promise<void> {
    const limit = deadline(LONG_MS, what)
    let wake = (): void => {}
    const off = peer.events.onAny((event: AnyEvent) => {
      if (event.type.startsWith('sync:')) wake()
    })
    try {
      while (!fits()) {
        if (limit.signal.aborted) throw new Error(`${what} took too long: ${JSON.stringify(status())}`)
        await new Promise<void>(resolve => {
          wake = resolve
          setTimeout(resolve, 100)
        })
      }
    } finally {
      off()
      limit.clear()
    }
  }
  /** Nothing is told for a while: that it stays so has no event. */
  async function quiet(): Promise<void> {
    for (let heard = true; heard; ) {
      heard = false
      const off = peer.events.onAny(event => {
        heard ||= event.type.startsWith('sync:')
      })
      await new Promise(resolve => setTimeout(resolve, 500))
      off()
    }
  }
  const inStep = (): Promise<void> => until('being in step', () => same() && status().state === 'converged')

  beforeEach(async () => {
    temp = tempDir('sd-background-')
    for (const dir of ['a', 'b', 'data']) mkdirSync(at(dir), { mode: 0o700 })
    await start()
  })
  afterEach(async () => {
    await peer.stop()
    image?.clean()
    image = undefined
    temp.clean()
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
    await until('a rename and a deletion', () => same() && look(at('a'))['renamed/f0'] !== undefined)
    assert.equal(look(at('a'))['d1/f1'], undefined)
    await quiet()
    if (process.platform === 'linux')
      assert.deepEqual(openBeneath(at('')), [], 'nothing keeps a disk from being unmounted')
    const runs = (): number => peer.syncs.lastRuns(peer.syncs.find('notes'), 100).length
    const before = runs()
    for (const n of [1, 2, 3]) {
      put('a/last', `once more, ${n}`)
      await until(`change ${n}`, () => same() && runs() >= before + n)
    }
    assert.equal(runs(), before + 3, 'what it wrote itself is no change')
    assert.equal(peer.syncs.standing(peer.syncs.find('notes')).state, 'watching')
  })

  it('what changed while the daemon was off is taken up after the start', async () => {
    put('a/kept', '1')
    await add('mirror')
    await inStep()
    await peer.stop()
    put('a/new', '2')
    put('a/kept', 'edited')
    await start()
    await inStep()
    assert.match(look(at('b')).kept ?? '', /^edited/)
  })

  it('paused it rests, over a restart too; resumed it goes on; a manual one never runs by itself', async () => {
    put('a/f', '1')
    const sync = await add('mirror')
    await inStep()
    await peer.syncs.pause(sync)
    put('a/f', 'edited')
    await peer.stop()
    await start()
    assert.equal(status().state, 'paused')
    assert.equal(peer.syncs.standing(peer.syncs.find('notes')).state, 'off')
    assert.equal(same(), false)
    await peer.syncs.resume(peer.syncs.find('notes'))
    await inStep()
    await peer.syncs.remove(peer.syncs.find('notes'))
    await add('mirror', { manual: true })
    assert.equal(peer.syncs.standing(peer.syncs.find('notes')).state, 'off')
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
    assert.match(status().text, /11 of 20 files at the destination would be gone/)
    assert.equal(Object.keys(look(at('b'))).length, 10)
  })

  it('a large file that grows is taken when it rests, whole', async () => {
    put('a/f', '1')
    await add('mirror')
    await inStep()
    const piece = Buffer.alloc(1024 * 1024, 'x')
    const seen: number[] = []
    const off = peer.events.on('sync:finished', () => void seen.push(look(at('b')).large?.length ?? 0))
    for (let i = 0; i < 12; i++) {
      appendFileSync(at('a/large'), piece)
      await new Promise(resolve => setTimeout(resolve, 40))
    }
    await inStep()
    off()
    assert.equal(look(at('a')).large!.length, look(at('b')).large!.length)
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
        await quiet() // while a session goes on the disk is in use
        image!.unmount()
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
