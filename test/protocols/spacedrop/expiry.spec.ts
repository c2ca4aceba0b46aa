import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Offer, spacedropLimits } from '../../../protocols/spacedrop/index.js'
import { type AbsPath, type Clock, systemClock } from '../../../storage/base/index.js'
import { nextEvent } from '../../peers.js'
import { arrived, type DropPair, dropPair, ended } from './devices.js'

describe('offers that nobody answers', () => {
  /** Moves by hand; timers of half a minute and more go off when it has moved far enough. */
  let aheadMs = 0
  const timers = new Set<{ at: number; fn: () => void }>()
  const clock: Clock = {
    ...systemClock,
    nowMs: () => systemClock.nowMs() + aheadMs,
    timer(fn, ms) {
      if (ms < 30_000) return systemClock.timer(fn, ms)
      const timer = { at: clock.nowMs() + ms, fn }
      timers.add(timer)
      return { clear: () => void timers.delete(timer) }
    }
  }
  const forward = (ms: number): void => {
    aheadMs += ms
    for (const timer of [...timers]) {
      if (timer.at > clock.nowMs()) continue
      timers.delete(timer)
      timer.fn()
    }
  }
  let pair: DropPair
  let offer: Offer

  beforeEach(async () => {
    pair = await dropPair({ clock })
    const file = join(pair.sources, 'f') as AbsPath
    writeFileSync(file, 'x')
    offer = await pair.ada.drops.offer(pair.bob.peer.id, { kind: 'files', paths: [file] })
  })
  afterEach(() => pair.clean())

  it('an offer that has arrived is over after ten minutes at both ends, and leaves no list behind', async () => {
    const theirs = await arrived(pair.bob, offer)
    await pair.ada.drops.wait(offer, () => {}, { signal: AbortSignal.timeout(1) }).catch(() => {})
    while (pair.ada.drops.find(offer)?.state !== 'offered') await new Promise(r => setTimeout(r, 5))
    forward(spacedropLimits.OFFER_LIFETIME_MS - 120_000) // more than passes by itself on any machine
    assert.deepEqual([pair.ada.drops.find(offer)?.state, pair.bob.drops.find(theirs)?.state], ['offered', 'pending'])
    const told = nextEvent(pair.bob.peer, 'offer:expired')
    forward(120_000)
    assert.equal((await ended(pair.ada, offer)).state, 'expired')
    assert.equal((await ended(pair.bob, theirs)).state, 'expired')
    await told
    await assert.rejects(pair.bob.drops.accept(theirs, {}), { code: 'OFFER_OVER' })
    await pair.bob.drops.stop() // what is cleaned beside it is done
    assert.deepEqual(
      readdirSync(pair.bob.peer.dir, { recursive: true }).filter(f => String(f).endsWith('.manifest')),
      []
    )
  })

  it('its time runs on over a restart', async () => {
    const theirs = await arrived(pair.bob, offer)
    pair.bob = await pair.bob.restart()
    forward(spacedropLimits.OFFER_LIFETIME_MS)
    assert.equal((await ended(pair.bob, theirs)).state, 'expired')
  })

  it('an offer for a device that is away waits for days, and is then given up', async () => {
    await arrived(pair.bob, offer)
    await pair.bob.peer.network.stop()
    const file = join(pair.sources, 'f') as AbsPath
    const waiting = await pair.ada.drops.offer(pair.bob.peer.id, { kind: 'files', paths: [file] })
    forward(spacedropLimits.AWAY_LIFETIME_MS - 60_000)
    assert.equal(pair.ada.drops.find(waiting)?.state, 'waiting')
    forward(60_000)
    forward(0)
    assert.equal((await ended(pair.ada, waiting)).state, 'expired')
  })
})
