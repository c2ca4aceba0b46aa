import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestInstance, testInstance } from '../../cli.js'

interface Code {
  words: string
  expiresAt: number
  link: string
}
interface Status {
  pairings: { state: string; role: string; warnings: string[]; peer?: { name: string; compare: string } }[]
}
interface Devices {
  devices: { id: string; name: string; state: string; connected: boolean }[]
}
const WRONG = 'legal winner thank year wave sausage worth useful legal winner thank yellow'

describe('network pair', () => {
  let ada: TestInstance
  let bob: TestInstance
  let address: string

  before(async () => {
    ada = testInstance('instance-ada')
    bob = testInstance('instance-bob')
    await Promise.all([ada, bob].map(i => i.ok('start', '--enable-networking', '--loopback')))
    address = (await ada.json<{ listening: string[] }>('network', 'status')).listening[0]!
  })
  after(async () => {
    await ada.clean()
    await bob.clean()
  })
  const code = (...more: string[]): Promise<Code> => ada.json<Code>('network', 'pair', 'generate', '--no-wait', ...more)

  it('typing errors: exit code 2, the word named by its place, nothing sent', async () => {
    for (const [typed, text] of [
      [WRONG.replace('thank', 'thnak'), /word 3 is not one of the words[\s\S]*Did you mean "thank"/],
      [WRONG.split(' ').slice(1).join(' '), /12 words, but 11 were given/],
      [WRONG.replace('yellow', 'zoo'), /do not fit together/]
    ] as const) {
      const { code, stderr } = await bob.run('network', 'pair', 'join', typed, '--address', address)
      assert.equal(code, 2)
      assert.match(stderr, text)
      assert.doesNotMatch(stderr, /winner/)
    }
    const { pairings } = await bob.json<Status>('network', 'pair', 'status')
    assert.deepEqual(pairings, [])
  })

  it('a bad address: exit code 2; nobody found: 6; refused words: 1', async () => {
    const at = (where: string) => bob.run('network', 'pair', 'join', WRONG, '--address', where)
    assert.equal((await at('nowhere')).code, 2)
    const nobody = await at('/ip4/127.0.0.1/tcp/1')
    assert.equal(nobody.code, 6)
    assert.match(nobody.stderr, /no device that shows this code was found/)
    await code()
    const refused = await at(address)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /does not take these words/)
    assert.match(await ada.ok('network', 'pair', 'cancel'), /Cancelled: 1/)
  })

  it('with nothing going on: status, cancel, confirm', async () => {
    assert.match(await bob.ok('network', 'pair', 'cancel'), /Nothing was going on/)
    const confirmed = await bob.run('network', 'pair', 'confirm', 'yes')
    assert.equal(confirmed.code, 1)
    assert.match(confirmed.stderr, /no device waits for an answer/)
    assert.equal((await bob.run('network', 'pair', 'confirm', 'perhaps')).code, 2)
    assert.equal((await bob.run('pair')).code, 2)
    assert.equal((await bob.run('pair', '--status', '--initiate')).code, 2)
  })

  it('Ctrl-C takes the code back: exit code 130', async () => {
    const expired = await ada.listen('pairing:failed')
    const showing = ada.begin('network', 'pair', 'generate')
    await showing.line(/^Pairing code: (\w+ ?){12}$/)
    showing.child.kill('SIGINT')
    assert.equal((await showing.ended).code, 130)
    assert.equal((await expired.next()).code, 'CANCELLED')
    expired.close()
  })

  it('declined: both sides say so', async () => {
    const showing = ada.begin('network', 'pair', 'generate')
    const words = (await showing.line(/^Pairing code: /)).replace('Pairing code: ', '')
    const joining = bob.begin('network', 'pair', 'join', words, '--address', address)
    const shown = await joining.line(/^ {2}(\w+ ?){4}$/)
    assert.equal(await showing.line(/^ {2}(\w+ ?){4}$/), shown)
    await ada.ok('network', 'pair', 'confirm', 'no')
    const ends = [await showing.ended, await joining.ended]
    assert.deepEqual(
      ends.map(e => e.code),
      [1, 1]
    )
    assert.match(ends[0]!.stderr, /bob was not paired: it was declined here/)
    assert.match(ends[1]!.stderr, /the other device did not accept/)
    assert.deepEqual((await bob.json<Devices>('network', 'devices')).devices, [])
  })

  it('the whole path: words by standard input, the four words confirmed, connected', async () => {
    const { words, expiresAt } = await code()
    assert.equal(words.split(' ').length, 12)
    assert.ok(expiresAt > Date.now())
    const connected = [await ada.listen('device:connected'), await bob.listen('device:connected')]
    const joining = bob.begin('--json', 'network', 'pair', 'join', '-', '--address', address, { input: `${words}\n` })
    const waiting = JSON.parse(await joining.line(/"state":"waiting"/)) as Status['pairings'][number]
    const { pairings } = await ada.json<Status>('network', 'pair', 'status')
    const asked = pairings.find(p => p.state === 'confirming')
    assert.equal(asked?.peer?.name, 'bob')
    assert.equal(asked?.peer?.compare, waiting.peer?.compare)
    await ada.ok('network', 'pair', 'confirm', 'yes')
    const result = JSON.parse((await joining.ended).stdout.trim().split('\n').at(-1)!) as {
      state: string
      name: string
    }
    assert.deepEqual([result.state, result.name], ['paired', 'ada'])
    for (const events of connected) {
      await events.next()
      events.close()
    }
    const { devices } = await ada.json<Devices>('network', 'devices')
    assert.deepEqual(
      devices.map(d => [d.name, d.state, d.connected]),
      [['bob', 'paired', true]]
    )
    assert.equal((await bob.run('network', 'pair', 'join', words, '--address', address)).code, 1)
  })

  it('pairing again, by the older form of the commands: the secret is new, the name stays', async () => {
    await ada.ok('network', 'rename', 'bob', 'bobs laptop')
    const showing = ada.begin('--json', 'pair', '--initiate', '--auto-accept')
    const { words } = JSON.parse(await showing.line(/"words"/)) as Code
    const joined = await bob.ok('pair', '--join', words, '--address', address)
    assert.match(joined, /Paired with ada/)
    assert.equal((await showing.ended).code, 0)
    assert.match(await ada.ok('pair', '--status'), /paired/)
    const { devices } = await ada.json<Devices>('network', 'devices')
    assert.deepEqual(
      devices.map(d => [d.name, d.state]),
      [['bobs laptop', 'paired']]
    )
  })

  it('with --auto-accept nobody is asked to answer, but the four words are shown', async () => {
    const showing = ada.begin('network', 'pair', 'generate', '--auto-accept')
    const words = (await showing.line(/^Pairing code: /)).slice('Pairing code: '.length)
    await bob.ok('network', 'pair', 'join', words, '--address', address)
    const { stdout, stderr } = await showing.ended
    assert.match(stdout, /has typed the words, and nobody is asked\. Its screen shows:\n {2}(\w+ ?){4}\n/)
    assert.doesNotMatch(stderr, /pair confirm/)
  })

  it('F6: no word of a code is in a log', async () => {
    const { words } = await code('--auto-accept')
    await bob.ok('network', 'pair', 'join', words, '--address', address)
    const beginning = words.split(' ').slice(0, 3).join('[ -]')
    for (const instance of [ada, bob]) {
      const logs = join(instance.dataDir, 'logs')
      const text = readdirSync(logs)
        .map(file => readFileSync(join(logs, file), 'utf8'))
        .join('')
      assert.ok(text.length > 0)
      assert.doesNotMatch(text, new RegExp(beginning))
    }
  })

  it('networking off: says how to switch it on', async () => {
    await bob.ok('network', 'stop')
    const { code, stderr } = await bob.run('network', 'pair', 'generate')
    assert.equal(code, 1)
    assert.match(stderr, /network start/)
  })
})
