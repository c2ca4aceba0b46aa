import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import {
  type AbsPath,
  type Clock,
  type RunOptions,
  SpacedriveError,
  silentLog,
  systemClock,
  type WorkerPool
} from '../../../storage/base/index.js'
import { type WatchChange, type WatchCoverage, watcher } from '../../../storage/watcher/index.js'
import { MAX_RESTARTS, WALK_INTERVAL_MS } from '../../../storage/watcher/limits.js'
import { tempDir } from '../../temp.js'

/** Timers that fire when told to. */
function handTimers() {
  const timers: { fn: () => void; ms: number }[] = []
  const clock: Clock = {
    ...systemClock,
    timer(fn, ms) {
      const entry = { fn, ms }
      timers.push(entry)
      return {
        clear() {
          const at = timers.indexOf(entry)
          if (at >= 0) timers.splice(at, 1)
        }
      }
    }
  }
  return { clock, timers, fire: () => timers.shift()!.fn() }
}

/** A pool whose watching threads are ready at once and die when told to. */
function mortalPool() {
  const links: { emit(value: unknown): void; die(): void; aborted: boolean }[] = []
  const pool = {
    link(_task: unknown, _input: unknown, { onEmit, signal }: RunOptions) {
      let die = (): void => {}
      const result = new Promise<void>((resolve, reject) => {
        die = () => reject(new SpacedriveError('WORKER_DIED', 'a worker thread ended unexpectedly'))
        signal?.addEventListener('abort', () => resolve())
      })
      const link = { emit: (value: unknown) => onEmit?.(value as never), die, aborted: false }
      links.push(link)
      setImmediate(() => link.emit({ ready: true }))
      return { result, post() {} }
    }
  }
  return { pool: pool as unknown as WorkerPool, links }
}

function listening() {
  const heard = { changes: [] as WatchChange[], coverage: undefined as WatchCoverage | undefined, lost: 0 }
  let wake = (): void => {}
  return {
    heard,
    listener: {
      async changes(batch: readonly WatchChange[]) {
        heard.changes.push(...batch)
        wake()
      },
      coverage(coverage: WatchCoverage) {
        heard.coverage = coverage
        wake()
      },
      rootLost() {
        heard.lost++
        wake()
      }
    },
    async until(holds: () => boolean) {
      while (!holds()) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    }
  }
}

describe('watcher', () => {
  const dir = tempDir()
  after(() => dir.clean())

  it('a watching thread that dies is begun again and everything is looked at; at last the tree is walked', async () => {
    const { clock, timers } = handTimers()
    const { pool, links } = mortalPool()
    const { heard, listener, until } = listening()
    const watch = await watcher({ pool, clock, log: silentLog }).watch({ root: dir.path, backend: 'folders' }, listener)
    for (let died = 1; died <= MAX_RESTARTS; died++) {
      links.at(-1)!.die()
      await until(() => heard.changes.length === died)
      assert.deepEqual(heard.changes.at(-1), { path: '', subtree: true })
    }
    assert.equal(links.length, 1 + MAX_RESTARTS)
    links.at(-1)!.die()
    await until(() => heard.coverage !== undefined)
    assert.equal(heard.coverage?.problem?.code, 'WATCH_FAILED')
    assert.equal(watch.backend, 'walk')
    assert.deepEqual(
      timers.map(t => t.ms),
      [WALK_INTERVAL_MS]
    )
    await watch.stop()
    assert.equal(timers.length, 0)
  })

  it('a watch that cannot begin is refused, and nothing goes on behind it', async () => {
    const pool = { link: () => ({ result: Promise.reject(new SpacedriveError('WATCH_FAILED', 'no')), post() {} }) }
    const { listener, heard } = listening()
    const port = watcher({ pool: pool as unknown as WorkerPool, clock: systemClock, log: silentLog })
    await assert.rejects(port.watch({ root: dir.path, backend: 'folders' }, listener), { code: 'WATCH_FAILED' })
    assert.deepEqual(heard.changes, [])
  })

  it('walking: everything, again and again, until the root is gone', async () => {
    const root = `${dir.path}/walked` as AbsPath
    mkdirSync(root)
    const { clock, timers, fire } = handTimers()
    const { heard, listener, until } = listening()
    const watch = await watcher({ pool: mortalPool().pool, clock, log: silentLog }).watch(
      { root, backend: 'walk' },
      listener
    )
    for (let round = 1; round <= 2; round++) {
      fire()
      await until(() => heard.changes.length === round)
      while (timers.length === 0) await new Promise(resolve => setImmediate(resolve))
    }
    rmSync(root, { recursive: true })
    fire()
    await until(() => heard.lost === 1)
    assert.equal(timers.length, 0)
    await watch.stop()
  })
})
