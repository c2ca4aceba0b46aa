import assert from 'node:assert/strict'
import { inOrder } from '../../../protocols/replica/client/listing.js'
import { Silence } from '../../../protocols/replica/client/silence.js'
import {
  LISTED_ENTRIES_A_SECOND,
  LISTING_PATIENCE_MS,
  MAX_ALIVE_ONLY_MS,
  SILENCE_MS
} from '../../../protocols/replica/limits.js'
import { pageToWire } from '../../../protocols/replica/page.js'
import { manualClock } from '../../manual-clock.js'
import { rel } from '../../sync/endpoints/gather.js'

describe('how long another device is waited for', () => {
  describe('a listing', () => {
    const stat = {
      ...{ kind: 'file' as const, sizeBytes: 1, mtimeNs: 1n, ctimeNs: 1n, birthNs: 0n, device: 1n, inode: 1n },
      ...{ mount: 0n, mode: 0o644, links: 1, uid: 0, gid: 0, allocatedBytes: 1 }
    }
    /** Pages of ten names of four letters each. */
    async function* pages(count: number, each: () => void = () => {}) {
      for (let page = 0; page < count; page++) {
        each()
        const names = Array.from({ length: 10 }, (_, i) => rel(String(1_000 + page * 10 + i)))
        const { values, data } = pageToWire(names.map(path => ({ path, stat })))
        yield { value: values as never, data: Buffer.concat(data) }
      }
    }
    const wanted = (): boolean => true
    const nowMs = (): number => 0
    async function listed(listing: ReturnType<typeof inOrder>): Promise<number> {
      let count = 0
      for await (const { entries } of listing) count += entries.length
      return count
    }
    const endless = { code: 'MALFORMED', message: /without an end/ }

    it('ends at so many entries, and at so many letters', async () => {
      assert.equal(await listed(inOrder(pages(3), { wanted, nowMs, maxEntries: 30 })), 30)
      await assert.rejects(listed(inOrder(pages(3), { wanted, nowMs, maxEntries: 29 })), endless)
      assert.equal(await listed(inOrder(pages(3), { wanted, nowMs, maxNameBytes: 120 })), 30)
      await assert.rejects(listed(inOrder(pages(3), { wanted, nowMs, maxNameBytes: 119 })), endless)
    })

    it('may take its time, and more of it the longer it is', async () => {
      const pageMs = (10 / LISTED_ENTRIES_A_SECOND) * 1_000
      let now = 0
      const slowly = (eachMs: number, firstMs: number) => {
        now = 0
        let first = firstMs
        const each = (): void => {
          now += eachMs + first
          first = 0
        }
        return listed(inOrder(pages(100, each), { wanted, nowMs: () => now }))
      }
      assert.equal(await slowly(pageMs, LISTING_PATIENCE_MS), 1_000)
      await assert.rejects(slowly(pageMs, LISTING_PATIENCE_MS + 1), { code: 'UNREACHABLE' })
      await assert.rejects(slowly(pageMs + LISTING_PATIENCE_MS / 50, 0), { code: 'UNREACHABLE' })
    })

    it('is not held responsible for what is done here with its pages', async () => {
      let now = 0
      let count = 0
      for await (const { entries } of inOrder(pages(10), { wanted, nowMs: () => now })) {
        count += entries.length
        now += LISTING_PATIENCE_MS
      }
      assert.equal(count, 100)
    })
  })

  describe('an answer', () => {
    function waiting(isUntaken = false) {
      const clock = manualClock()
      const ended: string[] = []
      const state = { isDue: true, isUntaken }
      const wire = { bytesIn: 0, bytesOut: 0 }
      const moved: number[] = []
      const silence = new Silence({
        ...{ clock, isDue: () => state.isDue, isUntaken: () => state.isUntaken },
        ...{ wire, moved: () => void moved.push(clock.monotonicMs()) },
        tooLong: err => void ended.push(err.message)
      })
      return { clock, ended, state, wire, moved, silence }
    }
    /** Says every 30 s that it is still at it. */
    async function alive({ clock, silence }: ReturnType<typeof waiting>, forMs: number): Promise<void> {
      for (let i = 0; i < forMs / 30_000; i++) {
        await clock.advance(30_000)
        silence.heard(true)
      }
    }

    it('that never comes is not waited for whatever signs of life there are', async () => {
      const one = waiting()
      await alive(one, MAX_ALIVE_ONLY_MS - 30_000)
      assert.deepEqual(one.ended, [])
      await alive(one, 2 * SILENCE_MS)
      assert.equal(one.ended.length, 1)
      assert.match(one.ended[0]!, /said only that it is still at it/)
    })

    it('of which a part came has its time again, and one that is not taken here is not due', async () => {
      const one = waiting()
      await alive(one, MAX_ALIVE_ONLY_MS / 2)
      one.silence.heard(false)
      await alive(one, MAX_ALIVE_ONLY_MS / 2)
      assert.deepEqual(one.ended, [])
      one.silence.stop()
      const other = waiting(true)
      await alive(other, 2 * MAX_ALIVE_ONLY_MS)
      assert.deepEqual(other.ended, [])
      other.state.isUntaken = false
      await alive(other, MAX_ALIVE_ONLY_MS / 2)
      assert.deepEqual(other.ended, [])
      other.silence.stop()
    })
  })
})
