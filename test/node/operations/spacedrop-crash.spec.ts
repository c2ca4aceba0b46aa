import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type PairedDaemon, runningPair } from '../../daemons.js'
import { tempDir } from '../../temp.js'

const KILLS = 6

describe('spacedrop: kill -9', () => {
  const dir = tempDir('sd-crash-')
  let ada: PairedDaemon
  let bob: PairedDaemon
  runningPair('ada', 'bob', (a, b) => {
    ada = a
    bob = b
  })
  after(() => dir.clean())

  it('of either side at random moments: the drop finishes by itself, whole, once, and nothing is half before', async () => {
    const path = join(dir.path, 'tree')
    mkdirSync(join(path, 'small/empty'), { recursive: true })
    for (let i = 0; i < 500; i++) writeFileSync(join(path, `small/${i}`), randomBytes(1 + i * 7))
    for (let i = 0; i < 6; i++) writeFileSync(join(path, `large${i}`), randomBytes(12 * 2 ** 20))
    symlinkSync('small/1', join(path, 'link'))
    await bob.ok('network', 'rules', 'ada', '--mode', 'always')
    const { id } = await ada.json<{ id: string }>('network', 'spacedrop', 'bob', path, '--no-wait')
    const state = async (at: PairedDaemon): Promise<string> =>
      (await at.ask<{ offers: { state: string }[] }>('network.offers', { offer: id, limit: 1 })).offers[0]!.state
    for (let i = 0; i < KILLS; i++) {
      await new Promise(resolve => setTimeout(resolve, 100 + Math.random() * 500))
      const [victim, other] = i % 2 === 0 ? [bob, ada] : [ada, bob]
      await victim.kill()
      // All of it under its name, or nothing.
      if (existsSync(join(bob.downloads, 'tree')))
        execFileSync('diff', ['-r', '--no-dereference', path, join(bob.downloads, 'tree')])
      await victim.up(other)
    }
    for (const at of [ada, bob]) while ((await state(at)) !== 'completed') await new Promise(r => setTimeout(r, 50))
    execFileSync('diff', ['-r', '--no-dereference', path, join(bob.downloads, 'tree')])
    // What was staged goes in the background when the last kill came while it went.
    while (readdirSync(bob.downloads).some(n => n.startsWith('.'))) await new Promise(r => setTimeout(r, 50))
    assert.deepEqual(readdirSync(bob.downloads), ['tree'])
  })

  it('revoked in the middle of it: it ends at once on both sides, nothing stays, and nothing more is taken', async () => {
    const path = join(dir.path, 'big')
    writeFileSync(path, randomBytes(64 * 2 ** 20))
    // So slow that it cannot be over before the revocation, on whatever machine.
    await bob.ok('network', 'limit', '--down', '64K')
    const moving = await bob.listen('transfer:progress')
    const sending = ada.begin('network', 'spacedrop', 'bob', path)
    await moving.next(e => e.doneBytes > 0)
    moving.close()
    await bob.ok('network', 'revoke', 'ada')
    assert.deepEqual(
      readdirSync(bob.downloads).filter(n => n !== 'tree'),
      []
    )
    const { offers } = await bob.json<{ offers: { state: string; code: string }[] }>('network', 'offers', '--all')
    assert.deepEqual([offers[0]?.state, offers[0]?.code], ['cancelled', 'REVOKED'])
    const { code, stderr } = await sending.ended
    assert.equal(code, 6)
    assert.match(stderr, /bob does not know this device any more: it was revoked there/)
    assert.match(stderr, /Pair again/)
    const here = await ada.json<{ offers: { state: string; code: string }[] }>('network', 'offers', '--all')
    assert.deepEqual([here.offers[0]?.state, here.offers[0]?.code], ['failed', 'NOT_KNOWN_THERE'])
    assert.equal((await bob.run('network', 'spacedrop', 'ada', path, '--no-wait')).code, 6)
  })
})
