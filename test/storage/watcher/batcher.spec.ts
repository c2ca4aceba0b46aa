import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { RelPath } from '../../../storage/base/index.js'
import { Batcher, type BatchTimer } from '../../../storage/watcher/batcher.js'
import { chooseBackend, type WatchChange } from '../../../storage/watcher/index.js'
import { MAX_BATCH_PATHS, MAX_PENDING_PATHS } from '../../../storage/watcher/limits.js'

const rel = (path: string): RelPath => path as RelPath

function hands() {
  let now = 0
  let due: { at: number; fn: () => void } | undefined
  const timer: BatchTimer = {
    nowMs: () => now,
    set(fn, ms) {
      const entry = { at: now + ms, fn }
      due = entry
      return {
        clear() {
          if (due === entry) due = undefined
        }
      }
    }
  }
  return {
    timer,
    async advance(ms: number) {
      const end = now + ms
      while (due !== undefined && due.at <= end) {
        const { at, fn } = due
        due = undefined
        now = at
        fn()
        for (let i = 0; i < 5; i++) await Promise.resolve()
      }
      now = end
    }
  }
}

function gathering(deliver?: (batch: WatchChange[]) => Promise<void>) {
  const { timer, advance } = hands()
  const batches: WatchChange[][] = []
  const batcher = new Batcher(async batch => {
    batches.push(batch)
    await deliver?.(batch)
  }, timer)
  return { batcher, batches, advance }
}

describe('Batcher', () => {
  it('hands on after 8 ms of quiet, and after 100 ms in any case', async () => {
    const { batcher, batches, advance } = gathering()
    batcher.add(rel('a'), false)
    await advance(7)
    assert.equal(batches.length, 0)
    await advance(1)
    assert.deepEqual(batches, [[{ path: 'a', subtree: false }]])
    for (let i = 0; i < 25; i++) {
      batcher.add(rel('b'), false)
      await advance(4)
    }
    assert.equal(batches.length, 2)
  })

  it('each path once; nothing below a subtree that is walked anyway', async () => {
    const { batcher, batches, advance } = gathering()
    for (const [path, subtree] of [
      ['a/b', false],
      ['a/b', true],
      ['a/b', false],
      ['a/b/c', false],
      ['a', false],
      ['ab', false]
    ] as const) {
      batcher.add(rel(path), subtree)
    }
    await advance(8)
    assert.deepEqual(batches, [
      [
        { path: 'a/b', subtree: true },
        { path: 'a', subtree: false },
        { path: 'ab', subtree: false }
      ]
    ])
  })

  it('one batch at a time: what comes meanwhile waits', async () => {
    let release = (): void => {}
    const { batcher, batches, advance } = gathering(
      () =>
        new Promise(resolve => {
          release = resolve
        })
    )
    batcher.add(rel('a'), false)
    await advance(8)
    batcher.add(rel('b'), false)
    await advance(1000)
    assert.equal(batches.length, 1)
    release()
    await advance(0)
    for (let i = 0; i < 5; i++) await Promise.resolve()
    await advance(100)
    assert.deepEqual(batches[1], [{ path: 'b', subtree: false }])
  })

  it(`a batch ends at ${MAX_BATCH_PATHS} paths; beyond ${MAX_PENDING_PATHS} waiting ones the whole tree is looked at`, async () => {
    const { batcher, batches, advance } = gathering()
    for (let i = 0; i <= MAX_BATCH_PATHS; i++) batcher.add(rel(`f${i}`), false)
    await advance(200)
    assert.deepEqual(
      batches.map(b => b.length),
      [MAX_BATCH_PATHS, 1]
    )
    batches.length = 0
    for (let i = 0; i <= MAX_PENDING_PATHS; i++) batcher.add(rel(`f${i}`), false)
    await advance(200)
    assert.deepEqual(batches, [[{ path: '', subtree: true }]])
  })

  it('after stop nothing is handed on', async () => {
    const { batcher, batches, advance } = gathering()
    batcher.add(rel('a'), false)
    batcher.stop()
    batcher.add(rel('b'), false)
    await advance(1000)
    assert.deepEqual(batches, [])
  })

  it('whatever comes in whatever order, every path that was added is covered by something that is handed on', async () => {
    const path = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 }).map(names => rel(names.join('/')))
    const event = fc.record({ path, subtree: fc.boolean(), waitMs: fc.nat(60) })
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 40 }), async events => {
        const { batcher, batches, advance } = gathering()
        for (const { path, subtree, waitMs } of events) {
          batcher.add(path, subtree)
          await advance(waitMs)
        }
        await advance(1000)
        const out = batches.flat()
        for (const { path, subtree } of events) {
          const covered = out.some(
            o =>
              (o.path === path && (o.subtree || !subtree)) ||
              (o.subtree && (o.path === '' || path.startsWith(`${o.path}/`)))
          )
          assert.ok(covered, `${path} ${subtree}`)
        }
      }),
      { numRuns: 60 }
    )
  })
})

describe('chooseBackend', () => {
  for (const [platform, network, entries, expected] of [
    ['linux', false, 10, 'folders'],
    ['linux', false, 1_000_000, 'folders'],
    ['darwin', false, 2_000, 'chokidar'],
    ['darwin', false, 2_001, 'parcel'],
    ['linux', true, 2_000, 'polling'],
    ['darwin', true, 2_001, 'walk']
  ] as const) {
    it(`${platform}, ${network ? 'network' : 'local'}, ${entries}: ${expected}`, () => {
      assert.equal(chooseBackend({ platform, network, entries }), expected)
    })
  }
})
