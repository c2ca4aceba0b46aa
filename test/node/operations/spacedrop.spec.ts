import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  watch,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { type PairedDaemon, runningPair } from '../../daemons.js'
import { tempDir } from '../../temp.js'

interface View {
  id: string
  state: string
  direction: string
  name: string
  files: number
  bytes: number
  problemCount: number
  problems: { path: string; code: string }[]
  placed: string[]
}

describe('network spacedrop, offers, accept, decline, rules', () => {
  const dir = tempDir('sd-send-')
  let ada: PairedDaemon
  let bob: PairedDaemon
  runningPair('ada', 'bob', (a, b) => {
    ada = a
    bob = b
  })
  after(() => dir.clean())

  const offers = async (at: PairedDaemon, ...more: string[]): Promise<View[]> =>
    (await at.json<{ offers: View[] }>('network', 'offers', ...more)).offers
  /** Begins a drop, and gives it as the other device has it. */
  const begin = async (...args: string[]) => {
    const heard = await bob.listen('offer:received')
    const sending = ada.begin('network', 'spacedrop', 'bob', ...args)
    const { offer } = await heard.next()
    heard.close()
    return { sending, id: offer }
  }
  const tree = (name: string): string => {
    const path = join(dir.path, name)
    mkdirSync(join(path, 'sub/empty'), { recursive: true })
    writeFileSync(join(path, 'a.txt'), 'hello')
    for (let i = 0; i < 200; i++) writeFileSync(join(path, `sub/${i}.bin`), Buffer.alloc(1_000 + i, i))
    writeFileSync(join(path, 'large.bin'), Buffer.alloc(5_000_000, 9))
    symlinkSync('../a.txt', join(path, 'sub/link'))
    return path
  }
  const same = (a: string, b: string): void => {
    execFileSync('diff', ['-r', '--no-dereference', a, b])
  }

  it('a folder: seen before it is taken, accepted by a few letters of its id, the same on the other side', async () => {
    const path = tree('folder')
    const { sending, id } = await begin(path)
    const shown = await bob.ok('network', 'offers')
    assert.match(
      shown,
      new RegExp(`${id.slice(0, 8)} {2}from ada {2}202 files, 3 folders, 1 link, 4\\.\\d+ MiB {2}waits for you`)
    )
    assert.match(shown, /folder\//)
    assert.match(await bob.ok('network', 'offers', id.slice(0, 8)), /folder\/sub\/199\.bin/)
    assert.equal(existsSync(bob.downloads), false)
    const accepted = await bob.ok('network', 'accept', id.slice(0, 6))
    assert.match(accepted, /Received .*Downloads\/folder/)
    const { code, stdout } = await sending.ended
    assert.equal(code, 0)
    assert.match(stdout, /Sent to bob: 202 files/)
    same(path, join(bob.downloads, 'folder'))
    assert.deepEqual([await offers(ada), await offers(bob)], [[], []])
    const [last] = await offers(bob, '--all')
    assert.deepEqual([last?.state, last?.placed], ['completed', [join(bob.downloads, 'folder')]])
  })

  it('several files by relative path, into a folder of choice, without waiting', async () => {
    writeFileSync(join(dir.path, 'one'), '1')
    writeFileSync(join(dir.path, 'two'), '2')
    const to = join(dir.path, 'chosen')
    const heard = await bob.listen('offer:received', 'transfer:completed')
    const said = await ada.ok('network', 'spacedrop', 'bob', './one', 'two', '--no-wait', { cwd: dir.path })
    assert.match(said, /^Offered to bob \([0-9a-f]{8}\): 2 files/)
    const offered = await heard.next(e => e.type === 'offer:received')
    await bob.ok('network', 'accept', (offered as { offer: string }).offer, '--to', to, '--no-wait')
    await heard.next(e => e.type === 'transfer:completed')
    assert.deepEqual(readdirSync(to).sort(), ['one', 'two'])
    heard.close()
  })

  it('declined: exit code 1, and who declined', async () => {
    const { sending, id } = await begin(join(dir.path, 'one'))
    await bob.ok('network', 'decline', id)
    const { code, stderr } = await sending.ended
    assert.equal(code, 1)
    assert.match(stderr, /bob declined/)
  })

  it('a part by pattern, links left out: exit code 3 and what was left out; with --links 0', async () => {
    const path = join(dir.path, 'links')
    mkdirSync(path)
    writeFileSync(join(path, 'a.jpg'), 'a')
    writeFileSync(join(path, 'b.txt'), 'b')
    symlinkSync('/etc/passwd', join(path, 'out.jpg'))
    const first = await begin(path)
    const refused = await bob.run('network', 'accept', first.id, '--only', '*.jpg')
    assert.equal(refused.code, 3)
    assert.match(refused.stdout, /1 problem:\n {2}links\/out\.jpg: it is a link to \/etc\/passwd/)
    assert.deepEqual(readdirSync(join(bob.downloads, 'links')), ['a.jpg'])
    await first.sending.ended
    const second = await begin(path)
    await bob.ok('network', 'accept', second.id, '--links')
    same(path, join(bob.downloads, 'links (1)'))
    await second.sending.ended
  })

  it('a text, typed and from standard input, is read with network messages', async () => {
    const typed = await begin('--text', 'https://example.org \u001b]52;c;x\u0007')
    await bob.ok('network', 'accept', typed.id)
    await typed.sending.ended
    const piped = ada.run('network', 'spacedrop', 'bob', '--text', { input: 'x'.repeat(70_000) })
    const heard = await bob.listen('offer:received')
    const [pending] = await offers(bob)
    await bob.ok('network', 'accept', pending?.id ?? (await heard.next()).offer)
    heard.close()
    assert.equal((await piped).code, 0)
    const shown = await bob.ok('network', 'messages', '--unread')
    assert.match(shown, /https:\/\/example\.org \\x1b\]52;c;x\\x07/)
    assert.match(shown, /x{70000}/)
    assert.equal(existsSync(join(bob.downloads, 'text')), false)
  })

  it('standard input becomes a file under the name given, without an executable bit', async () => {
    const input = Buffer.alloc(3_000_000, 5)
    const sending = ada.begin('network', 'spacedrop', 'bob', '-', '--name', 'piped.bin', '--no-wait', { input })
    const heard = await bob.listen('offer:received')
    await sending.ended
    const [pending] = await offers(bob)
    await bob.ok('network', 'accept', pending?.id ?? (await heard.next()).offer)
    heard.close()
    const file = join(bob.downloads, 'piped.bin')
    assert.deepEqual(readFileSync(file), input)
    assert.equal(statSync(file).mode & 0o111, 0)
    await emptied(join(ada.dataDir, 'spool'))
  })

  it('rules: taken unasked within the limits, asked beyond them, into their folder', async () => {
    const to = join(dir.path, 'by-rule')
    mkdirSync(to)
    const rule = await bob.json<{ mode: string; maxBytes: number; to: string }>(
      ...['network', 'rules', 'ada', '--mode', 'always', '--max-size', '1k', '--to', to]
    )
    assert.deepEqual([rule.mode, rule.maxBytes, rule.to], ['always', 1024, to])
    writeFileSync(join(dir.path, 'edge'), Buffer.alloc(1024))
    writeFileSync(join(dir.path, 'beyond'), Buffer.alloc(1025))
    assert.equal((await ada.run('network', 'spacedrop', 'bob', join(dir.path, 'edge'))).code, 0)
    // What it was staged in may go a moment after the sender has heard of the end.
    assert.deepEqual(
      readdirSync(to).filter(n => !n.startsWith('.spacedrive')),
      ['edge']
    )
    const asked = await begin(join(dir.path, 'beyond'))
    assert.match(await bob.ok('network', 'offers'), /its rule does not take it: it is larger than the rule allows/)
    await bob.ok('network', 'decline', asked.id)
    await asked.sending.ended
    assert.match(
      await bob.ok('network', 'rules', 'ada', '--mode', 'ask', '--max-size', 'none', '--to', 'default'),
      /when you accept/
    )
  })

  it('no space where it should go: exit code 1 with the figures and what to do, and it can be taken elsewhere', async () => {
    const huge = join(dir.path, 'huge')
    writeFileSync(huge, '')
    truncateSync(huge, 2 ** 43)
    const { sending, id } = await begin(huge)
    const { code, stderr } = await bob.run('network', 'accept', id)
    assert.equal(code, 1)
    assert.match(stderr, /there is not enough space in .*Downloads: 8796093022208 bytes are offered, \d+ are free/)
    assert.match(stderr, /--to/)
    assert.match(await bob.ok('network', 'offers'), /waits for you/)
    await bob.ok('network', 'decline', id)
    await sending.ended
  })

  it('Ctrl-C withdraws what was not answered', async () => {
    const { sending, id } = await begin(join(dir.path, 'one'))
    sending.child.kill('SIGINT')
    assert.equal((await sending.ended).code, 130)
    while ((await offers(bob)).length > 0) await new Promise(r => setTimeout(r, 20))
    const over = await bob.run('network', 'accept', id)
    assert.equal(over.code, 1)
    assert.match(over.stderr, /cancelled already/)
  })

  it('a device that is away: the drop waits, over a kill of the daemon, and is made when it is back', async () => {
    await bob.kill()
    const view = await ada.json<View>('network', 'spacedrop', 'bob', join(dir.path, 'two'), '--no-wait')
    assert.equal(view.state, 'waiting')
    assert.match(await ada.ok('network', 'offers'), /to bob.*waits for the device/)
    await ada.kill()
    await ada.up()
    await bob.up(ada)
    while ((await offers(bob)).length === 0) await new Promise(r => setTimeout(r, 20))
    await bob.ok('network', 'accept', view.id, '--to', join(dir.path, 'chosen'))
    assert.equal(readFileSync(join(dir.path, 'chosen/two (1)'), 'utf8'), '2')
  })

  for (const [what, args, code, text] of [
    ['an unknown device', ['spacedrop', 'nobody', '/etc/hostname'], 6, /no device is known as nobody/],
    ['a missing path', ['spacedrop', 'bob', '/nowhere/file'], 1, /there is no such file or folder/],
    ['nothing to send', ['spacedrop', 'bob'], 2, /nothing was named to send/],
    ['a text and files', ['spacedrop', 'bob', 'x', '--text', 'y'], 2, /cannot be sent in one drop/],
    ['an unknown offer', ['accept', 'ffffffff'], 1, /there is no offer ffffffff/],
    ['too short an id', ['accept', 'ff'], 1, /its first 4 letters/],
    ['a bad size', ['rules', 'bob', '--max-size', 'much'], 2, /expected a size/],
    ['a bad kind', ['rules', 'bob', '--types', 'image,pony'], 2, /"pony" is not a kind/],
    ['a bad mode', ['rules', 'bob', '--mode', 'never'], 2, /expected --mode ask \| always, got "never"/]
  ] as [string, string[], number, RegExp][]) {
    it(`${what}: exit code ${code} and what to do`, async () => {
      const result = await ada.run('network', ...args)
      assert.match(result.stderr, text)
      assert.equal(result.code, code)
    })
  }
})

/** Waits until nothing is in a folder: who sent removes what it spooled when it has heard of the end. */
async function emptied(dir: string): Promise<void> {
  const watcher = watch(dir)
  while (readdirSync(dir).length > 0) await once(watcher, 'change')
  watcher.close()
}
