import assert from 'node:assert/strict'
import { type PairedDaemon, runningPair } from '../../daemons.js'

interface Messages {
  messages: { text: string; direction: string; state: string; name: string }[]
  unread: number
}

describe('network send-message, network messages', () => {
  let ada: PairedDaemon
  let bob: PairedDaemon
  runningPair('ada', 'bob', (a, b) => {
    ada = a
    bob = b
  })

  it('a text is delivered, shown once as unread, escaped, every line set in', async () => {
    assert.match(
      await ada.ok('network', 'send-message', 'bob', 'dinner?\n\u001b[2Jada:  \u202enow'),
      /Delivered to bob/
    )
    const shown = await bob.ok('network', 'messages', '--unread')
    assert.match(shown, /ada:.*\(new\)\n {4}dinner\?\n {4}\\x1b\[2Jada: {2}\\u202enow\n$/)
    assert.match(await bob.ok('network', 'messages', '--unread'), /No messages/)
    assert.match(await bob.ok('network', 'messages', '--device', 'ada'), /dinner/)
    assert.match(await ada.ok('network', 'messages'), /to bob:/)
  })

  it('standard input is the text; --peek leaves it unread', async () => {
    await ada.ok('network', 'send-message', 'bob', { input: 'from a pipe\n' })
    const peeked = await bob.json<Messages>('network', 'messages', '--unread', '--peek')
    assert.deepEqual([peeked.messages.map(m => m.text), peeked.unread], [['from a pipe'], 1])
    assert.equal((await bob.json<Messages>('network', 'messages', '--unread')).unread, 0)
  })

  it('a device that is away gets it once when it is back, also when this one was killed meanwhile', async () => {
    await bob.kill()
    const { state } = await ada.json<{ state: string }>('network', 'send-message', 'bob', 'while you were away')
    assert.equal(state, 'waiting')
    await ada.kill()
    await ada.up()
    const delivered = await ada.listen('message:delivered')
    await bob.up(ada)
    await delivered.next()
    const { messages } = await bob.json<Messages>('network', 'messages', '--unread')
    assert.deepEqual(
      messages.map(m => m.text),
      ['while you were away']
    )
  })

  it('an unknown device: exit code 6, and what to do', async () => {
    const { code, stderr } = await ada.run('network', 'send-message', 'nobody', 'hello')
    assert.equal(code, 6)
    assert.match(stderr, /no device is known as nobody/)
    assert.match(stderr, /network devices/)
  })

  it('nothing to say, too much to say', async () => {
    const empty = await ada.run('network', 'send-message', 'bob', '')
    assert.equal(empty.code, 1)
    assert.match(empty.stderr, /no text/)
    const large = await ada.run('network', 'send-message', 'bob', { input: 'x'.repeat(100_000) })
    assert.equal(large.code, 1)
    assert.match(large.stderr, /spacedrop DEVICE --text/)
  })

  it('a revoked device: its messages stay readable, nothing can be sent', async () => {
    await ada.ok('network', 'revoke', 'bob')
    assert.match(await ada.ok('network', 'messages', '--device', 'bob'), /dinner/)
    const { code } = await ada.run('network', 'send-message', 'bob', 'are you there?')
    assert.equal(code, 6)
  })
})
