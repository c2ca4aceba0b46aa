import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Orchestration, RoleContext } from '../scenario.js'
import { scenario } from '../scenario.js'
import { openDevice } from './device.js'
import { describeTree, makeTree } from './trees.js'

const BIG_BYTES = 48 * 1024 * 1024
const ROUNDS = 3

/** Alice drops a folder; started again after a kill she has nothing to do but be there. */
async function alice(context: RoleContext): Promise<void> {
  const { dataDir, attempt, board } = context
  const peer = await openDevice(context)
  board.publish(`alice-address-${attempt}`, await peer.address())
  if (attempt === 0) {
    const bob = await peer.showCode()
    await peer.connected(bob)
    makeTree(join(dataDir, 'sources/holiday'), { files: 400, bigBytes: BIG_BYTES })
    await peer.node.call('network.spacedrop', { device: bob, paths: [join(dataDir, 'sources/holiday')], wait: false })
  }
  peer.node.events.on('transfer:progress', e => {
    if (e.phase === 'transferring' && e.doneBytes > 0) board.publish(`moving-${attempt}`, e.doneBytes)
  })
  await board.expect('bob-has-it', 90_000)
  await peer.stop()
}

/** Bob accepts what Alice offers; started again after a kill he waits for the rest. */
async function bob(context: RoleContext): Promise<void> {
  const { attempt, board } = context
  const peer = await openDevice(context)
  const done = peer.next('transfer:completed', () => true, 90_000)
  peer.node.events.on('transfer:progress', e => {
    if (e.phase === 'transferring' && e.doneBytes > 0) board.publish(`arriving-${attempt}`, e.doneBytes)
  })
  if (attempt === 0) {
    const offered = peer.next('offer:received')
    await peer.connected(await peer.typeCode())
    const { offer } = await offered
    await peer.node.call('network.accept', { offer, wait: false })
  }
  await done
  board.publish('bob-has-it')
  await peer.stop()
}

/** Ends a role a random while after its first bytes moved, and starts it again. */
async function killAndRestart(o: Orchestration, victim: 'alice' | 'bob'): Promise<void> {
  const first = { alice: o.start('alice'), bob: o.start('bob') }
  await o.board.expect(victim === 'alice' ? 'moving-0' : 'arriving-0')
  await new Promise(resolve => setTimeout(resolve, Math.random() * 250))
  const downloads = join(o.dir, 'bob/downloads')
  await first[victim].kill('SIGKILL')
  const visible = existsSync(downloads) ? readdirSync(downloads).filter(n => !n.startsWith('.spacedrive')) : []
  if (!o.board.has('bob-has-it')) assert.deepEqual(visible, [], 'nothing half is visible')
  const again = o.start(victim)
  await o.finished(again, first[victim === 'alice' ? 'bob' : 'alice'])
  assert.deepEqual(describeTree(join(downloads, 'holiday')), describeTree(join(o.dir, 'alice/sources/holiday')))
  assert.deepEqual(
    readdirSync(downloads).filter(n => n !== '.spacedrive'),
    ['holiday'],
    'it arrived once'
  )
}

describe('several devices: a drop goes on after a kill', () => {
  for (const victim of ['alice', 'bob'] as const) {
    for (let round = 0; round < ROUNDS; round++) {
      const who = victim === 'alice' ? 'sender' : 'receiver'
      scenario(import.meta.url, `the ${who} is killed at a random point, round ${round + 1}`, {
        roles: { alice, bob },
        run: o => killAndRestart(o, victim),
        timeoutMs: 120_000
      })
    }
  }
})
