import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { deadline, raceSignal, systemClock } from '../../../storage/base/index.js'

const LIMIT_MS = 10

/** Until a timer of so long is due; from an immediate, so that the timers come before what can be read. */
const standStill = (ms: number): Promise<void> =>
  new Promise(resolve =>
    setImmediate(() => {
      const until = performance.now() + ms
      while (performance.now() < until);
      resolve()
    })
  )

describe('a deadline that comes due while the event loop stands still', () => {
  let here: Socket
  let there: Socket
  let close: () => void
  beforeEach(async () => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const accepted = once(server, 'connection') as Promise<[Socket]>
    here = connect((server.address() as { port: number }).port, '127.0.0.1')
    ;[there] = await accepted
    close = () => {
      here.destroy()
      there.destroy()
      server.close()
    }
  })
  afterEach(() => close())
  const written = (): Promise<void> => new Promise(resolve => there.write('in time', () => resolve()))

  it('what had come in before it is read, and nobody is late', async () => {
    const answer = once(here, 'data')
    answer.catch(() => {})
    const limit = deadline(LIMIT_MS, 'the answer')
    const answered = raceSignal(answer, limit.signal)
    answered.catch(() => {})
    void written()
    await standStill(3 * LIMIT_MS)
    assert.equal(String((await answered)[0]), 'in time')
    limit.clear()
  })

  it('so with a timer of the clock, which what came in may clear', async () => {
    let late = false
    const timer = systemClock.timer(() => {
      late = true
    }, LIMIT_MS)
    const answer = once(here, 'data').then(() => timer.clear())
    void written()
    await standStill(3 * LIMIT_MS)
    await answer
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(late, false)
  })

  it('who says nothing is late', async () => {
    const limit = deadline(LIMIT_MS, 'the answer')
    await assert.rejects(raceSignal(once(here, 'data'), limit.signal), { code: 'TIMEOUT' })
  })
})
