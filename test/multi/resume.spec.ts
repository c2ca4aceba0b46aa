import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Orchestration, RoleContext } from '../scenario.js'
import { scenario } from '../scenario.js'
import { type Device, openDevice } from './device.js'
import { describeTree, makeTree } from './trees.js'

const BIG_BYTES = 48 * 1024 * 1024

/** When a device is killed: before a byte moved, a random while after the first ones (it may all be over), once all is there. */
const POINTS = ['before it moves', 'at a random point', 'when all is there'] as const

/** What says that this device is so far: published by the role itself. */
const BEGUN = { alice: 'alice-offered', bob: 'bob-accepted' }
const MOVES = { alice: 'alice-moves', bob: 'bob-moves' }

/** A drop may be over before its first progress is told. */
function tellThatItMoves({ node }: Device, { role, board }: RoleContext): void {
  const fact = MOVES[role as 'alice' | 'bob']
  node.events.on('transfer:progress', e => {
    if (e.phase === 'transferring' && e.doneBytes > 0) board.publish(fact)
  })
  node.events.on('transfer:completed', () => board.publish(fact))
}

/** Alice drops a folder; started again after a kill she has nothing to do but be there. */
async function alice(context: RoleContext): Promise<void> {
  const { dataDir, attempt, board } = context
  const peer = await openDevice(context)
  if (attempt === 0) {
    const bob = await peer.showCode()
    await peer.connected(bob)
    makeTree(join(dataDir, 'sources/holiday'), { files: 400, bigBytes: BIG_BYTES })
    tellThatItMoves(peer, context)
    await peer.node.call('network.spacedrop', { device: bob, paths: [join(dataDir, 'sources/holiday')], wait: false })
    board.publish(BEGUN.alice)
  }
  await board.expect('bob-has-it')
  await peer.stop()
}

/** Bob accepts what Alice offers; started again after a kill he waits for the rest. */
async function bob(context: RoleContext): Promise<void> {
  const { attempt, board } = context
  const peer = await openDevice(context)
  if (attempt === 0) {
    tellThatItMoves(peer, context)
    await peer.connected(await peer.typeCode())
    const { offer } = await peer.first('offer:received')
    await peer.node.call('network.accept', { offer, wait: false })
    board.publish(BEGUN.bob)
  }
  await hasIt(peer)
  board.publish('bob-has-it')
  await peer.stop()
}

/** It may have come whole before the kill: then the state says so, and no event. */
async function hasIt(peer: Device): Promise<void> {
  const done = peer.first('transfer:completed')
  done.catch(() => {}) // unused when it is here already
  const { offers } = await peer.node.call('network.offers', { all: true })
  if (!offers.some(o => o.state === 'completed')) await done
}

/** Ends a role at a point of the drop and starts it again. */
async function killAndRestart(
  o: Orchestration,
  victim: 'alice' | 'bob',
  point: (typeof POINTS)[number]
): Promise<void> {
  const first = { alice: o.start('alice'), bob: o.start('bob') }
  if (point === 'before it moves') await o.board.expect(BEGUN[victim])
  else if (point === 'when all is there') await o.board.expect('bob-has-it')
  else {
    await o.board.expect(MOVES[victim])
    await new Promise(resolve => setTimeout(resolve, Math.random() * 250))
  }
  await first[victim].kill('SIGKILL')
  const downloads = join(o.dir, 'bob/downloads')
  const sources = describeTree(join(o.dir, 'alice/sources/holiday'))
  const listed = (): string[] =>
    existsSync(downloads) ? readdirSync(downloads).filter(n => !n.startsWith('.spacedrive')) : []
  // It gets its name when all of it is there, which the kill may have come too late for.
  if (listed().length > 0)
    assert.deepEqual(describeTree(join(downloads, 'holiday')), sources, 'nothing half is visible')
  const again = o.start(victim)
  await o.finished(again, first[victim === 'alice' ? 'bob' : 'alice'])
  assert.deepEqual(describeTree(join(downloads, 'holiday')), sources)
  assert.deepEqual(listed(), ['holiday'], 'it arrived once')
}

describe('several devices: a drop goes on after a kill', () => {
  for (const victim of ['alice', 'bob'] as const) {
    for (const point of POINTS) {
      scenario(import.meta.url, `the ${victim === 'alice' ? 'sender' : 'receiver'} is killed ${point}`, {
        roles: { alice, bob },
        run: o => killAndRestart(o, victim, point)
      })
    }
  }
})
