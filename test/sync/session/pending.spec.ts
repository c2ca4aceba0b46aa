import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { RelPath } from '../../../storage/base/index.js'
import { AGAIN_MS, MAX_PENDING_HINTS, Pending, TAKES_AT_ONCE } from '../../../sync/session/pending.js'
import { Turns } from '../../../sync/session/turns.js'
import { manualClock } from '../../manual-clock.js'

const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('turns of sessions', () => {
  it('who shares a root waits, in the order of asking; who shares none does not', async () => {
    const turns = new Turns()
    const order: string[] = []
    const go = async (name: string, keys: string[]): Promise<() => void> => {
      const end = await turns.take(keys)
      order.push(name)
      return end
    }
    const ab = await go('ab', ['a', 'b'])
    const bc = go('bc', ['b', 'c'])
    const cd = go('cd', ['c', 'd'])
    const ef = await go('ef', ['e', 'f'])
    await nextTurn()
    assert.deepEqual(order, ['ab', 'ef'])
    ab()
    ;(await bc)()
    ;(await cd)()
    ef()
    assert.deepEqual(order, ['ab', 'ef', 'bc', 'cd'])
  })

  it('who gives up lets nobody pass before his time', async () => {
    const turns = new Turns()
    const first = await turns.take(['a'])
    const stop = new AbortController()
    const second = turns.take(['a'], { signal: stop.signal })
    let third = false
    const last = turns.take(['a']).then(() => {
      third = true
    })
    stop.abort(new Error('enough'))
    await assert.rejects(second, /enough/)
    await nextTurn()
    assert.equal(third, false)
    first()
    await last
    assert.equal(third, true)
  })

  it('property: no two at one root at once, and everybody has his turn', async () => {
    const keys = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 2 })
    await fc.assert(
      fc.asyncProperty(fc.array(keys, { maxLength: 12 }), async list => {
        const turns = new Turns()
        const held = new Set<string>()
        await Promise.all(
          list.map(async mine => {
            const end = await turns.take(mine)
            for (const key of mine) assert.ok(!held.has(key))
            for (const key of mine) held.add(key)
            await nextTurn()
            for (const key of mine) held.delete(key)
            end()
          })
        )
        assert.equal(held.size, 0)
      }),
      { numRuns: 100 }
    )
  })
})

describe('what may have changed', () => {
  const hint = (path: string, subtree = false) => ({ path: path as RelPath, subtree })

  it('a path is taken once, and a hint for all below it stays one', () => {
    const pending = new Pending(manualClock())
    pending.add('source', [hint('a'), hint('a', true), hint('a'), hint('b')])
    assert.deepEqual(pending.take(), { source: [hint('a', true), hint('b')], destination: [] })
    assert.ok(pending.empty)
  })

  it('too many are one for the whole end; the other one keeps its own', () => {
    const pending = new Pending(manualClock())
    pending.add('destination', [hint('kept')])
    pending.add(
      'source',
      Array.from({ length: MAX_PENDING_HINTS }, (_, i) => hint(`f${i}`))
    )
    assert.equal(pending.take().source.length, MAX_PENDING_HINTS)
    pending.add(
      'source',
      Array.from({ length: MAX_PENDING_HINTS + 1 }, (_, i) => hint(`f${i}`))
    )
    pending.add('source', [hint('later')])
    assert.deepEqual(pending.take().source, [hint('', true)])
  })

  it('what rests is not taken before its time', async () => {
    const clock = manualClock()
    const pending = new Pending(clock)
    pending.add('source', [hint('large'), hint('small')])
    pending.rest('source', 'large' as RelPath, 1_000)
    assert.deepEqual(pending.take().source, [hint('small')])
    assert.equal(pending.restsForMs(), 1_000)
    await clock.advance(1_000)
    assert.deepEqual(pending.take().source, [hint('large')])
    assert.equal(pending.restsForMs(), undefined)
  })

  it('what changes again and again is taken at once for a while, then now and then', async () => {
    const clock = manualClock()
    const pending = new Pending(clock)
    const taken = (): number => {
      pending.add('source', [hint('log')])
      return pending.take().source.length
    }
    for (let i = 0; i < TAKES_AT_ONCE; i++) assert.equal(taken(), 1)
    assert.equal(taken(), 0)
    assert.ok(!pending.empty)
    await clock.advance(AGAIN_MS)
    assert.deepEqual([taken(), taken()], [1, 0])
  })
})
