import assert from 'node:assert/strict'
import { Turns } from '../../../protocols/pairing/turns.js'

describe('pairing turns', () => {
  it('one at a time, in the order of asking; giving back twice gives one turn', async () => {
    const turns = new Turns()
    const order: string[] = []
    const first = await turns.take()
    const rest = ['b', 'c'].map(async name => {
      const leave = await turns.take()
      order.push(name)
      leave()
      leave()
    })
    order.push('a')
    first()
    await Promise.all(rest)
    assert.deepEqual(order, ['a', 'b', 'c'])
    ;(await turns.take())()
  })

  it('who gives up waiting does not hold the others', async () => {
    const turns = new Turns()
    const first = await turns.take()
    const stop = new AbortController()
    const gone = turns.take({ signal: stop.signal })
    const next = turns.take()
    stop.abort(new Error('gone'))
    await assert.rejects(gone, /gone/)
    first()
    ;(await next)()
    await assert.rejects(turns.take({ signal: stop.signal }), /gone/)
  })
})
