import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Turns } from '../../../protocols/replica/client/turns.js'

describe('turns', () => {
  it('places are given in the order of asking, whenever somebody asks, never more than there are', async () => {
    const asking = fc.array(fc.record({ bytes: fc.nat(6), heldTicks: fc.nat(4), waitTicks: fc.nat(3) }), {
      maxLength: 30
    })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), asking, async (places, asks) => {
        const turns = new Turns(places, 5)
        const order: number[] = []
        let held = 0
        let heldBytes = 0
        let withBytes = 0
        const ticks = async (n: number): Promise<void> => {
          for (let i = 0; i < n; i++) await undefined
        }
        const users: Promise<void>[] = []
        for (const [i, { bytes, heldTicks, waitTicks }] of asks.entries()) {
          users.push(
            turns.take(bytes).then(async release => {
              order.push(i)
              held++
              heldBytes += bytes
              if (bytes > 0) withBytes++
              assert.ok(held <= places && (withBytes === 1 || heldBytes <= 5))
              await ticks(heldTicks)
              held--
              heldBytes -= bytes
              if (bytes > 0) withBytes--
              release()
              release()
            })
          )
          await ticks(waitTicks)
        }
        await Promise.all(users)
        assert.deepEqual(
          order,
          asks.map((_, i) => i)
        )
      })
    )
  })

  it('what is larger than all goes while no other bytes do, whatever else is asked', async () => {
    const turns = new Turns(3, 5)
    const question = await turns.take(0)
    const large = await turns.take(6)
    let gone = false
    const next = turns.take(1).then(release => {
      gone = true
      return release
    })
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(gone, false)
    large()
    ;(await next)()
    question()
  })

  it('how many bytes there may be changes for who waits, and for who comes', async () => {
    const turns = new Turns(9, 5)
    const given: string[] = []
    const take = (name: string, bytes: number): Promise<() => void> =>
      turns.take(bytes).then(release => {
        given.push(name)
        return release
      })
    const soon = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
    const first = await take('first', 5)
    const others = [take('second', 3), take('third', 3)]
    await soon()
    assert.deepEqual(given, ['first'])
    turns.allow(8)
    await soon()
    assert.deepEqual(given, ['first', 'second'])
    turns.allow(2)
    first()
    await soon()
    assert.deepEqual(given, ['first', 'second'])
    ;(await others[0]!)()
    ;(await others[1]!)()
    assert.deepEqual(given, ['first', 'second', 'third'])
  })

  it('who gives up leaves the others their places', async () => {
    const turns = new Turns(1, 5)
    const first = await turns.take(1)
    const aborting = new AbortController()
    const second = turns.take(1, aborting.signal)
    const third = turns.take(1)
    const reason = new Error('enough')
    aborting.abort(reason)
    await assert.rejects(second, err => err === reason)
    first()
    ;(await third)()
    ;(await turns.take(1))()
  })

  it('a place that comes with the abort goes to the next', async () => {
    const turns = new Turns(1, 5)
    const first = await turns.take(1)
    const aborting = new AbortController()
    const second = turns.take(1, aborting.signal)
    const third = turns.take(1)
    aborting.abort(new Error('enough'))
    first()
    await assert.rejects(second)
    ;(await third)()
  })
})
