import assert from 'node:assert/strict'
import { type StatusInit, statusOf } from '../../../sync/session/status.js'

describe('what is the matter with a sync, in words', () => {
  const init = (running: StatusInit['running']): StatusInit => ({
    sync: { name: 'photos' } as StatusInit['sync'],
    last: { state: 'waiting', report: { halts: ['laptop is away'] } } as unknown as StatusInit['last'],
    running,
    standing: { state: 'away', working: true, note: 'laptop is away' },
    device: 'laptop'
  })

  it('that the other end is away is said once while it is, and not beside a run that goes on', () => {
    const waiting = statusOf(init(undefined))
    assert.equal(waiting.text, 'waiting: laptop is away')
    assert.deepEqual(waiting.notes, ['it goes on by itself as soon as it can'])
    const running = statusOf(init({ phase: 'Applying changes', job: '1', paused: false }))
    assert.equal(running.text, 'running: Applying changes')
    assert.deepEqual(running.notes, [])
  })

  it('what the text does not say the note does: why, and for whom', () => {
    const last = { state: 'interrupted' } as unknown as StatusInit['last']
    assert.deepEqual(statusOf({ ...init(undefined), last }).notes, [
      'laptop is away; it goes on by itself as soon as it can'
    ])
    const halts = ['waited 5 min for a turn']
    const held = { state: 'waiting', report: { halts } } as unknown as StatusInit['last']
    assert.equal(statusOf({ ...init(undefined), last: held }).text, 'waiting for laptop: waited 5 min for a turn')
  })

  it('a sync that was not accepted yet says that once', () => {
    const sync = { name: 'photos', agreement: 'asked' } as StatusInit['sync']
    const standing = { state: 'away', working: false, note: 'laptop has not accepted it yet' } as const
    const { text, notes } = statusOf({ ...init(undefined), sync, standing })
    assert.equal(text, 'waiting for laptop: it has not accepted this sync yet')
    assert.deepEqual(notes, ['it goes on by itself as soon as it can'])
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
