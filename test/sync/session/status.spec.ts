import assert from 'node:assert/strict'
import { type StatusInit, statusOf } from '../../../sync/session/status.js'

describe('what is the matter with a sync, in words', () => {
  const init = (running: StatusInit['running']): StatusInit => ({
    sync: { name: 'photos' } as StatusInit['sync'],
    last: { state: 'waiting', report: { halts: ['laptop is away'] } } as unknown as StatusInit['last'],
    running,
    standing: { state: 'away', working: true, note: 'laptop is away; it goes on by itself when that is back' },
    device: 'laptop'
  })

  it('that the other end is away is said while it is, and not beside a run that goes on', () => {
    const waiting = statusOf(init(undefined))
    assert.equal(waiting.text, 'waiting for laptop: laptop is away')
    assert.deepEqual(waiting.notes, ['laptop is away; it goes on by itself when that is back'])
    const running = statusOf(init({ phase: 'Applying changes', job: '1', paused: false }))
    assert.equal(running.text, 'running: Applying changes')
    assert.deepEqual(running.notes, [])
  })

  it('that what changed just now is on its way is said while it is: over a slow link that may be long', () => {
    for (const [working, text] of [
      [true, 'in step but for what changed just now: it is looked at, or on its way'],
      [false, 'in step']
    ] as const) {
      const standing = { state: 'watching', working, note: undefined } as const
      const last = { state: 'converged' } as unknown as StatusInit['last']
      const { state, text: said } = statusOf({ ...init(undefined), last, standing })
      assert.deepEqual([state, said], ['converged', text])
    }
  })
})
