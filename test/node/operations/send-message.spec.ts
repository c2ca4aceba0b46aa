import assert from 'node:assert/strict'
import { networkSendMessage } from '../../../node/operations/network-send-message.js'
import { raceSignal } from '../../../storage/base/index.js'

/** A text that is under way, to a device that is connected as long as `session` lives. */
function underWay(session: AbortSignal | undefined) {
  const caller = new AbortController()
  const peer = {
    devices: { resolve: () => ({ id: 'bob', name: 'bob' }) },
    network: { session: () => (session === undefined ? undefined : { signal: session }) },
    messages: {
      sendText: async () => 'message',
      settled: (_id: string, _ms: number, { signal }: { signal: AbortSignal }) =>
        raceSignal(new Promise(() => {}), signal)
    }
  }
  const context = { peer, signal: caller.signal, emit: () => {} } as never
  return { caller, answer: networkSendMessage.run(context, { device: 'bob', text: 'hello' }) }
}

describe('a text to a device that does not say that it has it', () => {
  it('goes away meanwhile: it waits here, and that is said at once', async () => {
    const session = new AbortController()
    const { answer } = underWay(session.signal)
    session.abort(new Error('the link is cut'))
    assert.equal((await answer).state, 'waiting')
  })

  it('is away: likewise', async () => {
    assert.equal((await underWay(undefined).answer).state, 'waiting')
  })

  it('who asked goes away: nobody waits any more', async () => {
    const { caller, answer } = underWay(new AbortController().signal)
    const enough = new Error('Ctrl-C')
    caller.abort(enough)
    await assert.rejects(answer, enough)
  })
})
