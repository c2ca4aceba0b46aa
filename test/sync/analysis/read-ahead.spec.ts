import assert from 'node:assert/strict'
import { readAhead } from '../../../sync/analysis/read-ahead.js'

/** Counts up, and knows how far it was asked and whether it was ended. */
function counting(upto: number, fail?: Error) {
  const seen = { asked: 0, ended: false }
  async function* stream(): AsyncGenerator<number> {
    try {
      for (let i = 1; i <= upto; i++) {
        seen.asked = i
        yield i
      }
      if (fail !== undefined) throw fail
    } finally {
      seen.ended = true
    }
  }
  return { seen, stream: stream() }
}
const turns = async (n: number): Promise<void> => {
  for (let i = 0; i < n; i++) await new Promise(resolve => setImmediate(resolve))
}

describe('reading ahead', () => {
  it('hands on everything in its order, and no further ahead than it may', async () => {
    const { seen, stream } = counting(100)
    const values: number[] = []
    for await (const value of readAhead(stream, 10, () => 1)) {
      values.push(value)
      await turns(3)
      assert.ok(seen.asked <= value + 11, `${seen.asked} were asked for at ${value}`)
      if (value < 80) assert.ok(seen.asked > value, 'it runs ahead')
    }
    assert.deepEqual(
      values,
      Array.from({ length: 100 }, (_, i) => i + 1)
    )
  })
  it('a failure comes after what came before it', async () => {
    const failure = new Error('the disk is gone')
    const { stream } = counting(5, failure)
    const values: number[] = []
    await assert.rejects(
      async () => {
        for await (const value of readAhead(stream, 100, () => 1)) {
          await turns(2)
          values.push(value)
        }
      },
      err => err === failure
    )
    assert.deepEqual(values, [1, 2, 3, 4, 5])
  })
  it('a loop that ends early ends the stream, also one that waits for room', async () => {
    for (const room of [1, 100]) {
      const { seen, stream } = counting(50)
      for await (const value of readAhead(stream, room, () => 1)) {
        await turns(3)
        if (value === 2) break
      }
      assert.equal(seen.ended, true)
    }
  })
})
