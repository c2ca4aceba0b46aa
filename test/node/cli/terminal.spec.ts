import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { processEnded, testInstance } from '../../cli.js'
import { onTerminal } from '../../pty.js'

interface Status {
  pid: number
  network: { state: string }
}

/** What only a person on a terminal meets: prompts, the drawn code, the time that runs, Ctrl-C. */
describe('on a terminal', () => {
  const ada = testInstance('ada')
  const bob = testInstance('bob')
  let address: string

  before(async () => {
    await ada.ok('start', '--enable-networking', '--loopback')
    await bob.ok('start', '--enable-networking', '--loopback')
    for (const [one, name] of [
      [ada, 'ada'],
      [bob, 'bob']
    ] as const) {
      await one.ok('network', 'init', '--name', name)
    }
    address = (await ada.json<{ listening: string[] }>('network', 'status')).listening[0]!
  })
  after(async () => {
    await ada.clean()
    await bob.clean()
  })

  it('a password is asked for twice and never shown; two that differ change nothing', async () => {
    const differ = onTerminal(bob, ['network', 'init', '--password'])
    await differ.shows('Password:')
    differ.type('one secret\r')
    await differ.shows('Again:')
    differ.type('another\r')
    const { code, text } = await differ.ended
    assert.equal(code, 2)
    assert.match(text, /the two passwords differ/)
    assert.doesNotMatch(text, /secret|another/)
    assert.match(readFileSync(join(bob.dataDir, 'identity.key'), 'utf8'), /"seed"/)
  })

  it('a password that was typed seals the key: the next start needs it', async () => {
    const seal = onTerminal(bob, ['network', 'init', '--password'])
    await seal.shows('Password:')
    // A person who errs: what was taken back does not count.
    seal.type('wrogn\x7f\x7fng secret\r')
    await seal.shows('Again:')
    seal.type('wrong secret\r')
    const { code, text } = await seal.ended
    assert.equal(code, 0)
    assert.match(text, /sealed with a password/)
    assert.doesNotMatch(text, /secret/)

    await bob.ok('restart')
    // Asked of the network itself, which has it come up first: the daemon answers before that.
    assert.equal((await bob.json<{ state: string }>('network', 'status')).state, 'locked')
    const open = onTerminal(bob, ['network', 'start', '--password'])
    await open.shows('Password:')
    open.type('wrong secret\r')
    assert.equal((await open.ended).code, 0)
    assert.equal((await bob.json<Status>('status')).network.state, 'on')
  })

  it('Ctrl-C at a prompt is 130, and the terminal is as it was', async () => {
    const asked = onTerminal(bob, ['network', 'init', '--password'])
    await asked.shows('Password:')
    asked.type('half a sec\x03')
    const { code, text } = await asked.ended
    assert.equal(code, 130)
    assert.match(text, /Interrupted\./)
    assert.doesNotMatch(text, /half/)
  })

  it('anything but yes leaves a thing as it is', async () => {
    const before = await ada.json<Status>('status')
    for (const answer of ['n', '', 'yess']) {
      const asked = onTerminal(ada, ['network', 'init', '--new-identity'])
      await asked.shows('Go on? [y/N]')
      asked.type(`${answer}\r`)
      const { code, text } = await asked.ended
      assert.equal(code, 2, text)
      assert.match(text, /--yes/)
    }
    assert.deepEqual(
      (await ada.json<{ device: unknown }>('status')).device,
      (before as never as { device: unknown }).device
    )
  })

  it('a code is drawn, its time runs, and Ctrl-C takes it back', async () => {
    const failed = await ada.listen('pairing:failed')
    const shown = onTerminal(ada, ['network', 'pair', 'generate'])
    await shown.shows(/Pairing code: (\w+ ?){12}\n/)
    const drawn = shown.text.split('\n').filter(line => /^[█▀▄ ]{20,}$/.test(line))
    assert.ok(drawn.length >= 15, `${drawn.length} lines of a QR code`)
    assert.ok(drawn.every(line => line.length === drawn[0]!.length))
    await shown.shows(/ left/)
    const first = / (\d min \d+ s) left/.exec(shown.text)![1]!
    assert.match(first, /^(5 min 0|4 min \d+) s$/)
    await shown.shows(new RegExp(` (?!${first})\\d min \\d+ s left`))
    shown.type('\x03')
    const { code, text } = await shown.ended
    assert.equal(code, 130)
    assert.match(text, /Interrupted\.\n$/)
    assert.equal((await failed.next()).code, 'CANCELLED')
    failed.close()
  })

  for (const [answer, ends, says] of [
    ['n', 1, /was not paired: it was declined here/],
    ['y', 0, /Paired with bob/]
  ] as const) {
    it(`the four words are compared, and the answer is ${answer}`, async () => {
      const shown = onTerminal(ada, ['network', 'pair', 'generate'])
      await shown.shows(/Pairing code: (\w+ ?){12}\n/)
      const words = /Pairing code: ([\w ]+)\n/.exec(shown.text)![1]!
      const typed = onTerminal(bob, ['network', 'pair', 'join', '--address', address])
      await typed.shows('The twelve words:')
      typed.type(`${words}\r`)
      await shown.shows('Do both screens show these words? [y/N]')
      const compare = /four words:\n {2}([\w ]+)\n/.exec(shown.text)![1]!
      await typed.shows(compare)
      shown.type(`${answer}\r`)
      const [here, there] = [await shown.ended, await typed.ended]
      assert.deepEqual([here.code, there.code], [ends, ends])
      assert.match(here.text, says)
    })
  }

  it('Ctrl-C withdraws a drop that nobody answered', async () => {
    const offered = await bob.listen('offer:received', 'offer:expired', 'offer:declined')
    const sending = onTerminal(ada, ['network', 'spacedrop', 'bob', '--text', 'nobody answers'])
    await offered.next(e => e.type === 'offer:received')
    await sending.shows(/bob/)
    sending.type('\x03')
    const { code, text } = await sending.ended
    assert.equal(code, 130)
    assert.match(text, /Interrupted\.\n$/)
    assert.deepEqual((await ada.json<{ offers: unknown[] }>('network', 'offers')).offers, [])
    offered.close()
  })

  it('the end of a terminal ends the command, not the daemon', async () => {
    const { pid } = await ada.json<Status>('status')
    const shown = onTerminal(ada, ['network', 'pair', 'generate'])
    await shown.shows(/left/)
    shown.hangUp()
    await shown.ended
    assert.equal((await ada.json<Status>('status')).pid, pid)
    await ada.ok('stop')
    await processEnded(pid)
  })
})
