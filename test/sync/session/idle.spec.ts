import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Peer } from '../../../node/compose.js'
import { type AbsPath, addressOf, type Clock, type WorkerPool } from '../../../storage/base/index.js'
import { LOOK_INTERVAL_MS } from '../../../sync/session/standing.js'
import { type JumpClock, jumpClock } from '../../jump-clock.js'
import { testPeer } from '../../node/peer.js'
import { sharedPool } from '../../shared-pool.js'
import { counting } from '../../storage/base/counting.worker.js'
import { tempDir } from '../../temp.js'

const SYNCS = ['first', 'second', 'third']
/** What looks by itself, on the event loop: what is mounted (a read of /proc/self/mountinfo) ... */
const MOUNTS_LOOK_MS = 2_000
/** ... and whether the folder of each location is there (a stat; here there is none). */
const LOCATIONS_LOOK_MS = 5_000
const MINUTE_MS = 60_000
/** Five minutes after the start versions are thinned, in the hour after that by each sync: until then there is nothing at all. */
const STEP_MS = 10_000
const QUIET_STEPS = 18
const QUIET_ROUNDS = 20

/** Everything below a folder as the disk has it: any write to a database is in its log. */
function stateOf(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(e => e.isFile())
    .map(e => join(e.parentPath, e.name))
    .sort()
    .flatMap(path => {
      const at = statSync(path, { bigint: true, throwIfNoEntry: false }) // a database that is closed takes its log away
      return at === undefined ? [] : [`${path} ${at.ino} ${at.size} ${at.mtimeNs} ${at.ctimeNs}`]
    })
}

describe('syncs at rest', () => {
  const temp = tempDir('sd-idle-')
  let dir = '0'
  const at = (path: string): AbsPath => join(temp.path, dir, path) as AbsPath
  /** What was asked of the clock and of the pool, by how long and by which task. A sync waits by sleeping. */
  const asked = { timers: [] as number[], sleeps: [] as number[], tasks: [] as string[] }
  let clock: JumpClock
  let peer: Peer
  let looked = (): void => {}
  /** Volumes that came, went or changed since the quiet minutes began. */
  let disks = 0

  function countingClock(real: JumpClock): Clock {
    return {
      ...real,
      timer(fn, ms) {
        asked.timers.push(ms)
        const timer = real.timer(fn, ms)
        if (ms === MOUNTS_LOOK_MS) looked()
        return timer
      },
      sleep(ms, options) {
        asked.sleeps.push(ms)
        return real.sleep(ms, options)
      }
    }
  }
  const atWork = new Set<Promise<unknown>>()
  function countingPool(real: WorkerPool): WorkerPool {
    return {
      ...real,
      run(task, input, options) {
        asked.tasks.push(addressOf(task).taskName)
        const done = real.run(task, input, options)
        const ended: Promise<unknown> = done.catch(() => {}).then(() => atWork.delete(ended))
        atWork.add(ended)
        return done
      }
    }
  }
  /** What was begun is over: no task at work and nothing written so often on end, with a turn of the writer in between. */
  async function settled(): Promise<string[]> {
    let before = stateOf(temp.path)
    for (let quiet = 0; quiet < QUIET_ROUNDS; ) {
      await Promise.all(atWork)
      await peer.instance.maintain(counting.writerThread, null)
      const now = stateOf(temp.path)
      quiet = atWork.size === 0 && isDeepStrictEqual(now, before) ? quiet + 1 : 0
      before = now
    }
    return before
  }
  const atRest = (): boolean =>
    peer.syncs.list().every(sync => {
      const { state, working } = peer.syncs.standing(sync)
      return state === 'watching' && !working && peer.syncs.status(sync).state === 'converged'
    }) && peer.jobs.list({ states: ['queued', 'running'] }).length === 0
  async function until(fits: () => boolean): Promise<void> {
    while (!fits()) {
      await new Promise<void>(resolve => {
        const off = peer.events.onAny(() => {
          off()
          resolve()
        })
      })
    }
  }
  /** What is due within so long happens; over when the mounts were looked at after it. */
  async function pass(ms: number): Promise<void> {
    const next = new Promise<void>(resolve => {
      looked = resolve
    })
    clock.jump(ms)
    await next
  }

  /** A daemon with its syncs at rest, in a folder of its own. */
  async function begin(): Promise<void> {
    dir = String(Number(dir) + 1)
    clock = jumpClock()
    mkdirSync(at('data'), { recursive: true, mode: 0o700 })
    peer = await testPeer(at('data'), { clock: countingClock(clock), pool: countingPool(sharedPool()) })
    await peer.start()
    for (const name of SYNCS) {
      mkdirSync(at(`${name}/a`), { recursive: true })
      mkdirSync(at(`${name}/b`))
      for (let i = 0; i < 20; i++) writeFileSync(at(`${name}/a/f${i}`), `content ${i}`)
      await peer.syncs.add({
        ...{ name, mode: 'bidirectional', policy: 'keep-both', ignore: [], maxDeletePercent: 50, manual: false },
        ...{ source: at(`${name}/a`), destination: at(`${name}/b`) }
      })
    }
    await pass(10_000) // a new one rests for a moment
    await until(() => peer.syncs.list().every(s => peer.syncs.lastRuns(s, 1).length === 1) && atRest())
    await pass(MINUTE_MS) // what was held open for the next run
    await until(atRest)
  }
  /** @returns what is on the disk then; `disks` came or went meanwhile */
  async function quietMinutes(): Promise<string[]> {
    disks = 0
    for (const type of ['volume:added', 'volume:removed', 'volume:changed'] as const)
      peer.events.on(type, () => void disks++)
    for (const list of Object.values(asked)) list.length = 0
    for (let i = 0; i < QUIET_STEPS; i++) await pass(STEP_MS)
    return settled()
  }

  before(begin)
  after(async () => {
    await peer.stop()
    temp.clean()
  })

  it('minute after minute nothing is due but the look at mounts and locations; no task, no write, no file touched', async () => {
    let before = await settled()
    let after = await quietMinutes()
    // Another disk of this machine may come or go at any time, and wakes every sync: then all of it begins anew.
    while (disks > 0) {
      await peer.stop()
      await begin()
      before = await settled()
      after = await quietMinutes()
    }
    // What is no volume comes and goes as well, and the look at mounts asks what it is.
    assert.deepEqual(
      asked.tasks.filter(task => task !== 'fileSystemId'),
      []
    )
    assert.deepEqual(asked.sleeps, [], 'no sync wakes')
    assert.deepEqual([...new Set(asked.timers)].sort(), [MOUNTS_LOOK_MS, LOCATIONS_LOOK_MS])
    assert.deepEqual(after, before)
  })

  it('when the hour is over each looks at everything, and rests again', async () => {
    asked.tasks = []
    const begun = new Set<string>()
    const off = peer.events.on('job:started', ({ job }) => void begun.add(job))
    await pass(LOOK_INTERVAL_MS * 1.21)
    await until(() => begun.size === SYNCS.length && atRest())
    off()
    assert.ok(asked.tasks.length > 0)
  })
})
