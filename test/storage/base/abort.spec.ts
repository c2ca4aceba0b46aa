import assert from 'node:assert/strict'
import { deadline, linkSignals, raceSignal } from '../../../storage/base/index.js'

describe('linkSignals', () => {
  it('follows the first source and hands on its reason itself', () => {
    const a = new AbortController()
    const b = new AbortController()
    const { signal } = linkSignals(a.signal, undefined, b.signal)
    const reason = new Error('second')
    b.abort(reason)
    a.abort(new Error('late'))
    assert.equal(signal.reason, reason)
  })
  it('is aborted at once when a source is', () => {
    const reason = new Error('already')
    assert.equal(linkSignals(AbortSignal.abort(reason)).signal.reason, reason)
  })
  it('after clear it no longer follows', () => {
    const a = new AbortController()
    const linked = linkSignals(a.signal)
    linked.clear()
    a.abort()
    assert.equal(linked.signal.aborted, false)
  })
})

describe('raceSignal', () => {
  it('a promise that fails after its waiter was gone from the start is no error that nobody caught', async () => {
    const gone = new AbortController()
    const reason = new Error('gone')
    gone.abort(reason)
    const seen: unknown[] = []
    const onUnhandled = (err: unknown): void => void seen.push(err)
    process.prependListener('unhandledRejection', onUnhandled)
    try {
      await assert.rejects(raceSignal(Promise.reject(new Error('later')), gone.signal), reason)
      await new Promise(resolve => setImmediate(resolve))
      assert.deepEqual(seen, [])
    } finally {
      process.off('unhandledRejection', onUnhandled)
    }
  })
})

describe('deadline', () => {
  it('aborts with TIMEOUT that names the work', async () => {
    const { signal } = deadline(5, 'the answer')
    await assert.rejects(raceSignal(new Promise(() => {}), signal), {
      code: 'TIMEOUT',
      message: /the answer took longer/
    })
  })
})
