import assert from 'node:assert/strict'
import { changes } from '../../../node/operations/changes.js'
import { type AnyEvent, eventBus, silentLog, systemClock } from '../../../storage/base/index.js'

describe('what is shown live', () => {
  const events = eventBus(() => 0, silentLog)
  const stopping = (): void => void events.emit('daemon:stopping', { reason: 'a test' })
  const started = (): void => void events.emit('daemon:started', { pid: 1, version: '' })
  const note = (event: AnyEvent): boolean => event.type === 'daemon:stopping'

  it('a turn at once, then one for all that came meanwhile; what does not matter gives none', async () => {
    const end = new AbortController()
    let turns = 0
    for await (const _ of changes({ events, clock: systemClock }, { signal: end.signal, intervalMs: 1, note })) {
      turns++
      if (turns === 1) for (let i = 0; i < 100; i++) stopping()
      if (turns === 2) setTimeout(() => [started(), stopping()], 5)
      if (turns === 3) setTimeout(() => [started(), end.abort()], 5)
    }
    assert.equal(turns, 3)
  })

  it('an abort in a turn is the end, whatever came', async () => {
    const end = new AbortController()
    let turns = 0
    for await (const _ of changes({ events, clock: systemClock }, { signal: end.signal, intervalMs: 60_000, note })) {
      turns++
      stopping()
      end.abort()
    }
    assert.equal(turns, 1)
  })

  it('who leaves is not told any more', async () => {
    let noted = 0
    const init = { signal: new AbortController().signal, intervalMs: 1, note: () => ++noted > 0 }
    for await (const _ of changes({ events, clock: systemClock }, init)) break
    stopping()
    assert.equal(noted, 0)
  })
})
