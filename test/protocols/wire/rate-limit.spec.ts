import assert from 'node:assert/strict'
import { TokenBucket } from '../../../protocols/wire/index.js'

describe('TokenBucket', () => {
  it('allows the burst, then the steady rate', () => {
    let now = 0
    const bucket = new TokenBucket(50, 200, () => now)
    for (let i = 0; i < 200; i++) assert.ok(bucket.take())
    assert.equal(bucket.take(), false)
    now = 20
    assert.ok(bucket.take())
    assert.equal(bucket.take(), false)
  })
  it('never saves up more than the burst', () => {
    let now = 0
    const bucket = new TokenBucket(50, 2, () => now)
    now = 1_000_000
    assert.deepEqual([bucket.take(), bucket.take(), bucket.take()], [true, true, false])
  })
})
